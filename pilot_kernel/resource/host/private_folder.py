"""The supervisor's folder: closed to other users, and removed by whoever comes next if need be."""

import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

import psutil

__all__ = ["create", "remove", "semaphore_prefix", "sweep"]

_BEGINS = "pilot-host-"
_LONGEST_BYTES = 70  # a socket's name may have 107
_SEMAPHORES = Path("/dev/shm")  # noqa: S108 where Linux shows named semaphores


def create(place: str | None = None) -> Path:
    """Make a folder whose name says which process it belongs to.

    Args:
        place: Where. Sockets lie in the supervisor's own, so that is in `/tmp` if the usual place
            has too long a name.
    """
    if place is None:
        usual = tempfile.gettempdir()
        place = usual if len(os.fsencode(usual)) <= _LONGEST_BYTES else "/tmp"  # noqa: S108
    sweep(Path(place))
    started = int(psutil.Process().create_time())
    prefix = f"{_begins()}{os.getpid()}-{started}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place))


def _begins() -> str:
    """What the folders of this machine begin with, as far as process ids mean the same.

    Containers may share the place, and so may machines.
    """
    try:
        processes = os.readlink("/proc/self/ns/pid")
    except OSError:  # no Linux
        processes = ""
    where = hashlib.sha256(f"{socket.gethostname()} {processes}".encode()).hexdigest()
    return f"{_BEGINS}{where[:8]}-"


def semaphore_prefix(folder: Path) -> str:
    """What the names of semaphores begin with that a supervisor shares with its workers."""
    return f"/{folder.name}"


def remove(folder: Path) -> None:
    """Remove a supervisor's folder, and its semaphores."""
    for path in _SEMAPHORES.glob(f"sem.{folder.name}-*"):
        with contextlib.suppress(OSError):
            path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove what supervisors of this user left that were killed.

    Args:
        place: Where their folders lie.
    """
    begins = _begins()
    for folder in place.glob(f"{begins}*"):
        with contextlib.suppress(OSError, ValueError):
            pid, started = map(int, folder.name[len(begins) :].split("-")[:2])
            if folder.stat().st_uid == os.getuid() and not _runs(pid, started):
                remove(folder)


def _runs(pid: int, started: int) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started) < 2
    except psutil.NoSuchProcess:
        return False
