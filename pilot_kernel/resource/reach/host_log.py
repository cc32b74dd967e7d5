"""What a host far away has written, in a file beside the agent's own log."""

import contextlib
import os
import time
from pathlib import Path

from pilot_kernel.resource import log_files

__all__ = ["HostLog"]

_LARGEST = 2_000_000


class HostLog:
    """A log file, which is begun anew when it has become long.

    Args:
        directory: The agent's folder; the file lies below it, in `logs`.
        name: Name of the start whose log it is.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = log_files.worker_log(log_files.folder_of(directory), name)
        self._descriptor: int | None = None
        self._size = 0

    def write(self, line: str) -> None:
        """Add a line, with the time."""
        with contextlib.suppress(OSError):  # the disk is full, say: work goes on
            if self._descriptor is None or self._size > _LARGEST:
                self._begin()
            assert self._descriptor is not None
            data = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n".encode()
            self._size += os.write(self._descriptor, data)

    def _begin(self) -> None:
        """Open the file; what there was is kept as the one before."""
        self.close()
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        if self._size:
            self._path.replace(self._path.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
