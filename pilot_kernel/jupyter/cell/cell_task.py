"""What a cell magic gives: a future over the one or two tasks that a cell becomes."""

from collections.abc import Callable
from typing import Any

from pilot_kernel.task.notebook.staged_task import StagedTask
from pilot_kernel.task.notebook.task_like import TaskLike

__all__ = ["CellTask"]


class CellTask(StagedTask):
    """A cell on its way through the pilot; a `TaskLike`.

    The second task follows the first in the background; neither the notebook nor the engine waits.

    Args:
        name: What the user calls it.
        first: The first task, which has been submitted.
        then: Makes the second task from the value of the first; None if there is no second.
        finish: Makes the value of the cell from that of the last task; runs in the background.
        shipped: The variables that were sent with it, in bytes.
        clean: Shortens the traceback of an error before it is kept.
        outputs: The variables that it brings back when it is done.
    """

    def __init__(
        self,
        name: str,
        first: TaskLike,
        *,
        then: Callable[[Any], TaskLike | None] = lambda value: None,
        finish: Callable[[Any], Any] = lambda value: value,
        shipped: dict[str, int] | None = None,
        clean: Callable[[BaseException], BaseException] = lambda error: error,
        outputs: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, first)
        self.shipped = shipped or {}
        self.outputs = outputs
        self._then = then
        self._finish = finish
        self._clean = clean
        self._follow()

    def _next(self) -> TaskLike | None:
        value = self.stages[-1].result()
        following = self._then(value) if len(self.stages) == 1 else None
        if following is None:
            self.set_result(self._finish(value))
        return following

    def _cleaned(self, error: BaseException) -> BaseException:
        return self._clean(error)
