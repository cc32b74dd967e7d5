"""How long tasks take on several workers, dealt out as `workload.execution.dispatch` does it.

A simulation in arithmetic: the same pace, the same order, the clock replaced by what each task is
predicted to take.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from qdreamer_lab.workload.execution.pace import TASKS_PER_WORKER, Pace

__all__ = ["Played", "Share", "list_schedule", "play"]


@dataclass(frozen=True, slots=True)
class Share:
    """Work that may be divided into tasks.

    Attributes:
        items: How many there are; 1 cannot be divided.
        work_each: What one item counts where the heaviest goes first.
        seconds_each: What one item takes.
        work_task: What each task counts besides.
        seconds_task: What each task takes besides.
    """

    items: int
    work_each: float
    seconds_each: float
    work_task: float = 0.0
    seconds_task: float = 0.0


@dataclass(frozen=True, slots=True)
class Played:
    """How it went.

    Attributes:
        makespan_s: From the first task's start to the last one's end.
        tasks: Per share, how many tasks it became.
        busy_s: Seconds of all tasks together.
        longest_s: The longest task.
    """

    makespan_s: float
    tasks: tuple[int, ...]
    busy_s: float
    longest_s: float


def play(
    shares: list[Share],
    workers: int,
    *,
    ahead: bool = False,
    most: int | None = None,
    pace: Pace | None = None,
) -> Played:
    """Deal out shares to workers, the one of which most is left first.

    Args:
        shares: The work.
        workers: How many share it.
        ahead: Tasks wait at the workers, as those of a session do even if there is only one.
        pace: What earlier work has taught; learns more.
        most: Tasks under way at once, where a run is held to fewer workers than there are.
    """
    pace = Pace() if pace is None else pace
    left = [share.items for share in shares]
    rest = [n * share.work_each for n, share in zip(left, shares, strict=True)]
    heaviest = [(-rest[k], k) for k, n in enumerate(left) if n]
    heapq.heapify(heaviest)
    tasks = [0] * len(shares)
    free = [0.0] * workers
    heapq.heapify(free)
    flying: list[tuple[float, int, float, float]] = []  # end, number, work, seconds
    clock = busy = longest = 0.0
    number = 0
    depth = TASKS_PER_WORKER * workers if ahead or workers > 1 else 1
    depth = depth if most is None else most
    while heaviest or flying:
        while heaviest and len(flying) < depth:
            place = heaviest[0][1]
            share = shares[place]
            size = pace.size(left[place], share.work_each, sum(rest), workers)
            left[place] -= size
            rest[place] = left[place] * share.work_each
            if left[place]:
                heapq.heapreplace(heaviest, (-rest[place], place))
            else:
                heapq.heappop(heaviest)
            tasks[place] += 1
            seconds = share.seconds_task + size * share.seconds_each
            start = max(clock, heapq.heappop(free))
            heapq.heappush(free, start + seconds)
            work = share.work_task + size * share.work_each
            heapq.heappush(flying, (start + seconds, number, work, seconds))
            number += 1
            busy += seconds
            longest = max(longest, seconds)
        end, _, work, seconds = heapq.heappop(flying)
        clock = max(clock, end)
        pace.saw(work, seconds)
    return Played(clock, tuple(tasks), busy, longest)


def list_schedule(seconds: list[float], workers: int) -> float:
    """Makespan of tasks that are dealt out in this order, each to the first worker that is free."""
    free = [0.0] * workers
    for task_s in seconds:
        heapq.heapreplace(free, free[0] + task_s)
    return max(free)
