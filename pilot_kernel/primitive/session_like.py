"""What the primitives need of a session, and nothing else."""

from collections.abc import Callable
from typing import Any, Protocol

from pilot_kernel.resource.pilot import PilotStatus
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions

__all__ = ["SessionLike"]


class SessionLike(Protocol):
    """Something that has pilots and takes tasks: a `Session`."""

    def candidates(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task."""
        ...

    def submit_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions = DEFAULT_OPTIONS,
    ) -> Task:
        """Submit a call, as `Session.submit_call` does."""
        ...
