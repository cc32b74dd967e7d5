"""Results on disk: what a finished task returned outlives the worker that ran it.

The files lie in the session's own scratch folder and are closed to other users. The scheduler
knows who still wants a result, so its plugin (`task/ledger.py`) removes the files.
"""

import hashlib
import os
import shutil
import struct
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


def write(packed: Packed, folder: str, key: str) -> Kept | None:
    """Write a result to a file of its own.

    Args:
        packed: The result.
        folder: Where results lie.
        key: Key of the task.

    Returns:
        None if it is too large, or there is no room.
    """
    size = packed.size
    if size > SMALL_BYTES and size > min(EACH_BYTES, _room(folder)):
        return None
    path, draft = _paths(folder, key)
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


def _paths(folder: str, key: str) -> tuple[str, str]:
    """Where a task's result lies, and where it is written first."""
    path = os.path.join(folder, hashlib.sha256(key.encode()).hexdigest()[:32])
    return path, f"{path}.part"


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
    path, _ = _paths(folder, key)
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
    """Remove what a task has left there: a result, or part of one if it was ended amid writing."""
    for path in _paths(folder, key):
        Path(path).unlink(missing_ok=True)
