"""Waits for a task within a cell.

What the task prints appears as the cell's own output. Interrupting the kernel cancels the task.
"""

import concurrent.futures
import sys
import time
from typing import Any, cast

from pilot_kernel.jupyter.show.publishing import publish_message, publisher
from pilot_kernel.jupyter.show.task_view import TaskView
from pilot_kernel.jupyter.worker.display_message import DISPLAY, decode
from pilot_kernel.task.notebook.task_like import TaskLike

__all__ = ["CellInterruptedError", "wait"]

_LIVE_POLL_S = 0.1
_VIEW_EVERY_S = 1.0
_MOST_LINES = 2_000
_MOST_BYTES = 256_000


class CellInterruptedError(KeyboardInterrupt):
    """The kernel was interrupted while a cell waited; the task is canceled."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def wait(task: TaskLike, *, live: bool = True, progress_after_s: float = 1.0) -> Any:
    """Wait for a task, as a cell does.

    Args:
        task: A task.
        live: Show a status line that is kept up to date.
        progress_after_s: Seconds before that line appears, so that quick cells have none.

    Returns:
        Its result.

    Raises:
        CellInterruptedError: The kernel was interrupted; the task is canceled.
        Exception: Whatever the task raised.
    """
    streams = _Streams(task)
    view = _LateView(task, progress_after_s) if live else None
    try:
        future = cast("concurrent.futures.Future[Any]", task)
        while not concurrent.futures.wait([future], timeout=_LIVE_POLL_S).done:
            streams.flush()
            if view is not None:
                view.refresh()
        streams.flush()
        if view is not None:
            view.end()
    except KeyboardInterrupt:
        task.cancel()
        if view is not None:
            view.end()
        raise CellInterruptedError(f"canceled: task {task.name!r}") from None
    return task.result()


class _LateView:
    """A status line that appears only when a task takes a while."""

    def __init__(self, task: TaskLike, after_s: float) -> None:
        self._view = TaskView(task, publisher(), whole=False)
        self._due = time.monotonic() + after_s
        self._visible = False

    def refresh(self) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _VIEW_EVERY_S
        if self._visible:
            self._view.refresh()
        else:
            self._view.show()
            self._visible = True

    def end(self) -> None:
        if self._visible:
            self._view.refresh()


class _Streams:
    """Writes what a task prints to the cell, up to a limit, and shows what it displays."""

    def __init__(self, task: TaskLike) -> None:
        self._task = task
        self._position = 0
        self._lines = 0
        self._bytes = 0
        self._full = False
        self._stream: Any = None

    def flush(self) -> None:
        chunks, self._position = self._task.output.since(self._position)
        for stream, text in chunks:
            if stream == DISPLAY:
                sys.stdout.flush()
                sys.stderr.flush()
                publish_message(decode(text))
            elif not self._full:
                self._turn_to(sys.stderr if stream == "stderr" else sys.stdout)
                self._write(text)
        if chunks:
            sys.stdout.flush()
            sys.stderr.flush()

    def _turn_to(self, stream: Any) -> None:
        """Switch between stdout and stderr, so that the order is that of the task."""
        if self._stream is not None and stream is not self._stream:
            self._stream.flush()
        self._stream = stream

    def _write(self, text: str) -> None:
        lines = text.splitlines(keepends=True)[: _MOST_LINES - self._lines]
        kept = "".join(lines)[: _MOST_BYTES - self._bytes]
        self._stream.write(kept)
        self._lines += kept.count("\n")
        self._bytes += len(kept)
        if len(kept) < len(text):
            self._full = True
            self._stream.flush()
            sys.stderr.write(
                f"\n[only the first {self._lines:,} lines are shown; for the rest: "
                f"task = %qresult --task {self._task.key}, then task.output.text()]\n"
            )
