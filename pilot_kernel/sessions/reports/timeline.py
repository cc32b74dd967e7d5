"""What happened in a session, in order: its pilots, workers and tasks over time.

Read from events, as they are in the session's log. Workers tell when tasks began and ended, by the
agent's clock as far as they know it: to milliseconds, and to tenths of a second under heavy load.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilot_kernel.sessions.reports.intervals import Span
from pilot_kernel.task.wire.record import TaskState, task_name

__all__ = ["Attempt", "PilotLine", "TaskLine", "Timeline", "WorkerLine", "read_timeline"]

_USUAL: Mapping[str, float] = {"CPU": 1}


@dataclass(frozen=True)
class Attempt:
    """A task at a worker, from when to when, unix seconds.

    Attributes:
        task: Key of the task.
        worker: Name of the worker.
        begin: When it began there.
        end: When it ended there, or when the timeline does.
        outcome: How it ended; WAITING if the task lost its worker, RUNNING if it had not ended.
    """

    task: str
    worker: str
    begin: float
    end: float
    outcome: TaskState


@dataclass
class TaskLine:
    """One task. Times are unix seconds, and None as long as it has not come to that.

    Attributes:
        key: Unique id.
        queued: When the agent took it.
        needs: What a worker must offer to run it.
        only: Names of the workers that it is bound to, if it is.
        state: Its state at the end of the timeline.
        ready: When all that it depends on was done.
        started: When a worker began with it, the last time.
        finished: When it ended.
        worker: Name of the worker that has or had it.
        pilot: Name of that worker's pilot.
        waits: When it was ready and no worker had begun with it.
        deaths: How many workers or processes died running it.
        result_bytes: Size of its result.
        printed: How many characters it has printed.
        workload: What it belongs to, if that was said.
    """

    key: str
    queued: float
    needs: Mapping[str, float] = field(default_factory=lambda: _USUAL)
    only: tuple[str, ...] | None = None
    state: TaskState = TaskState.WAITING
    ready: float | None = None
    started: float | None = None
    finished: float | None = None
    worker: str | None = None
    pilot: str | None = None
    waits: list[Span] = field(default_factory=list)
    deaths: int = 0
    result_bytes: int | None = None
    printed: int = 0
    workload: str | None = None

    @property
    def name(self) -> str:
        """What the user calls it."""
        return task_name(self.key)

    @property
    def waited_s(self) -> float:
        """Seconds in which it was ready and no worker had begun with it."""
        return sum(end - begin for begin, end in self.waits)

    @property
    def ran_s(self) -> float | None:
        """Seconds between being begun, the last time, and ending."""
        if self.started is None or self.finished is None:
            return None
        return self.finished - self.started


@dataclass
class WorkerLine:
    """One worker, by its name: one that died and was brought back is the same.

    Attributes:
        name: Its name.
        pilot: Name of its pilot.
        offers: What it offers, as tasks need it.
        up: When it was up.
        leaving: When it was up and to take no more tasks.
        attempts: The tasks that it had.
    """

    name: str
    pilot: str | None
    offers: Mapping[str, float]
    up: list[Span] = field(default_factory=list)
    leaving: list[Span] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)


@dataclass
class PilotLine:
    """One pilot.

    Attributes:
        name: Its name.
        resource: URL of its resource.
        added: When it was added.
        stopped: When it was stopped, if it was.
        state: Its state as last told.
        note: The last word on how it was doing.
    """

    name: str
    resource: str
    added: float
    stopped: float | None = None
    state: str = "PENDING"
    note: str = ""


@dataclass
class Timeline:
    """A session from its first event to its last, or to the moment at which it was read.

    Attributes:
        about: What the log says of the session: agent, host and so on.
        begin: When it began.
        end: When it ended, or how far it is known.
        left: Why its agent ended; None if it lives, or was killed.
        pilots: By name, in the order in which they were added.
        workers: By name, in the order in which they came.
        tasks: By key, in the order in which they were taken.
        events_lost: How many events a disk did not take.
    """

    about: dict[str, Any]
    begin: float
    end: float
    left: str | None = None
    pilots: dict[str, PilotLine] = field(default_factory=dict)
    workers: dict[str, WorkerLine] = field(default_factory=dict)
    tasks: dict[str, TaskLine] = field(default_factory=dict)
    events_lost: int = 0


def read_timeline(events: Iterable[Mapping[str, Any]], until: float | None = None) -> Timeline:
    """Read a session's events.

    Args:
        events: The events, in the order in which they were written.
        until: When they were read, if the session goes on; else it ends with its last event.
    """
    reader = _Reader()
    for event in events:
        reader.take(event)
    return reader.finish(until)


class _Reader:
    """Takes events one by one; what has begun and not ended is kept apart until it does."""

    def __init__(self) -> None:
        self.line = Timeline({}, 0.0, 0.0)
        self.up: dict[str, tuple[str, float]] = {}  # address: worker, since when
        self.leaving: dict[str, float] = {}  # address: since when
        self.running: dict[str, tuple[str, float, float | None]] = {}  # and since when it waited
        self.waiting: dict[str, float] = {}  # task: since when

    def take(self, event: Mapping[str, Any]) -> None:
        at, kind = float(event["at"]), event["event"]
        line = self.line
        if not line.about:
            line.begin = line.end = at
        line.begin, line.end = min(line.begin, at), max(line.end, at)
        take = getattr(self, f"_{kind.replace('-', '_')}", None)
        if take is not None:
            take(at, event)

    def _log(self, at: float, event: Mapping[str, Any]) -> None:
        if not self.line.about:
            self.line.about = {name: fact for name, fact in event.items() if name != "event"}

    def _events_lost(self, at: float, event: Mapping[str, Any]) -> None:
        self.line.events_lost += event["count"]

    def _agent_left(self, at: float, event: Mapping[str, Any]) -> None:
        self.line.left = event["why"]

    # ---- pilots and workers

    def _pilot_added(self, at: float, event: Mapping[str, Any]) -> None:
        known = self.line.pilots.get(event["pilot"])
        if known is None:
            pilot = PilotLine(event["pilot"], event["resource"], at)
            self.line.pilots[pilot.name] = pilot
        elif known.stopped is not None:  # another one of this name
            known.stopped, known.state, known.note = None, "PENDING", ""

    def _pilot_stopped(self, at: float, event: Mapping[str, Any]) -> None:
        if (pilot := self.line.pilots.get(event["pilot"])) is not None:
            pilot.stopped, pilot.state = at, "DONE"

    def _pilot_state(self, at: float, event: Mapping[str, Any]) -> None:
        if (pilot := self.line.pilots.get(event["pilot"])) is not None:
            pilot.state = event["state"]

    def _pilot_note(self, at: float, event: Mapping[str, Any]) -> None:
        if (pilot := self.line.pilots.get(event["pilot"])) is not None:
            pilot.note = event["note"]

    def _worker_up(self, at: float, event: Mapping[str, Any]) -> None:
        if event["address"] in self.up:
            return
        self.up[event["address"]] = (event["worker"], at)
        worker = self._worker(event["worker"], event["pilot"])
        worker.offers, worker.pilot = event["offers"], event["pilot"]

    def _worker_leaving(self, at: float, event: Mapping[str, Any]) -> None:
        self.leaving.setdefault(event["address"], at)

    def _worker_stays(self, at: float, event: Mapping[str, Any]) -> None:
        if (since := self.leaving.pop(event["address"], None)) is not None:
            self._worker(event["worker"], None).leaving.append((since, at))

    def _worker_gone(self, at: float, event: Mapping[str, Any]) -> None:
        self._worker_stays(at, event)
        if (came := self.up.pop(event["address"], None)) is not None:
            self.line.workers[came[0]].up.append((came[1], at))

    def _worker(self, name: str, pilot: str | None) -> WorkerLine:
        return self.line.workers.setdefault(name, WorkerLine(name, pilot, {}))

    # ---- tasks

    def _task_queued(self, at: float, event: Mapping[str, Any]) -> None:
        task = self._task(event["task"], at)
        task.needs = event.get("needs", _USUAL)
        task.only = tuple(event["only"]) if "only" in event else None
        task.workload = event.get("workload")
        if not event.get("after"):
            self._is_ready(task, at)

    def _task_ready(self, at: float, event: Mapping[str, Any]) -> None:
        self._is_ready(self._task(event["task"], at), at)

    def _is_ready(self, task: TaskLine, at: float) -> None:
        if task.ready is None:
            task.ready = self.waiting[task.key] = at

    def _task(self, key: str, at: float) -> TaskLine:
        return self.line.tasks.setdefault(key, TaskLine(key, at))

    def _task_started(self, at: float, event: Mapping[str, Any]) -> None:
        if "worker" in event:
            task = self._task(event["task"], at)
            self._begins(task, at, event)
            task.state = TaskState.RUNNING

    def _begins(self, task: TaskLine, at: float, event: Mapping[str, Any]) -> None:
        task.worker, task.pilot, task.started = event["worker"], event["pilot"], at
        self.running[task.key] = (event["worker"], at, self.waiting.pop(task.key, None))

    def _task_sent_back(self, at: float, event: Mapping[str, Any]) -> None:
        task = self._task(event["task"], at)
        self._leaves(task, at, TaskState.WAITING)
        task.state, task.started, task.deaths = TaskState.WAITING, None, event["deaths"]
        self.waiting[task.key] = at

    def _task_died(self, at: float, event: Mapping[str, Any]) -> None:
        self._task(event["task"], at).deaths = event["deaths"]

    def _leaves(self, task: TaskLine, at: float, outcome: TaskState) -> None:
        """A task is at its worker no more, or was at none; it waited until then."""
        worker, begin, since = self.running.pop(
            task.key, ("", at, self.waiting.pop(task.key, None))
        )
        if since is not None and begin > since:
            task.waits.append((since, begin))
        if worker:
            attempt = Attempt(task.key, worker, begin, max(begin, at), outcome)
            self._worker(worker, task.pilot).attempts.append(attempt)

    def _task_ended(self, at: float, event: Mapping[str, Any]) -> None:
        task = self._task(event["task"], event["queued"])
        if "started" in event:
            _, _, since = self.running.pop(task.key, ("", 0.0, None))
            if since is not None:
                self.waiting[task.key] = since  # its worker knows better when that ended
            self._begins(task, event["started"], event)
        task.finished, task.state = at, TaskState(event["state"])
        task.deaths = event.get("deaths", 0)
        task.result_bytes, task.printed = event.get("bytes"), event.get("printed", 0)
        self._leaves(task, at, task.state)

    def finish(self, until: float | None) -> Timeline:
        """End all that has not ended, when the timeline does."""
        line = self.line
        end = line.end = line.end if until is None else max(line.end, until)
        for address, (name, since) in self.up.items():
            line.workers[name].up.append((since, end))
            if address in self.leaving:
                line.workers[name].leaving.append((self.leaving[address], end))
        for key in (*self.waiting, *self.running):
            self._leaves(line.tasks[key], end, TaskState.RUNNING)
        return line
