"""What changes of a task's record mean, as events for the session's log: pure functions.

- `task-queued`: the agent took a task. `needs` is what a worker must offer (left out: one `CPU`),
  `only` are the workers that it is bound to, `after` is how many tasks it depends on; `workload`
  is what it is a part of, and `priority` is left out if it is 0.
- `task-ready`: the last of those is done.
- `task-started`: a worker has begun with it; told of tasks that take more than a tenth of a second.
- `task-sent-back`: it lost its worker, and waits again.
- `task-died`: what ran it died; `deaths` counts how often that was.
- `task-jobs`: it has sent jobs to the provider of a QPU; `jobs` are device and id of each.
- `task-ended`: it is DONE, FAILED or CANCELED, with all its times, its place, the bytes of its
  result, and how many characters it printed.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["Event", "Records", "changed_event", "queued_event", "ready_event"]

Event = tuple[str, float | None, dict[str, Any]]
"""Kind, time (None: now) and facts, as `EventLog.add` takes them."""

_USUAL = {"CPU": 1}


class Records(OrderedDict[str, TaskRecord]):
    """Records by key; whoever wants to know is told of each that is new or has changed.

    Args:
        told: Called with the record before, if there was one, and the record now.
    """

    def __init__(self, told: Callable[[TaskRecord | None, TaskRecord], None]) -> None:
        super().__init__()
        self._told = told

    def __setitem__(self, key: str, record: TaskRecord) -> None:
        before = self.get(key)
        super().__setitem__(key, record)
        self._told(before, record)


def queued_event(record: TaskRecord, ts: Any, scheduler: Any) -> Event:
    """A task has arrived.

    Args:
        record: Its record.
        ts: What the scheduler has of it.
        scheduler: The scheduler, which knows names of workers.
    """
    facts: dict[str, Any] = {"task": record.key}
    if (needs := ts.resource_restrictions or {}) != _USUAL:
        facts["needs"] = dict(needs)
    if ts.worker_restrictions:
        bound = (scheduler.workers.get(address) for address in ts.worker_restrictions)
        facts["only"] = [str(worker.name) for worker in bound if worker is not None]
    if ts.dependencies:
        facts["after"] = len(ts.dependencies)
    notes = ts.annotations or {}
    if (workload := notes.get("workload")) is not None:
        facts["workload"] = workload
    if priority := notes.get("priority"):
        facts["priority"] = priority
    return "task-queued", record.queued, facts


def ready_event(record: TaskRecord, ts: Any) -> Event | None:
    """All tasks that a task depends on are done; None if it depends on none."""
    return ("task-ready", None, {"task": record.key}) if ts.dependencies else None


def changed_event(before: TaskRecord, now: TaskRecord, result_bytes: int) -> Event | None:
    """What has happened to a task; None if nothing of note.

    Args:
        before: Its record before.
        now: Its record now.
        result_bytes: The size of its result, if it is done.
    """
    if before.state.final:
        return None
    if now.state.final:
        return "task-ended", now.finished, _ended(now, result_bytes)
    if now.state is TaskState.RUNNING and before.state is not TaskState.RUNNING:
        return "task-started", now.started, {"task": now.key, **_place(now)}
    if before.state is TaskState.RUNNING and now.state is TaskState.WAITING:
        return "task-sent-back", None, {"task": now.key, **_place(now), "deaths": now.deaths}
    if now.jobs != before.jobs:
        known = set(before.jobs)
        return "task-jobs", None, {"task": now.key, "jobs": [j for j in now.jobs if j not in known]}
    if now.deaths > before.deaths:
        return "task-died", None, {"task": now.key, **_place(now), "deaths": now.deaths}
    return None


def _ended(now: TaskRecord, result_bytes: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "task": now.key,
        "state": now.state.value,
        "queued": round(now.queued, 4),
        **_place(now),
    }
    if now.started is not None and now.worker is not None:
        facts["started"] = round(now.started, 4)
    if now.state is TaskState.DONE:
        facts["bytes"] = result_bytes
    if now.deaths:
        facts["deaths"] = now.deaths
    if now.output_bytes:
        facts["printed"] = now.output_bytes
    return facts


def _place(now: TaskRecord) -> dict[str, Any]:
    return {} if now.worker is None else {"worker": now.worker, "pilot": now.pilot}
