"""A thread that looks for better answers to the newest question, and gives up older ones."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qdreamer_lab.widgets.state import Controls

__all__ = ["Background"]

_TELL_EVERY_S = 0.25

_Item = TypeVar("_Item")


class Background(Generic[_Item]):
    """One thread that refines the newest question; older ones are given up between two steps.

    Args:
        steps: For a question, its answers as they are found.
        tell: Called in the thread with a question, answers, and whether there will be more.
    """

    def __init__(
        self,
        steps: Callable[[Controls], Iterator[tuple[_Item, ...]]],
        tell: Callable[[Controls, tuple[_Item, ...], bool], None],
    ) -> None:
        self._steps = steps
        self._tell = tell
        self._lock = threading.Lock()
        self._newest: Controls | None = None
        self._number = 0
        self._thread: threading.Thread | None = None

    def ask(self, controls: Controls) -> None:
        """Refine the answer to this, and nothing older."""
        with self._lock:
            self._newest = controls
            self._number += 1
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="cut-explorer-search", daemon=True
                )
                self._thread.start()

    def cancel(self) -> None:
        """Answer nothing that was asked."""
        with self._lock:
            self._newest = None
            self._number += 1

    @property
    def idle(self) -> bool:
        """Whether nothing is being looked for."""
        return self._thread is None

    def _work(self) -> None:
        try:
            while (asked := self._next()) is not None:
                self._refine(*asked)
        except BaseException:
            with self._lock:
                self._thread = None
            raise

    def _next(self) -> tuple[Controls, int] | None:
        with self._lock:
            asked, self._newest = self._newest, None
            if asked is None:
                self._thread = None
                return None
            return asked, self._number

    def _refine(self, asked: Controls, number: int) -> None:
        """Tell what is found, at most a few times a second: every telling is drawn."""
        found: list[_Item] = []
        told = -_TELL_EVERY_S
        for some in self._steps(asked):
            if self._number != number:
                return
            found += some
            if time.monotonic() - told >= _TELL_EVERY_S:
                self._tell(asked, tuple(found), True)
                found, told = [], time.monotonic()
        self._tell(asked, tuple(found), False)
