"""The agent's book of tasks: a scheduler plugin that writes down what happens to each.

It lives in the agent, so the book survives the notebook's kernel, and no message is sent for a task
unless the notebook asks.
"""

import time
from collections import OrderedDict, deque
from dataclasses import asdict, replace
from typing import Any

from dask._task_spec import Task as DaskTask
from distributed.diagnostics.plugin import SchedulerPlugin
from tornado.ioloop import PeriodicCallback

from pilot_kernel.errors import WorkerDiedError
from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.agent.blame import BLAMED
from pilot_kernel.task.result_store import ResultStore
from pilot_kernel.task.shared_values import SharedValues
from pilot_kernel.task.task_events import (
    Event,
    Records,
    changed_event,
    queued_event,
    ready_event,
)
from pilot_kernel.task.wire.packing import Packed
from pilot_kernel.task.wire.record import TOPIC, WORKERS, TaskRecord, TaskState, task_name
from pilot_kernel.task.wire.results import Kept, remove, sweep

__all__ = ["Ledger"]

_KEPT_TASKS = 10_000
_KEPT_RESULTS = 1_000  # of at most 32 kB each
_KEPT_OUTPUTS = 100  # tasks; enough to show a re-attached notebook where things stand
_KEPT_CHUNKS = 64
_KEPT_CHARACTERS = 2_000_000  # a chunk may be a picture
_KEPT_JOBS = 100  # of a task, that it has sent to a QPU's provider
_SWEEP_S = 2.0
_READY = ("processing", "queued", "no-worker")  # states of tasks that wait for a worker only


async def give(result: Packed | Kept) -> Packed | Kept:
    """What Dask runs for a finished task whose result is known."""
    return result


async def miss(name: str) -> None:
    """What Dask runs for a finished task whose result is lost."""
    raise WorkerDiedError(
        f"task {name!r} had finished, but its result was too large to be kept on disk, and the "
        "worker that held it has died; the task was not run again: submit it again, or let it "
        "write its result to a file"
    )


