"""A run played through on other numbers of workers: the trace's waits, times by arithmetic.

The notebook submits a task once it has heard what it had to hear, and has done what it did then;
workers take what has waited longest. That is how the agent binds the tasks of one run.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qdreamer_lab.workflow.trace import Trace, Traced

__all__ = ["Pace", "fitted", "replayed_s"]

_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Pace:
    """What the middleware takes, and what does not become less where work is divided.

    Attributes:
        interval_s: Between one task that leaves the notebook and the next, at least.
        handover_s: Between two tasks of a worker, and before the notebook hears of one's end.
        fixed_s: What each part of divided work takes, however small it is.
    """

    interval_s: float = 0.0
    handover_s: float = 0.0
    fixed_s: float = 0.0


def fitted(trace: Trace, interval_s: float) -> Pace:
    """The pace with which a trace from one worker takes as long as it took.

    Args:
        trace: Of a run on one worker.
        interval_s: As in `Pace`.
    """
    fixed_s = _fixed_s(trace)
    low, high = 0.0, trace.wall_s / max(1, len(trace.tasks))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        took = replayed_s(trace, 1, Pace(interval_s, middle, fixed_s))
        low, high = (middle, high) if took < trace.wall_s else (low, middle)
    return Pace(interval_s, low, fixed_s)


def _fixed_s(trace: Trace) -> float:
    """Of divided work's times, what they would be for nothing: by a line through two sizes."""
    by_amount: dict[float, list[float]] = {}
    for task in trace.tasks:
        if task.portion.items > 1:
            by_amount.setdefault(task.portion.amount, []).append(task.busy_s)
    if len(by_amount) < 2:
        return 0.0
    small, large = min(by_amount), max(by_amount)
    small_s, large_s = median(by_amount[small]), median(by_amount[large])
    slope = max(0.0, (large_s - small_s) / (large - small))
    return max(0.0, small_s - slope * small)


def replayed_s(trace: Trace, workers: int, pace: Pace = Pace()) -> float:
    """Wall time of a run on a number of workers.

    Args:
        trace: What had to wait for what.
        workers: How many.
        pace: The middleware's.
    """
    tasks = _divided(trace.tasks, workers, pace.fixed_s)
    play = _Play(tasks, workers, pace)
    return play.end() + trace.tail_s


def _divided(tasks: tuple[Traced, ...], workers: int, fixed_s: float) -> list[Traced]:
    """The tasks with those divided that can be; whoever waits for one waits for all its parts."""
    made: list[Traced] = []
    parts_of: list[tuple[int, ...]] = []
    for task in tasks:
        heard = tuple(part for k in task.heard for part in parts_of[k])
        inputs = tuple(part for k in task.inputs for part in parts_of[k])
        previous = None if task.previous is None else parts_of[task.previous][-1]
        count = min(workers, task.portion.items)
        sizes = [len(part) for part in np.array_split(np.arange(task.portion.items), count)]
        fixed = min(fixed_s, task.busy_s) if task.portion.items > 1 else 0.0
        mine = []
        for number, size in enumerate(sizes):
            busy_s = fixed + (task.busy_s - fixed) * size / task.portion.items
            part = replace(task, heard=heard, inputs=inputs, previous=previous, busy_s=busy_s)
            made.append(part if number == 0 else replace(part, heard=(), gap_s=0.0))
            previous = len(made) - 1
            mine.append(previous)
        parts_of.append(tuple(mine))
    return made


class _Play:
    """A clock that goes from event to event."""

    def __init__(self, tasks: list[Traced], workers: int, pace: Pace) -> None:
        self._tasks, self._pace = tasks, pace
        self._idle = workers
        self._events: list[tuple[float, int, str, int]] = []
        self._count = 0
        self._waiting: deque[int] = deque()
        self._left_s = 0.0
        self._before_submit = [len({*t.heard}) + (t.previous is not None) for t in tasks]
        self._before_start = [len({*t.inputs}) + 1 for t in tasks]  # one for its submit
        self._followers: list[list[int]] = [[] for _ in tasks]
        self._hearers: list[list[int]] = [[] for _ in tasks]
        self._takers: list[list[int]] = [[] for _ in tasks]
        for number, task in enumerate(tasks):
            if task.previous is not None:
                self._followers[task.previous].append(number)
            for one in {*task.heard}:
                self._hearers[one].append(number)
            for one in {*task.inputs}:
                self._takers[one].append(number)

    def end(self) -> float:
        """When the last result is heard."""
        for number, missing in enumerate(self._before_submit):
            if not missing:
                self._at(self._tasks[number].gap_s, "submit", number)
        now = 0.0
        while self._events:
            now, _, what, number = heapq.heappop(self._events)
            if what == "submit":
                self._left_s = max(now, self._left_s + self._pace.interval_s)
                self._at(self._left_s, "left", number)
            elif what == "left":
                self._told(self._followers[number], now)
                self._given(number)
            else:
                self._idle += 1
                self._told(self._hearers[number], now)
                for taker in self._takers[number]:
                    self._given(taker)
            while self._idle and self._waiting:
                first = self._waiting.popleft()
                self._idle -= 1
                busy_s = self._tasks[first].busy_s + self._pace.handover_s
                self._at(now + busy_s, "over", first)
        return now

    def _told(self, others: list[int], now: float) -> None:
        """One thing less that these are submitted after."""
        for other in others:
            self._before_submit[other] -= 1
            if not self._before_submit[other]:
                self._at(now + self._tasks[other].gap_s, "submit", other)

    def _given(self, number: int) -> None:
        """One thing less that this one starts after."""
        self._before_start[number] -= 1
        if not self._before_start[number]:
            self._waiting.append(number)

    def _at(self, when: float, what: str, number: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, what, number))
