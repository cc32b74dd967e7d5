"""Results on disk: what a finished task returned outlives the worker that ran it.

The files lie in the session's own scratch folder, on the agent's machine, and are closed to other
users; from other machines they are sent and fetched (`transfer.py`). A task may be under way on two
workers at a time, of which one was given up: both write to drafts of their own, and whole results
have the name that belongs to the task. Only the scheduler knows who still wants one, so its plugin
(`task/ledger.py`) removes them, and nobody else does.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import worker_environment
from pilot_kernel.task.wire.filed import STRETCH_BYTES, Assembly, stretches
from pilot_kernel.task.wire.packing import Packed, unpack

__all__ = [
    "EACH_BYTES",
    "SMALL_BYTES",
    "TOTAL_BYTES",
    "TOTAL_VARIABLE",
    "Draft",
    "Kept",
    "file_name",
    "find",
    "gone",
    "has_room",
    "home",
    "is_here",
    "read",
    "remove",
    "remove_draft",
    "stretch",
    "sweep",
    "write",
]

SMALL_BYTES = 32_768
"""Results up to this size travel with the news of their task."""

EACH_BYTES = 1 << 30
"""A result larger than this stays in its worker's memory."""

TOTAL_BYTES = 4 << 30
"""What one session keeps on disk at a time, and never more than half of what is free there.

Small results do not count: theirs are removed as soon as the notebook has them.
"""

TOTAL_VARIABLE = "PILOT_RESULTS_BYTES"
"""The environment variable that says otherwise."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A result on the disk of the agent's machine.

    Attributes:
        path: Where.
        size: Bytes.
    """

    path: str
    size: int

    @property
    def name(self) -> str:
        """What its file is called, by which the agent is asked for it."""
        return os.path.basename(self.path)


def home() -> str | None:
    """The session's folder for results, if this process is one that can write there.

    A job inherits the variable that names it on a machine that does not have it, where somebody
    else may have made one of that name.
    """
    folder = worker_environment.results_folder()
    return folder if folder is not None and _is_mine(folder, stat.S_ISDIR) else None


def is_here(kept: Kept) -> bool:
    """Whether this process can open the file: it is on the agent's machine, or shares its disk.

    What lies under that name may be unpickled, so it must be this user's own; agents of other
    machines have other names.
    """
    return _is_mine(kept.path, stat.S_ISREG)


def _is_mine(path: str, is_such: Any) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return bool(is_such(found.st_mode)) and found.st_uid == os.geteuid()


def _open_mine(path: str) -> Any:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise FileNotFoundError(path)
    return os.fdopen(descriptor, "rb", buffering=0)


class Draft:
    """A result that is being written.

    Args:
        folder: Where results lie.
        key: Key of the task.
        writer: Name of the worker that has the task, like that of no other.
        size: Bytes of the file, which it takes up from the beginning.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, folder: str, key: str, writer: str, size: int = 0) -> None:
        self._draft, self._path = _draft(folder, key, writer), _path(folder, key)
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        if size:
            os.truncate(descriptor, size)

    def write(self, stretch: Any) -> None:
        """Write what comes next."""
        view = memoryview(stretch).cast("B")
        while view:
            view = view[self._file.write(view) :]

    def finish(self) -> str:
        """Give the whole result its name; its path."""
        self._file.close()
        os.rename(self._draft, self._path)
        return self._path

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def discard(self) -> None:
        """Remove it."""
        self._file.close()
        Path(self._draft).unlink(missing_ok=True)


def write(packed: Packed, folder: str, key: str, writer: str) -> Kept | None:
    """Write a result to a file of its own.

    Args:
        packed: The result.
        folder: Where results lie.
        key: Key of the task.
        writer: Name of the worker that has the task, like that of no other.

    Returns:
        None if it is too large, or there is no room.
    """
    if not has_room(folder, packed.size):
        return None
    draft = None
    try:
        draft = Draft(folder, key, writer)
        for stretch in stretches(packed):
            draft.write(stretch)
        return Kept(draft.finish(), packed.size)
    except OSError:  # the disk filled up meanwhile, or the session is ending
        if draft is not None:
            draft.discard()
        return None
    finally:
        if draft is not None:
            draft.close()


def has_room(folder: str, size: int) -> bool:
    """Whether a result of so many bytes may be kept there; small ones always are."""
    return size <= SMALL_BYTES or size <= min(EACH_BYTES, _room(folder))


def file_name(key: str) -> str:
    """Under which name a task's result lies; that of a draft begins with it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _path(folder: str, key: str) -> str:
    return os.path.join(folder, file_name(key))


def _draft(folder: str, key: str, writer: str) -> str:
    return f"{_path(folder, key)}.{writer}"


def _room(folder: str) -> int:
    total = int(os.environ.get(TOTAL_VARIABLE) or TOTAL_BYTES)
    try:
        with os.scandir(folder) as files:
            taken = sum(map(_size, files))
        return min(total - taken, shutil.disk_usage(folder).free // 2)
    except FileNotFoundError:  # the session has ended
        return 0


def _size(file: "os.DirEntry[str]") -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # removed meanwhile
        return 0


def stretch(folder: str, name: str, begin: int) -> bytes | None:
    """Some bytes of a result, from `begin` on; empty behind its end, None if it is not there."""
    try:
        with _open_mine(os.path.join(folder, name)) as file:
            return os.pread(file.fileno(), STRETCH_BYTES, begin)
    except FileNotFoundError:
        return None


def find(folder: str, key: str) -> Kept | None:
    """The result that a task has left there: it had finished when its process or worker died."""
    path = _path(folder, key)
    try:
        return Kept(path, os.stat(path).st_size)
    except FileNotFoundError:
        return None


def read(kept: Kept) -> Any:
    """The value.

    Raises:
        PilotError: The file is gone.
    """
    whole = Assembly()
    try:
        with _open_mine(kept.path) as file:
            while (room := whole.room()) and (count := file.readinto(room)):
                whole.filled(count)
    except FileNotFoundError:
        raise gone() from None
    return unpack(whole.packed())


def gone() -> PilotError:
    """The error for a result that is no longer on disk."""
    return PilotError(
        "this result is gone: its session has ended, or it was released; run the task again"
    )


def remove(folder: str, key: str) -> None:
    """Remove a task's result, if there is one."""
    Path(_path(folder, key)).unlink(missing_ok=True)


def remove_draft(folder: str, key: str, writer: str) -> None:
    """Remove part of a result, if its task was ended on that worker amid writing it."""
    Path(_draft(folder, key, writer)).unlink(missing_ok=True)


def sweep(folder: str, wanted: Iterable[str]) -> None:
    """Remove what was written when nobody wanted it any more.

    A process that runs a task is ended when its task is canceled or its worker dies, but it may be
    quicker, and then nobody hears of what it has written. A key is never used twice, so what
    belongs to none of the keys that are wanted never will be.

    Args:
        folder: Where results lie.
        wanted: Keys of the tasks whose results are wanted, or may be found by another worker.
    """
    try:
        files = os.listdir(folder)
    except FileNotFoundError:  # the session is ending
        return
    if not files:
        return
    names = set(map(file_name, wanted))
    for file in files:
        if file.partition(".")[0] not in names:
            Path(folder, file).unlink(missing_ok=True)
