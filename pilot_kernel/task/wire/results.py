"""Results on disk: what a finished task returned outlives the worker that ran it.

The files lie in the session's own scratch folder and are closed to other users. A task may be
under way on two workers at a time, of which one was given up: both write to drafts of their own,
and whole results have the name that belongs to the task. Only the scheduler knows who still wants
one, so its plugin (`task/ledger.py`) removes them, and nobody else does.
"""

import hashlib
import os
import shutil
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.wire.packing import Packed, unpack

__all__ = [
    "EACH_BYTES",
    "SMALL_BYTES",
    "TOTAL_BYTES",
    "TOTAL_VARIABLE",
    "Kept",
    "find",
    "read",
    "remove",
    "remove_draft",
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

_SIZE = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Kept:
    """A result on disk.

    Attributes:
        path: Where.
        size: Bytes.
    """

    path: str
    size: int


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
    size = packed.size
    if size > SMALL_BYTES and size > min(EACH_BYTES, _room(folder)):
        return None
    path, draft = _path(folder, key), _draft(folder, key, writer)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for part in (packed.header, *packed.buffers):
                file.write(_SIZE.pack(memoryview(part).nbytes))
                _write_all(file, memoryview(part).cast("B"))
        os.rename(draft, path)
    except OSError:  # the disk filled up meanwhile, or the session is ending
        Path(draft).unlink(missing_ok=True)
        return None
    return Kept(path, size)


def _name(key: str) -> str:
    """Under which name a task's result lies; that of a draft begins with it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _path(folder: str, key: str) -> str:
    return os.path.join(folder, _name(key))


def _draft(folder: str, key: str, writer: str) -> str:
    return f"{_path(folder, key)}.{writer}"


def _write_all(file: Any, view: memoryview) -> None:
    while view:
        view = view[file.write(view) :]


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
    parts = []
    try:
        with open(kept.path, "rb", buffering=0) as file:
            while head := file.read(_SIZE.size):
                part = bytearray(_SIZE.unpack(head)[0])
                view = memoryview(part)
                while view:
                    view = view[file.readinto(view) or len(view) :]
                parts.append(part)
    except FileNotFoundError:
        raise PilotError(
            "this result is gone: its session has ended, or it was released; run the task again"
        ) from None
    return unpack(Packed(parts[0], tuple(parts[1:])))


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
    names = set(map(_name, wanted))
    for file in files:
        if file.partition(".")[0] not in names:
            Path(folder, file).unlink(missing_ok=True)
