"""When tasks waited, ran and worked: what three machines tell, put on the notebook's clock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from qdreamer_lab.workflow.spent import Span, TaskTimes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilot_kernel.resource.pilot import PilotStatus
    from pilot_kernel.task.wire.record import TaskRecord
    from qdreamer_lab.workflow.timed_call import Told

__all__ = ["task_times"]


class Sent(Protocol):
    """A task of a run, as `qdreamer_lab.workflow.run.Work` is one."""

    task: Any
    number: int
    inputs: tuple[int, ...]
    cores: int
    submitted: float


def task_times(
    works: Sequence[Sent],
    records: Mapping[str, TaskRecord],
    told: Mapping[int, Told],
    pilots: Sequence[PilotStatus],
    ended: float,
) -> dict[int, TaskTimes]:
    """The times of all tasks that ran, by their numbers.

    Args:
        works: The tasks, in the order of their numbers.
        records: What the agent knows of them, by their keys.
        told: What workers told of them, by their numbers.
        pilots: Those that they could go to.
        ended: When the last of their results was here, unix seconds of the notebook's machine.
    """
    wide = {pilot.name: max(1, pilot.cores_per_worker) for pilot in pilots}
    by_number = {work.number: records.get(work.task.key) for work in works}
    ahead = _agents_clock(works, records, told, ended)
    found = {}
    for work in works:
        record = by_number[work.number]
        if record is None or record.started is None or record.finished is None:
            continue
        # It could not have begun before what it takes was there.
        before = [one.finished for k in work.inputs if (one := by_number.get(k)) is not None]
        ready = max([record.queued, *(each for each in before if each is not None)])
        spans = told[work.number].spans if work.number in told else ()
        lanes = -(-work.cores // wide.get(record.pilot or "", work.cores))
        record = replace(record, queued=min(ready, record.started))
        found[work.number] = _times(record, spans, lanes, ahead)
    return found


def _agents_clock(
    works: Sequence[Sent],
    records: Mapping[str, TaskRecord],
    told: Mapping[int, Told],
    ended: float,
) -> float:
    """By how much the agent's clock is ahead of the notebook's, at least; 0 if it may be right.

    No task is with the agent before it was submitted, and none is over after its result was here.
    """
    known = [(work, records[work.task.key]) for work in works if work.task.key in records]
    most = min((record.queued - work.submitted for work, record in known), default=0.0)
    over = (record.finished for work, record in known if work.number in told and record.finished)
    least = max((finished - ended for finished in over), default=0.0)
    return most if most < 0 else max(0.0, least)


def _times(record: TaskRecord, spans: tuple[Span, ...], lanes: int, ahead: float) -> TaskTimes:
    """A task's times, on the notebook's clock.

    Args:
        record: On the agent's clock.
        spans: On the worker's, which is off if they stick out.
        lanes: How many workers it took up.
        ahead: By how much the agent's clock is ahead of the notebook's.
    """
    assert record.started is not None
    assert record.finished is not None
    off = 0.0
    if spans and not record.started <= spans[0].begun <= spans[-1].ended <= record.finished:
        off = record.finished - spans[-1].ended
    off -= ahead
    moved = tuple(replace(s, begun=s.begun + off, ended=s.ended + off) for s in spans)
    return TaskTimes(
        pilot=record.pilot or "",
        queued=record.queued - ahead,
        begun=record.started - ahead,
        ended=record.finished - ahead,
        spans=moved,
        lanes=lanes,
    )
