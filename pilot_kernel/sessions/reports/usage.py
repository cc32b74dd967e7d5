"""How well workers were used: arithmetic on a timeline.

*Utilisation* is the share of a worker's seconds in which it ran a task, of those seconds in which
it was up while at least one task that could run there waited or ran. A task that waits for other
tasks could not run, and nothing new can on a worker that is to take no more. *Under load* is the
same, of the seconds in which such a task waited: it leaves out the end of a run, when there is
nothing left to begin.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pilot_kernel.sessions.reports.intervals import (
    Span,
    Spans,
    clipped,
    common,
    length,
    union,
    without,
)
from pilot_kernel.sessions.reports.timeline import TaskLine, Timeline, WorkerLine
from pilot_kernel.task.wire.record import TaskState

__all__ = ["Use", "use_of", "worker_uses"]

_Needs = tuple[tuple[tuple[str, float], ...], tuple[str, ...] | None]


@dataclass(frozen=True)
class Use:
    """What a worker did, or several; all in seconds of one worker.

    Attributes:
        up_s: How long it was up.
        wanted_s: How long of that at least one task that could run there waited or ran.
        busy_s: How long it ran tasks.
        load_s: How long it was up while at least one task that could run there waited.
        busy_load_s: How long of that it ran tasks.
        done: Tasks that it did.
        failed: Tasks that failed there, or were canceled as they ran.
        lost: Tasks that lost it as they ran, and had to wait again.
    """

    up_s: float = 0.0
    wanted_s: float = 0.0
    busy_s: float = 0.0
    load_s: float = 0.0
    busy_load_s: float = 0.0
    done: int = 0
    failed: int = 0
    lost: int = 0

    @property
    def utilisation(self) -> float | None:
        """Busy worker-seconds per wanted ones; None if there were none."""
        return min(1.0, self.busy_s / self.wanted_s) if self.wanted_s > 0 else None

    @property
    def under_load(self) -> float | None:
        """The same, while tasks waited for it; None if none ever did."""
        return min(1.0, self.busy_load_s / self.load_s) if self.load_s > 0 else None


def use_of(uses: Iterable[Use]) -> Use:
    """The sum over several workers."""
    rows = list(uses)
    return Use(
        **{name: sum(getattr(use, name) for use in rows) for name in Use.__dataclass_fields__}
    )


def worker_uses(line: Timeline, begin: float, end: float) -> dict[str, Use]:
    """How each worker was used between two times.

    Args:
        line: What happened.
        begin: From when, unix seconds.
        end: Until when.
    """
    wanted, waited = _demands(line.tasks.values(), line.end)
    return {
        name: _use(worker, _fitting(worker, wanted), _fitting(worker, waited), begin, end)
        for name, worker in line.workers.items()
    }


def _use(worker: WorkerLine, wanted: Spans, waited: Spans, begin: float, end: float) -> Use:
    up = clipped(union(worker.up), begin, end)
    here = [each for each in worker.attempts if begin < each.end <= end]
    # A worker's last word on its tasks may be newer than the agent's on the worker.
    spans = union((each.begin, each.end) for each in worker.attempts)
    busy = common(spans, up)
    taking = without(up, union(worker.leaving))
    load = common(taking, waited)
    outcomes = [each.outcome for each in here]
    return Use(
        up_s=length(up),
        wanted_s=length(union((*common(taking, wanted), *busy))),
        busy_s=length(busy),
        load_s=length(load),
        busy_load_s=length(common(busy, load)),
        done=outcomes.count(TaskState.DONE),
        failed=outcomes.count(TaskState.FAILED) + outcomes.count(TaskState.CANCELED),
        lost=outcomes.count(TaskState.WAITING),
    )


def _demands(
    tasks: Iterable[TaskLine], end: float
) -> tuple[Mapping[_Needs, Spans], Mapping[_Needs, Spans]]:
    """When tasks with certain needs waited or ran, and when they waited."""
    wanted: dict[_Needs, list[Span]] = defaultdict(list)
    waited: dict[_Needs, list[Span]] = defaultdict(list)
    for task in tasks:
        needs = (tuple(sorted(task.needs.items())), task.only)
        if task.ready is not None:
            until = end if task.finished is None else task.finished
            wanted[needs].append((task.ready, until))
        waited[needs] += task.waits
    return (
        {needs: union(spans) for needs, spans in wanted.items()},
        {needs: union(spans) for needs, spans in waited.items()},
    )


def _fitting(worker: WorkerLine, demands: Mapping[_Needs, Spans]) -> Spans:
    """When there was demand for this worker."""
    return union(span for needs, spans in demands.items() if _fits(worker, needs) for span in spans)


def _fits(worker: WorkerLine, needs: _Needs) -> bool:
    words, only = needs
    if only is not None and worker.name not in only:
        return False
    return all(worker.offers.get(word, 0) >= amount for word, amount in words)
