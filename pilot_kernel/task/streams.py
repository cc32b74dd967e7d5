"""What tasks print, sorted by task: stand-ins for stdout and stderr on a worker.

Only threads that run a task are diverted; everything else goes where it always went.
"""

import io
import sys
import threading
from collections.abc import Callable
from typing import TextIO

__all__ = ["LIMIT", "Capture", "emit"]

LIMIT = 8_000_000
"""Characters of output kept per task; what comes after is counted and dropped."""


_installed: list["Capture"] = []


def emit(stream: str, text: str) -> None:
    """Inside a task, append a chunk of another kind to its output, in order with what it prints."""
    for capture in _installed:
        capture.append(stream, text)


class Capture:
    """Diverts `sys.stdout` and `sys.stderr` of task threads into chunks by task.

    Args:
        current_key: Tells the key of the task that the calling thread runs, or None.
    """

    def __init__(self, current_key: Callable[[], str | None]) -> None:
        self._current_key = current_key
        self._lock = threading.Lock()
        self._chunks: dict[str, list[tuple[str, str]]] = {}
        self._printed: dict[str, int] = {}

    def install(self) -> None:
        """Replace the process's text streams."""
        _installed.append(self)
        self._before = (sys.stdout, sys.stderr)
        sys.stdout = _Diverted(self, "stdout", sys.stdout)
        sys.stderr = _Diverted(self, "stderr", sys.stderr)

    def remove(self) -> None:
        """Put the process's text streams back."""
        _installed.remove(self)
        sys.stdout, sys.stderr = self._before

    def write(self, stream: str, text: str) -> bool:
        """Keep `text` for the calling thread's task; False if it runs none."""
        key = self._current_key()
        if key is None:
            return False
        with self._lock:
            printed = self._printed.get(key, 0)
            self._printed[key] = printed + len(text)
            if printed < LIMIT:
                chunks = self._chunks.setdefault(key, [])
                kept = text[: LIMIT - printed]
                if chunks and chunks[-1][0] == stream and len(chunks[-1][1]) < 4096:
                    chunks[-1] = (stream, chunks[-1][1] + kept)
                else:
                    chunks.append((stream, kept))
        return True

    def append(self, stream: str, text: str) -> None:
        """Keep a whole chunk of another kind for the calling thread's task."""
        key = self._current_key()
        if key is not None:
            with self._lock:
                self._chunks.setdefault(key, []).append((stream, text))

    def take(self) -> dict[str, list[tuple[str, str]]]:
        """Remove and return what was printed since the last call, as (stream, text) by task."""
        with self._lock:
            taken, self._chunks = self._chunks, {}
        return taken

    def finish(self, key: str) -> list[tuple[str, str]]:
        """Remove and return the last of what a task printed, with a note if some was dropped."""
        with self._lock:
            chunks = self._chunks.pop(key, [])
            printed = self._printed.pop(key, 0)
        if printed > LIMIT:
            note = f"\n[{printed - LIMIT:,} characters more were printed and not kept]\n"
            chunks.append(("stderr", note))
        return chunks


class _Diverted(io.TextIOBase):
    def __init__(self, capture: Capture, stream: str, original: TextIO) -> None:
        self._capture = capture
        self._stream = stream
        self._original = original

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._original.encoding

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not self._capture.write(self._stream, text):
            self._original.write(text)
        return len(text)

    def flush(self) -> None:
        self._original.flush()

    def fileno(self) -> int:
        return self._original.fileno()
