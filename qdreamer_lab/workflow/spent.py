"""Where the time of a run went: pure arithmetic on when tasks waited, ran and worked."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["KINDS", "Kind", "Span", "Spent", "TaskTimes", "time_spent"]

Kind = Literal["quantum", "classical", "communication"]
"""What work can be: circuits run or simulated; anything else of the user's; data packed or sent."""

KINDS: tuple[Kind, ...] = ("quantum", "classical", "communication")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of work.

    Attributes:
        kind: What it was.
        begun: When it began, unix seconds of the machine that it ran on.
        ended: When it ended.
    """

    kind: Kind
    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class TaskTimes:
    """One task on its way: taken by the agent, begun on a worker, at work there, over.

    Attributes:
        pilot: Name of the pilot that it ran on.
        queued: When the agent took it, unix seconds.
        begun: When a worker began with it.
        ended: When it was over.
        spans: What it did in between; the rest is the middleware's.
        lanes: How many workers it took up.
    """

    pilot: str
    queued: float
    begun: float
    ended: float
    spans: tuple[Span, ...]
    lanes: int = 1

    def doing(self, when: float) -> str:
        """What it does at a moment while it runs."""
        for span in self.spans:
            if span.begun <= when < span.ended:
                return span.kind
        return "overhead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Wall time by what it went to, in seconds: the mean of all workers, so that parts add up.

    Attributes:
        wall_s: From the first submit to the last result.
        quantum_s: Circuits run, simulated or contracted.
        classical_s: Other work of the application: on workers, or in the notebook while a worker
            had nothing else to do.
        communication_s: Arguments and results packed and unpacked; messages of MPI.
        waiting_s: Nothing was ready to be run, since tasks elsewhere had to end first.
        overhead_s: All else: the middleware's.
    """

    wall_s: float = 0.0
    quantum_s: float = 0.0
    classical_s: float = 0.0
    communication_s: float = 0.0
    waiting_s: float = 0.0
    overhead_s: float = 0.0

    @property
    def overhead(self) -> float:
        """The middleware's part of the wall time, between 0 and 1: overhead and communication."""
        return (self.overhead_s + self.communication_s) / self.wall_s if self.wall_s else 0.0

    def parts(self) -> dict[str, float]:
        """Seconds by what they went to, without their sum."""
        return {
            part.name.removesuffix("_s"): getattr(self, part.name)
            for part in fields(self)
            if part.name != "wall_s"
        }


def time_spent(
    begun: float,
    ended: float,
    lanes: Mapping[str, int],
    tasks: Sequence[TaskTimes],
    notebook: Sequence[Span] = (),
) -> Spent:
    """What the time between two moments went to.

    A worker that runs a task does what the task's spans say, or the middleware's part. An idle one
    is the middleware's fault if a task waits that ran on its pilot later. Else it waits for the
    notebook if that is at work, or for other workers; and if nobody does anything, the middleware
    is between two of them.

    Args:
        begun: The first moment, unix seconds.
        ended: The last.
        lanes: How many workers each pilot has, by its name.
        tasks: Every task.
        notebook: What the notebook's own process did.
    """
    sums: dict[str, float] = defaultdict(float)
    capacity = sum(lanes.values())
    moments = _moments(begun, ended, tasks, notebook)
    active: list[TaskTimes] = []
    coming = sorted(tasks, key=lambda task: task.queued, reverse=True)
    open_spans: list[Span] = []
    coming_spans = sorted(notebook, key=lambda span: span.begun, reverse=True)
    for left, right in itertools.pairwise(moments):
        middle = (left + right) / 2
        while coming and coming[-1].queued <= middle:
            active.append(coming.pop())
        active = [task for task in active if task.ended > middle]
        while coming_spans and coming_spans[-1].begun <= middle:
            open_spans.append(coming_spans.pop())
        open_spans = [span for span in open_spans if span.ended > middle]
        here = open_spans[-1].kind if open_spans else None  # the innermost
        for kind, count in _at(middle, lanes, active, here).items():
            sums[kind] += (right - left) * count / capacity
    return Spent(
        wall_s=ended - begun,
        quantum_s=sums["quantum"],
        classical_s=sums["classical"],
        communication_s=sums["communication"],
        waiting_s=sums["waiting"],
        overhead_s=sums["overhead"],
    )


def _moments(
    begun: float, ended: float, tasks: Sequence[TaskTimes], notebook: Sequence[Span]
) -> list[float]:
    """All moments at which something changes."""
    found: set[float] = {begun, ended}
    for task in tasks:
        found.update((task.queued, task.begun, task.ended))
    for span in (*notebook, *(span for task in tasks for span in task.spans)):
        found.update((span.begun, span.ended))
    return sorted(moment for moment in found if begun <= moment <= ended)


def _at(
    when: float, lanes: Mapping[str, int], active: Sequence[TaskTimes], here: str | None
) -> Mapping[str, float]:
    """How many workers do what at one moment; in all as many as there are."""
    counts: dict[str, float] = defaultdict(float)
    anybody = here is not None or any(task.begun <= when for task in active)
    for pilot, workers in lanes.items():
        mine = [task for task in active if task.pilot == pilot]
        running = [task for task in mine if task.begun <= when]
        doing = [(task.doing(when), task.lanes) for task in running]
        # One task may be over before the worker has said so that has begun with the next: work
        # counts first, since there cannot be more of it than there are workers.
        working = sum(width for what, width in doing if what != "overhead")
        share = workers / max(workers, working)
        for what, width in doing:
            if what != "overhead":
                counts[what] += width * share
        idle = workers - working * share
        between = min(idle, sum(width for what, width in doing if what == "overhead"))
        counts["overhead"] += between
        idle -= between
        late = min(idle, sum(task.lanes for task in mine if task.begun > when))
        counts["overhead"] += late
        counts[here or ("waiting" if anybody else "overhead")] += idle - late
    return counts
