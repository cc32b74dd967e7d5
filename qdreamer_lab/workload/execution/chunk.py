"""A piece of work on its way to a worker, and what is told of it when it is done.

Descriptions only; nothing is submitted or run here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Chunk", "Divisible", "FragmentRow", "Keep"]


@dataclass(frozen=True, eq=False, slots=True)
class Chunk:
    """A task to be.

    Attributes:
        binding: Which set of parameter values it belongs to.
        fragment: Id in the plan.
        width: Qubits.
        variants: State vectors or circuits in it.
        work: Rough floating-point operations.
        function: What to call; its result has `seconds`, the wall time where it ran.
        args: Its arguments.
        suffix: Added to the name `fragment-{fragment}` to tell tasks apart.
        shots: Shots that it takes.
        threads: Whether its function makes use of several cores.
    """

    binding: int
    fragment: int
    width: int
    variants: int
    work: float
    function: Callable[..., Any]
    args: tuple[Any, ...]
    suffix: str = ""
    shots: int = 0
    threads: bool = False

    @property
    def name(self) -> str:
        """What its task is called."""
        return f"fragment-{self.fragment}{self.suffix}"


class Divisible(Protocol):
    """Work of which any number of variants can be taken at a time."""

    @property
    def remaining(self) -> int:
        """Variants not taken yet."""

    @property
    def work_per_variant(self) -> float:
        """Rough floating-point operations of one of them."""

    def take(self, number: int) -> Chunk:
        """The next chunk, of so many variants; 1 ≤ `number` ≤ `remaining`."""


@dataclass(frozen=True, slots=True)
class FragmentRow:
    """What became of one chunk.

    Attributes:
        binding: Which set of parameter values it belongs to.
        fragment: Id in the plan.
        width: Qubits.
        variants: State vectors or circuits in it.
        seconds: Wall time where it ran.
        worker: Name of the worker, empty if it ran in this process.
        pilot: Name of the pilot, empty if it ran in this process.
        shots: Shots taken.
        start: When it began, in seconds since 1970; None if it ran in this process.
        cores: Cores that it asked for, if those were more than a worker has; else 1.
        device: Name of the device that ran its circuits, empty if simulators did.
    """

    binding: int
    fragment: int
    width: int
    variants: int
    seconds: float
    worker: str
    pilot: str
    shots: int = 0
    start: float | None = None
    cores: int = 1
    device: str = ""


Keep = Callable[[Chunk, Any, FragmentRow], None]
"""Takes a chunk, its result, and the row about it."""
