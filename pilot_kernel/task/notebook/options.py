"""How a task is submitted: where it may run, what it is called, how often and how long it runs."""

import math
import numbers
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.placement import Needs

__all__ = ["DEFAULT_OPTIONS", "TaskOptions"]

_MOST = 10**9 - 1  # larger numbers cannot be sent to the agent at some point


@dataclass(frozen=True)
class TaskOptions:
    """The options of `Session.submit`, and those of work in several parts.

    Attributes:
        on: A kind of worker (`cpu`, `gpu`, `qpu`) or a pilot's name; any CPU by default.
        name: What to call the task; the function's name by default.
        retries: How many workers may die running it before it fails; 2 by default.
        timeout_s: Seconds that it may run.
        cores: Cores that it has at least, of one worker or of several on a node.
        memory_bytes: Memory that its worker may use at least.
        gpus: GPUs that its worker has: none, or one.
        tags: Words that its worker's pilot was given.
        priority: The higher, the sooner it is begun; 0 by default.
        workload: What it is a part of; workloads share workers fairly. By default all that a
            notebook or script submits is one workload.
        parts: The tasks whose results this one joins.
        worker: Address of the only worker that it may run on; any that fits by default.
        part: Whether it is one of those, and does not show among the session's tasks.

    Raises:
        PilotError: `retries` or `timeout_s` is no number of workers or seconds, `priority` no whole
            number, or `workload` no text.
        PlacementError: A size or tag is impossible.
    """

    on: str | None = None
    name: str | None = None
    retries: int | None = None
    timeout_s: float | None = None
    cores: int | None = None
    memory_bytes: int | None = None
    gpus: int | None = None
    tags: Sequence[str] = ()
    priority: int = 0
    workload: str | None = None
    worker: str | None = None
    parts: Sequence[Task] = ()
    part: bool = False

    def __post_init__(self) -> None:
        if self.timeout_s is not None:
            object.__setattr__(self, "timeout_s", _seconds(self.timeout_s))
        if self.retries is not None:
            retries = _whole(self.retries)
            if retries is None or not 0 <= retries <= _MOST:
                raise PilotError(f"retries={self.retries!r}: a whole number, zero or more")
            object.__setattr__(self, "retries", retries)
        priority = _whole(self.priority)
        if priority is None or not -_MOST <= priority <= _MOST:
            raise PilotError(
                f"priority={self.priority!r}: a whole number, of nine digits at most; higher ones "
                "are first"
            )
        object.__setattr__(self, "priority", priority)
        for key in ("name", "workload"):
            value = getattr(self, key)
            if value is not None and not _is_text(value):
                raise PilotError(f"{key}={value!r}: some text, or None")
        object.__setattr__(self, "tags", self.needs.tags)

    @property
    def needs(self) -> Needs:
        """What it needs of its worker, besides what `on` says."""
        return Needs(self.cores, self.memory_bytes, self.gpus, self.tags, self.timeout_s)

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
            "cores": self.cores,
            "memory_bytes": self.memory_bytes,
            "gpus": self.gpus,
            "tags": self.tags,
            "priority": self.priority,
            "workload": self.workload,
        }


def _is_text(value: Any) -> bool:
    """Whether something is text that can be sent."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True


def _whole(value: Any) -> int | None:
    """A whole number, of Python's or NumPy's kind; None if it is none."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _seconds(value: Any) -> float:
    """More than zero seconds, as a plain number."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise PilotError(f"timeout_s={value!r}: a number of seconds, more than zero")
    return float(value)


DEFAULT_OPTIONS = TaskOptions()
"""Any CPU, and all else as the session has it."""
