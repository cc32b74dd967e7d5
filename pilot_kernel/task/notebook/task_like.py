"""What all futures of the pilot have in common, whoever does the work behind them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pilot_kernel.task.notebook.handle import Output
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["TaskLike"]


class TaskLike(Protocol):
    """A task as it is waited for, listed, shown and canceled.

    Every one is a `concurrent.futures.Future` too: a `Task` on a worker, the task of a cell, which
    goes through several stages, or work that this process does itself.
    """

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    @property
    def key(self) -> str:
        """By which it can be asked for; the name and something unique."""
        ...

    @property
    def begun(self) -> float:
        """When it was submitted, unix seconds."""
        ...

    @property
    def output(self) -> Output:
        """What it has printed and displayed so far."""
        ...

    @property
    def state(self) -> TaskState:
        """Its state."""
        ...

    @property
    def record(self) -> TaskRecord:
        """When it was queued, started and finished, and where; the agent may be asked."""
        ...

    @property
    def progress(self) -> tuple[int, int]:
        """How many of its parts are done, and how many there are."""
        ...

    @property
    def deaths(self) -> int:
        """How many workers died running it."""
        ...

    @property
    def stages(self) -> Sequence["TaskLike"]:
        """The tasks that it goes through one after the other, up to the present one."""
        ...

    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        ...

    def cancelled(self) -> bool:
        """Whether it was canceled."""
        ...

    def cancel(self) -> bool:
        """Cancel it, even while it runs; False if it was already done."""
        ...

    def result(self, timeout: float | None = None) -> Any:
        """Wait for its value; raises what it raised."""
        ...

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for its end; what it raised, if it did."""
        ...

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        """Call `fn` with it when it has ended."""
        ...
