"""The one place where the explorer's state changes.

Changes come from any thread: controls, clicks, the search, a run. They wait in a queue, a thread
applies all that wait and then shows the outcome once, so that what is shown is always one state,
and a hundred moves in a row cost as much as the last of them.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from qdreamer_lab.widgets.background import Background
from qdreamer_lab.widgets.changes import answered, settled
from qdreamer_lab.widgets.comparer import Comparer

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.widgets.crossover import Comparison
    from qdreamer_lab.widgets.planner import Found, Planner
    from qdreamer_lab.widgets.state import Controls, View

    Change = Callable[[View], View]

__all__ = ["Engine"]


class Engine:
    """Holds the state, and keeps it up to date with the controls.

    Args:
        planner: Finds candidates.
        view: To begin with.
        show: Called with every state that is to be shown, never by two threads at once.
    """

    def __init__(self, planner: Planner, view: View, show: Callable[[View], None]) -> None:
        self._planner = planner
        self._show = show
        self._asked: Controls | None = None
        self._refining: Controls | None = None
        self._queue: deque[Change] = deque()
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._weighed: Controls | None = None
        self._comparer = Comparer(planner)
        self.background = Background(planner.refined, self._tell)
        self._weighing = Background(self._comparer.steps, self._weigh)
        self.view = view

    def post(self, change: Change) -> None:
        """Change the state soon; returns at once."""
        self._put(change)

    def act(self, change: Change) -> None:
        """As `post`, for what is done with what was found: first, earlier moves are answered."""
        self._put(self._asking, change)

    def _put(self, *changes: Change) -> None:
        with self._state:
            if self._closed:
                return
            self._queue.extend(changes)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._drain, name="cut-explorer", daemon=True
                )
                self._thread.start()

    def settle(self, timeout_s: float | None = None) -> bool:
        """Wait until all changes are shown and nothing is looked for; say whether that came."""
        with self._state:
            return self._state.wait_for(self._settled, timeout_s)

    def wait_for(self, condition: Callable[[View], bool], timeout_s: float) -> bool:
        """Wait until what is shown is like that; say whether it came to be."""
        with self._state:
            return self._state.wait_for(lambda: condition(self.view), timeout_s)

    def close(self) -> None:
        """Change nothing any more."""
        with self._state:
            self._closed = True
            self._queue.clear()
        self.background.cancel()
        self._weighing.cancel()

    def _settled(self) -> bool:
        return (
            self._thread is None
            and not self._queue
            and not (self.view.working or self.view.comparing)
        )

    def _drain(self) -> None:
        try:
            while changes := self._waiting():
                view = self.view
                for change in (*changes, self._asking, self._compared):
                    view = settled(change(view), view)
                self._show(view)
                with self._state:
                    self.view = view
                    self._state.notify_all()
        except BaseException:
            with self._state:
                self._thread = None
                self._state.notify_all()
            raise

    def _waiting(self) -> list[Change]:
        with self._state:
            changes = list(self._queue)
            self._queue.clear()
            if not changes:
                self._thread = None
                self._state.notify_all()
            return changes

    def _asking(self, view: View) -> View:
        """With what is known for the controls, if they have changed; the search does the rest."""
        if view.controls is self._asked:  # equal ones may have been left meanwhile, for others
            return view
        self._asked = controls = view.controls
        if view.fixed is not None:  # a candidate was chosen, and the width followed it
            return view
        found = (*self._planner.known(controls), *self._planner.first(controls))
        self._refining = controls
        self.background.ask(controls)
        return answered(view, found, working=True)

    def _tell(self, asked: Controls, found: Found, more: bool) -> None:
        def change(view: View) -> View:
            # Only the width may differ: then these are candidates for the trade-off all the same.
            if view.controls.family != asked.family:
                return view
            return answered(view, found, working=more or asked != self._refining)

        self.post(change)

    def _compared(self, view: View) -> View:
        """With a comparison of CPU and GPU on its way, once there are candidates, if it is wanted.

        It is wanted where there is a GPU, and where somebody looks at it.
        """
        if view.working:
            self._weighed = None
            self._weighing.cancel()
            return replace(view, comparing=False)
        if view.controls == self._weighed:
            return view
        if view.axes != "workers" and self._comparer.gpu_place() is None:
            return view
        self._weighed = view.controls
        self._weighing.ask(view.controls)
        return replace(view, comparing=True)

    def _weigh(self, asked: Controls, found: tuple[Comparison, ...], _: bool) -> None:
        def change(view: View) -> View:
            if view.controls.family != asked.family:
                return view
            return replace(view, compared=found[-1], comparing=asked != self._weighed)

        if found:  # once, at the end
            self.post(change)
