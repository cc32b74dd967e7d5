"""How much work to put into the next task, from what the work has cost so far.

Small tasks waste time on their way, large ones leave workers idle at the end. Pure arithmetic; it
must not know what the work is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["TASKS_PER_WORKER", "TASK_S", "Pace"]

TASKS_PER_WORKER = 3
"""One runs and the others are ready when it ends; more would only wait in the agent's memory."""

TASK_S = 0.3
"""How long a task should take, in seconds."""

_GUESS_S = 1e-9
"""Seconds per unit of work before anything was measured: a floating-point operation on one core."""

_FIRST_SHARE = 0.25
"""As long as the cost is a guess, tasks aim at this part of the target only."""

_LEAST_S = 0.04
"""Tasks are not made shorter for the sake of balance: sending one and its result takes 10 ms."""

_MEMORY = 0.7
"""Weight of what was known when something new is measured; recent tasks count most."""


@dataclass(slots=True)
class Pace:
    """Seconds per unit of work, learned from finished tasks.

    Attributes:
        target_s: How long a task should take; infinite where every task has a price of its own, as
            on a device. Then nothing is learned, and each worker gets as few as there can be.
        alone: One task takes all of it, however many workers there are.
    """

    target_s: float = TASK_S
    alone: bool = False
    _work: float = 0.0
    _seconds: float = 0.0
    _first: float = 0.0

    @property
    def seconds_per_work(self) -> float:
        """What one unit of work takes, as far as is known."""
        return self._seconds / self._work if self._work > 0 else _GUESS_S

    def saw(self, work: float, seconds: float) -> None:
        """Learn from a task."""
        if work > 0 and self.target_s < math.inf:
            self._work = _MEMORY * self._work + work
            self._seconds = _MEMORY * self._seconds + max(seconds, 1e-9)

    def size(self, remaining: int, work_each: float, rest: float, workers: int) -> int:
        """How many items the next task should hold.

        Args:
            remaining: Items there are, at least 1.
            work_each: Work of one item.
            rest: Work that has not been handed out yet, these items included.
            workers: How many share it; no task gets more than its part.

        Returns:
            At least 1 and at most `remaining`.
        """
        if self.alone:
            return remaining
        workers = max(1, workers)
        pace = self.seconds_per_work
        if self._work > 0:
            wanted = min(self.target_s, max(_LEAST_S, rest * pace / workers)) / pace
        else:  # equal parts: those of what is left would become smaller and smaller
            self._first = max(self._first, rest)
            wanted = min(self.target_s * _FIRST_SHARE / pace, self._first / workers)
        return max(1, min(remaining, math.ceil(min(wanted / max(work_each, 1e-300), remaining))))
