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

_OFF_S = 0.25
"""From when on two clocks are not the same: a submit takes milliseconds."""


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
) -> list[TaskTimes]:
    """The times of all tasks that ran.

    Args:
        works: The tasks, in the order of their numbers.
        records: What the agent knows of them, by their keys.
        told: What workers told of them, by their numbers.
        pilots: Those that they could go to.
    """
    wide = {pilot.name: max(1, pilot.cores_per_worker) for pilot in pilots}
    by_number = {work.number: records.get(work.task.key) for work in works}
    ahead = _agents_clock(works, records)
    found = []
    for work in works:
        record = by_number[work.number]
        if record is None or record.started is None or record.finished is None:
            continue
        # It could not have begun before what it takes was there.
        before = [one.finished for k in work.inputs if (one := by_number.get(k)) is not None]
        ready = max([record.queued, *(each for each in before if each is not None)])
        spans = told[work.number].spans if work.number in told else ()
        lanes = -(-work.cores // wide.get(record.pilot or "", work.cores))
        found.append(
            _times(replace(record, queued=min(ready, record.started)), spans, lanes, ahead)
        )
    return found


def _agents_clock(works: Sequence[Sent], records: Mapping[str, TaskRecord]) -> float:
    """By how much the agent's clock is ahead of the notebook's, which is on another machine.

    A task is with the agent as soon as it was submitted, in the best case.
    """
    waits = [
        records[work.task.key].queued - work.submitted for work in works if work.task.key in records
    ]
    off = min(waits, default=0.0)
    return off if abs(off) > _OFF_S else 0.0


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
    times = (each - ahead for each in (record.queued, record.started, record.finished))
    return TaskTimes(record.pilot or "", *times, moved, lanes)
