"""One thread that keeps up to date all that is live, each view once a second at most.

A kernel is not told that an output was removed. It only learns from the next request which cell
runs, and which cells were deleted. A view whose cells have all run again, or are deleted, is
dropped. A view that the user cleared costs a message a second while something changes.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

__all__ = ["LiveView", "Refresher", "cell_of", "gone_cells"]

PERIOD_S = 1.0
_log = logging.getLogger(__name__)
_GATHER_S = 0.05  # many tasks may end at once


class LiveView(Protocol):
    """Something that is shown and changes."""

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""

    def refresh(self) -> None:
        """Bring it up to date, if there is anything new; may ask the agent."""

    def repeat(self) -> None:
        """Send the last update once more, unless that was done already; asks nobody."""


def cell_of(shell: Any) -> str | None:
    """The id of the cell that runs, if the front end sends ids."""
    cell = _metadata(shell).get("cellId")
    return str(cell) if cell else None


def gone_cells(shell: Any) -> set[str]:
    """The cells whose outputs are gone: the cell that begins to run, and deleted ones."""
    begins = cell_of(shell)
    deleted = _metadata(shell).get("deletedCells") or ()
    return {str(cell) for cell in deleted} | ({begins} if begins else set())


def _metadata(shell: Any) -> dict[str, Any]:
    ask = getattr(shell, "get_parent", None)
    return ((ask() if ask else None) or {}).get("metadata") or {}


class Refresher:
    """The views that are live, and the thread that refreshes them while there are any.

    Args:
        period_s: Seconds between refreshes.
    """

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._period_s = period_s
        self._cells: dict[LiveView, set[str | None]] = {}
        self._ended: list[LiveView] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def views(self) -> list[LiveView]:
        """The live views."""
        with self._lock:
            return list(self._cells)

    def keep(self, view: LiveView, cell: str | None) -> None:
        """Refresh a view from now on; `cell` is where it is shown, None if that is unknown."""
        with self._lock:
            self._cells.setdefault(view, set()).add(cell)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="pilot-views", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Refresh at once the views that are over."""
        self._wake.set()

    def forget(self, cells: Iterable[str]) -> None:
        """Drop the views that were shown in these cells and nowhere else."""
        gone = set(cells)
        with self._lock:
            for view, shown in list(self._cells.items()):
                shown -= gone
                if not shown:
                    del self._cells[view]

    def clear(self) -> None:
        """Drop all views."""
        with self._lock:
            self._cells.clear()
            self._ended.clear()

    def settle(self) -> None:
        """Send again, while the cell that is ending still runs, what has changed meanwhile.

        Programs that run notebooks listen only while a cell runs; they miss updates that a thread
        sends between two cells.
        """
        with self._lock:
            ended, self._ended = self._ended, []
            live = list(self._cells)
        for view in live:
            if view.over:
                self._refresh(view)
                with self._lock:
                    self._cells.pop(view, None)
        for view in (*ended, *live):
            view.repeat()

    def _refresh(self, view: LiveView) -> None:
        """Bring a view up to date; a view that fails is dropped, and the others live on."""
        try:
            view.refresh()
        except Exception:  # noqa: BLE001 a user's representation may raise anything
            _log.exception("a live view ended")
            with self._lock:
                self._cells.pop(view, None)

    def _run(self) -> None:
        try:
            for all_due in self._ticks():
                views = self._still_live()
                for view in views:
                    if view.over:
                        self._finish(view)
                    elif all_due:
                        self._refresh(view)
                if not views:
                    return
        finally:
            self._end_thread()

    def _still_live(self) -> list[LiveView]:
        """The views; if there are none, the thread is given up under the same lock."""
        with self._lock:
            if not self._cells:
                self._thread = None
            return list(self._cells)

    def _end_thread(self) -> None:
        with self._lock:  # by now another thread may have taken over
            if self._thread is threading.current_thread():
                self._thread = None

    def _ticks(self) -> Iterator[bool]:
        """When to look: True once a period, False in between when something ended."""
        due = time.monotonic() + self._period_s
        while True:
            if self._wake.wait(max(0.0, due - time.monotonic())):
                time.sleep(_GATHER_S)
                self._wake.clear()
            now = time.monotonic()
            yield now >= due
            if now >= due:
                due = time.monotonic() + self._period_s

    def _finish(self, view: LiveView) -> None:
        self._refresh(view)
        with self._lock:
            if self._cells.pop(view, None) is not None:
                self._ended.append(view)
