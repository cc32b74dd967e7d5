"""The figures of a report, from a timeline: pilots, workers and tasks as plain numbers."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pilot_kernel.sessions.reports.timeline import PilotLine, TaskLine, Timeline, WorkerLine
from pilot_kernel.sessions.reports.usage import Use, use_of, worker_uses
from pilot_kernel.task.wire.record import TaskState

__all__ = ["Figures", "PilotFigures", "Spread", "WorkerFigures", "figures"]


@dataclass(frozen=True)
class Spread:
    """Durations of tasks, in seconds.

    Attributes:
        median: Half of them are shorter.
        most: The longest; both are None if there is none.
        total: Their sum.
    """

    median: float | None
    most: float | None
    total: float


@dataclass(frozen=True)
class WorkerFigures:
    """One worker.

    Attributes:
        name: Its name.
        pilot: Name of its pilot.
        came: When it first came, unix seconds.
        use: What it did.
    """

    name: str
    pilot: str | None
    came: float | None
    use: Use


@dataclass(frozen=True)
class PilotFigures:
    """One pilot.

    Attributes:
        name: Its name.
        resource: URL of its resource.
        state: Its state, as last told.
        note: The last word on how it was doing.
        added: When it was added, unix seconds.
        came: When the first of its workers came; None if none did.
        workers: How many workers it has had.
        use: What they did, together.
        waited: How long those tasks had waited that it did.
        ran: How long they ran.
    """

    name: str
    resource: str
    state: str
    note: str
    added: float
    came: float | None
    workers: int
    use: Use
    waited: Spread
    ran: Spread


@dataclass(frozen=True)
class Figures:
    """A session between two times.

    Attributes:
        begin: From when, unix seconds.
        end: Until when.
        pilots: In the order in which they were added.
        workers: By pilot and number.
        use: What all workers did, together.
        states: How many tasks there were, by their state.
        deaths: How often a worker or a process died that ran a task.
        waited: How long tasks waited for a worker, from when they could have begun.
        ran: How long those ran that are done.
        result_bytes: Size of all results.
    """

    begin: float
    end: float
    pilots: tuple[PilotFigures, ...]
    workers: tuple[WorkerFigures, ...]
    use: Use
    states: dict[TaskState, int]
    deaths: int
    waited: Spread
    ran: Spread
    result_bytes: int

    @property
    def tasks(self) -> int:
        """How many tasks there were."""
        return sum(self.states.values())


def figures(line: Timeline, begin: float, end: float) -> Figures:
    """The figures of what happened between two times.

    Args:
        line: What happened.
        begin: From when, unix seconds.
        end: Until when; tasks that were taken after that are left out, as are those that had
            ended before the beginning.
    """
    uses = worker_uses(line, begin, end)
    tasks = [
        task
        for task in line.tasks.values()
        if task.queued <= end and (task.finished is None or task.finished > begin)
    ]
    pilots = list(line.pilots)
    workers = sorted(
        (w for w in line.workers.values() if any(_meets(span, begin, end) for span in w.up)),
        key=lambda worker: (_place(pilots, worker.pilot), _in_order(worker)),
    )
    return Figures(
        begin=begin,
        end=end,
        pilots=tuple(
            _pilot(pilot, [w for w in workers if w.pilot == pilot.name], uses, tasks)
            for pilot in line.pilots.values()
            if pilot.added <= end and (pilot.stopped is None or pilot.stopped > begin)
        ),
        workers=tuple(
            WorkerFigures(worker.name, worker.pilot, _came([worker]), uses[worker.name])
            for worker in workers
        ),
        use=use_of(uses.values()),
        states=dict(Counter(task.state for task in tasks)),
        deaths=sum(task.deaths for task in tasks),
        waited=_waited(tasks),
        ran=_ran(tasks),
        result_bytes=sum(task.result_bytes or 0 for task in tasks),
    )


def _meets(span: tuple[float, float], begin: float, end: float) -> bool:
    return span[0] < end and span[1] > begin


def _place(order: list[str], pilot: str | None) -> int:
    return order.index(pilot) if pilot in order else len(order)


def _in_order(worker: WorkerLine) -> tuple[tuple[int, str], ...]:
    """So that worker 10 comes after worker 9."""
    words = re.split(r"(\d+)", worker.name)
    return tuple((int(word), "") if word.isdecimal() else (-1, word) for word in words)


def _came(workers: Iterable[WorkerLine]) -> float | None:
    return min((span[0] for worker in workers for span in worker.up), default=None)


def _pilot(
    pilot: PilotLine, workers: list[WorkerLine], uses: dict[str, Use], tasks: list[TaskLine]
) -> PilotFigures:
    mine = [task for task in tasks if task.pilot == pilot.name]
    return PilotFigures(
        name=pilot.name,
        resource=pilot.resource,
        state=pilot.state,
        note=pilot.note,
        added=pilot.added,
        came=_came(workers),
        workers=len(workers),
        use=use_of(uses[worker.name] for worker in workers),
        waited=_waited(mine),
        ran=_ran(mine),
    )


def _waited(tasks: list[TaskLine]) -> Spread:
    begun = (task for task in tasks if task.started is not None)
    return _spread(task.waited_s for task in begun)


def _ran(tasks: list[TaskLine]) -> Spread:
    return _spread(
        task.ran_s for task in tasks if task.state is TaskState.DONE and task.ran_s is not None
    )


def _spread(durations: Iterable[float]) -> Spread:
    known = list(durations)
    if not known:
        return Spread(None, None, 0.0)
    return Spread(statistics.median(known), max(known), sum(known))
