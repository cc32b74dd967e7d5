"""How a task is submitted: where it may run, what it is called, how often and how long it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.handle import Task

__all__ = ["DEFAULT_OPTIONS", "TaskOptions"]


@dataclass(frozen=True)
class TaskOptions:
    """The options of `Session.submit`, and those of work in several parts.

    Attributes:
        on: A kind of worker (`cpu`, `gpu`, `qpu`) or a pilot's name; any CPU by default.
        name: What to call the task; the function's name by default.
        retries: How many workers may die running it before it fails; 2 by default.
        timeout_s: Seconds that it may run.
        parts: The tasks whose results this one joins.
        part: Whether it is one of those, and does not show among the session's tasks.

    Raises:
        PilotError: `retries` or `timeout_s` is no number of workers or seconds.
    """

    on: str | None = None
    name: str | None = None
    retries: int | None = None
    timeout_s: float | None = None
    parts: Sequence[Task] = ()
    part: bool = False

    def __post_init__(self) -> None:
        if self.timeout_s is not None and self.timeout_s <= 0:
            raise PilotError(f"timeout_s={self.timeout_s}: more than zero seconds")
        if self.retries is not None and self.retries < 0:
            raise PilotError(f"retries={self.retries}: zero or more")

    def named(self, name: str) -> Self:
        """The same options, with a name where there is none."""
        return self if self.name else replace(self, name=name)

    def keywords(self) -> dict[str, Any]:
        """As keyword arguments of `Session.submit` and `Session.run`."""
        return {
            "on": self.on,
            "name": self.name,
            "retries": self.retries,
            "timeout_s": self.timeout_s,
        }


DEFAULT_OPTIONS = TaskOptions()
"""Any CPU, and all else as the session has it."""