class Ledger(SchedulerPlugin):  # type: ignore[misc]
    """Keeps a `TaskRecord` for every task, the end of what it printed, and its result."""

    name = "pilot-ledger"

    def __init__(self) -> None:
        self.records = Records(self._written)
        self.output: OrderedDict[str, deque[tuple[str, str]]] = OrderedDict()
        self.results: OrderedDict[str, bytes] = OrderedDict()
        self.kept: dict[str, Kept] = {}
        self.store = ResultStore(self._wanted, self._stored)
        self.shared = SharedValues()
        self.suspicious: dict[str, int] = {}
        self.ended: deque[str] = deque()
        self.scheduler: Any = None
        self.event_log: Any = None

    async def start(self, scheduler: Any) -> None:
        """Take up work beside `scheduler`."""
        self.scheduler = scheduler
        self.event_log = scheduler.event_log
        scheduler.handlers["task_records"] = self.task_records
        scheduler.handlers["task_output"] = self.task_output
        scheduler.handlers["task_results"] = self.task_results
        scheduler.handlers.update(self.store.handlers())
        scheduler.handlers["share_end"] = self.shared.end
        sweeping = PeriodicCallback(self.sweep, 1000 * _SWEEP_S)
        scheduler.periodic_callbacks["pilot-sweep"] = sweeping  # which it stops when it closes
        sweeping.start()

    def task_records(self, keys: list[str] | None = None) -> list[dict[str, Any]]:
        """The records of `keys`, or all, as plain dicts, the oldest first."""
        chosen = self.records if keys is None else [k for k in keys if k in self.records]
        return [asdict(self.records[key]) for key in chosen]

    def task_output(self, key: str) -> list[tuple[str, str]]:
        """The last chunks that a task printed, as (stream, text)."""
        return list(self.output.get(key, ()))

    def task_results(self) -> dict[str, bytes]:
        """The latest small results, pickled, which no worker holds any more."""
        held = self.scheduler.tasks
        return {key: value for key, value in self.results.items() if key not in held}

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """A worker came."""
        scheduler.log_event(WORKERS, {"came": worker})

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """A worker went."""
        scheduler.log_event(WORKERS, {"went": worker})

    def remove_client(self, scheduler: Any, client: str) -> None:
        """A notebook went; tasks that it has left keep what they need."""
        self.shared.client_went(client)

    def update_graph(self, scheduler: Any, *, tasks: list[str], **kwargs: Any) -> None:
        """Tasks have arrived; those that they depend on are named again."""
        now = time.time()
        for key in tasks:
            if key in self.records or scheduler.tasks[key].state in ("memory", "erred"):
                continue
            self.records[key] = TaskRecord(key, task_name(key), TaskState.WAITING, queued=now)
        while len(self.records) > _KEPT_TASKS and self.ended:
            self.records.pop(self.ended.popleft(), None)

    def transition(
        self,
        key: str,
        start: str,
        finish: str,
        *args: Any,
        worker: str | None = None,
        startstops: Any = (),
        **kwargs: Any,
    ) -> None:
        """A task has changed its state in the scheduler."""
        if finish == "forgotten":
            self._let_go(key)
        record = self.records.get(key)
        if record is None:
            return
        if start == "waiting" and finish in _READY and not record.state.final:
            self._note(ready_event(record, self.scheduler.tasks[key]))
        if finish == "processing":
            if not record.state.final:
                self.records[key] = replace(record, **self._place(key))
        elif start == "processing" and finish == "memory":
            if record.state.final:  # a result given back, or lost
                return
            ran = {**_ran(record, startstops), **self._name(worker)}
            self.records[key] = replace(record, state=TaskState.DONE, **ran)
            self.ended.append(key)
            self.scheduler.finish(key, self._recipe(key))
        elif finish == "erred":
            given_up = self.scheduler.tasks[key].suspicious > self.scheduler.allowed_failures
            ran = {**_ran(record, startstops), **self._name(worker)} if startstops else {}
            self._close(replace(record, deaths=record.deaths + given_up, **ran), TaskState.FAILED)
        elif finish == "released" and start in ("processing", "memory"):
            self._send_back(record)
        elif finish == "forgotten":
            self._close(record, TaskState.CANCELED)

    def log_event(self, topic: str, msg: Any) -> None:
        """A worker tells of a task, or the agent of one that is to blame after all."""
        if topic == BLAMED and msg["key"] in self.records:
            self.suspicious[msg["key"]] = self.scheduler.tasks[msg["key"]].suspicious
            self.scheduler.log_event(TOPIC, {"key": msg["key"], "crashed": "ended its worker"})
        if topic != TOPIC or not isinstance(msg, dict):
            return
        record = self.records.get(msg["key"])
        if record is None:
            return
        if "started" in msg and not record.state.final:
            started = max(record.queued, msg["started"])
            told_by = self._name(msg.get("worker"))  # it may have been stolen since it was placed
            self.records[record.key] = replace(
                record, state=TaskState.RUNNING, started=started, **told_by
            )
        elif "result" in msg:
            self._keep_result(record.key, msg["result"])
            self._settle(record.key)
        elif "kept" in msg:
            self.kept[record.key] = Kept(**msg["kept"])
            self._settle(record.key)
        elif "crashed" in msg:
            self.records[record.key] = replace(record, deaths=record.deaths + 1)
        elif "jobs" in msg:
            jobs = (*record.jobs, *msg["jobs"])[-_KEPT_JOBS:]
            self.records[record.key] = replace(record, jobs=jobs)
        elif "output" in msg:
            self._keep_output(record.key, msg["output"])
            printed = sum(len(text) for _, text in msg["output"])
            self.records[record.key] = replace(record, output_bytes=record.output_bytes + printed)

    def _keep_output(self, key: str, chunks: list[tuple[str, str]]) -> None:
        kept = self.output.setdefault(key, deque(maxlen=_KEPT_CHUNKS))
        kept.extend(chunks)
        while len(kept) > 1 and sum(len(text) for _, text in kept) > _KEPT_CHARACTERS:
            kept.popleft()
        while len(self.output) > _KEPT_OUTPUTS:
            self.output.popitem(last=False)

    def _keep_result(self, key: str, pickled: bytes) -> None:
        self.results[key] = pickled
        while len(self.results) > _KEPT_RESULTS:
            self.results.popitem(last=False)

    def _settle(self, key: str) -> None:
        """The notebook has heard of the result; Dask may never, if the worker dies this moment."""
        if key not in self.scheduler.tasks:  # canceled at the last moment
            self._let_go(key)
            return
        self.scheduler.settle(key, self._recipe(key))

    def _wanted(self, key: str, sender: str) -> bool:
        """Whether something is taken: from a worker that has the task, or a client that shares."""
        ts = self.scheduler.tasks.get(key)
        if sender in self.scheduler.clients:
            return ts is None
        on = None if ts is None else ts.processing_on
        return on is not None and on.address == sender

    def _stored(self, key: str, sender: str, kept: Kept) -> None:
        """A result has come from elsewhere; its worker may die before it says so."""
        if sender in self.scheduler.clients:
            self.shared.begin(key, sender)
            return
        self.kept[key] = kept
        self._settle(key)

    def _recipe(self, key: str) -> Any:
        """How a finished task's result is had again when the worker that held it has died."""
        if (kept := self.kept.get(key)) is not None:
            return DaskTask(key, give, kept)
        if (pickled := self.results.get(key)) is not None:
            return DaskTask(key, give, Packed(pickled))
        return DaskTask(key, miss, task_name(key))

    def _let_go(self, key: str) -> None:
        """Nobody wants a task's result any more; its file goes, if it has one."""
        self.suspicious.pop(key, None)
        self.kept.pop(key, None)
        folder = worker_environment.results_folder()
        if folder is not None:
            remove(folder, key)

    def sweep(self) -> None:
        """Remove what tasks have written when they had been let go, or had failed."""
        folder = worker_environment.results_folder()
        if folder is None:
            return
        tasks = self.scheduler.tasks.values()
        held = (ts.key for ts in tasks if ts.state != "erred")
        sweep(folder, (*held, *self.shared.wanted(tasks), *self.store.coming))

    def _place(self, key: str) -> dict[str, Any]:
        on = self.scheduler.tasks[key].processing_on
        return self._name(on.address if on else None)

    def _name(self, address: str | None) -> dict[str, Any]:
        state = self.scheduler.workers.get(address)
        if state is None:
            return {}
        pilot = next((r[6:] for r in state.resources if r.startswith("pilot:")), None)
        return {"worker": str(state.name), "pilot": pilot}

    def _send_back(self, record: TaskRecord) -> None:
        """A task lost its worker: it waits again, and its watchers are told."""
        ts = self.scheduler.tasks[record.key]
        if record.state.final or record.key in self.results or record.key in self.kept:
            return
        if not ts.who_wants and not ts.waiters:
            return
        before = self.suspicious.get(record.key, 0)
        self.suspicious[record.key] = ts.suspicious
        deaths = record.deaths + ts.suspicious - before
        self.records[record.key] = replace(
            record, state=TaskState.WAITING, started=None, finished=None, deaths=deaths
        )
        if ts.suspicious > before:
            died = {"key": record.key, "died": record.worker, "deaths": deaths}
            self.scheduler.log_event(TOPIC, died)
        elif record.started is not None:
            self.scheduler.log_event(TOPIC, {"key": record.key, "left": record.worker})

    def _written(self, before: TaskRecord | None, now: TaskRecord) -> None:
        """A record is new, or has changed: the event log is told what that means."""
        if self.event_log is None:
            return
        if before is None:
            self._note(queued_event(now, self.scheduler.tasks[now.key], self.scheduler))
            return
        size = self._result_bytes(now.key) if now.state is TaskState.DONE else 0
        self._note(changed_event(before, now, size))

    def _note(self, what: Event | None) -> None:
        if what is not None and self.event_log is not None:
            event, at, facts = what
            self.event_log.add(event, at, **facts)

    def _result_bytes(self, key: str) -> int:
        """The size of a result: on disk, told with the news, or as Dask counts it."""
        if (kept := self.kept.get(key)) is not None:
            return kept.size
        if (pickled := self.results.get(key)) is not None:
            return len(pickled)
        ts = self.scheduler.tasks.get(key)
        return 0 if ts is None else max(0, ts.nbytes)

    def _close(self, record: TaskRecord, state: TaskState) -> None:
        if not record.state.final:
            self.ended.append(record.key)
            finished = time.time() if record.finished is None else record.finished
            self.records[record.key] = replace(record, state=state, finished=finished)


def _ran(record: TaskRecord, startstops: Any) -> dict[str, float]:
    """When a task began and ended, as its worker tells."""
    times = {
        edge: at[edge]
        for at in startstops or ()
        if at["action"] == "compute"
        for edge in ("start", "stop")
    }
    started = times.get("start", time.time())
    # Clocks agree to milliseconds only; no task starts before it was sent.
    late = max(0.0, record.queued - started)
    return {"started": started + late, "finished": times.get("stop", started) + late}
