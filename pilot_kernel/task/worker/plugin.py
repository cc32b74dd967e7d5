"""What a pilot adds to a Dask worker.

A worker runs no code of a user's. It has a task process (`task/process`), sends it one task at a
time, and watches over it from its event loop: so heartbeats, output, limits and cancelling do not
depend on what a task does, and a task that crashes takes nothing along but itself.
"""

import asyncio
import gc
import json
import math
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psutil
from distributed import Reschedule, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from pilot_kernel.errors import ShipError, TaskFailedError, WorkerDiedError
from pilot_kernel.resource import gpus, log_files, worker_environment
from pilot_kernel.resource.agent.late_binding import ENDS_AT
from pilot_kernel.resource.agent.monitor import METRIC
from pilot_kernel.task.transfer import UNWANTED, put
from pilot_kernel.task.wire.failure import RemoteError, how_it_ended
from pilot_kernel.task.wire.messages import Kind, Message
from pilot_kernel.task.wire.packing import Bytes, Call, Packed
from pilot_kernel.task.wire.record import JOB, TOPIC, task_name
from pilot_kernel.task.wire.results import SMALL_BYTES, Kept, find, home, remove_draft
from pilot_kernel.task.worker.fetched import Fetched
from pilot_kernel.task.worker.gpu_watch import GpuWatch
from pilot_kernel.task.worker.memory_limit import MemoryLimit
from pilot_kernel.task.worker.output import Gathered
from pilot_kernel.task.worker.process_supply import Supply
from pilot_kernel.task.worker.running_task import Run
from pilot_kernel.task.worker.start_up import TROUBLE, start_ups
from pilot_kernel.task.worker.task_process import TaskProcess

__all__ = ["WorkerEdge", "perform"]

_NEWS_S = 0.1


async def perform(call: Call, *inputs: Packed | Kept) -> Packed | Kept:
    """What Dask runs for a task, on its worker's event loop.

    Args:
        call: The task.
        *inputs: The results that it depends on.

    Raises:
        RemoteError: It raised something.
        PilotError: It was ended, or its result cannot be sent.
    """
    edge: WorkerEdge = get_worker().plugins[WorkerEdge.name]
    return await edge.run(call, inputs)


class WorkerEdge(WorkerPlugin):  # type: ignore[misc]
    """Watches over the tasks of one worker."""

    name = "pilot-worker-edge"

    async def setup(self, worker: Any) -> None:
        """Take up work on `worker`."""
        gc.freeze()  # else every now and then a task waits while all libraries are searched
        if (logs := worker_environment.logs_folder()) is not None:
            log_files.append_here(log_files.worker_log(logs, str(worker.name)))
        self.worker = worker
        os.environ[worker_environment.FOLDER] = worker.local_directory
        self.loop = asyncio.get_running_loop()
        self.turn = asyncio.Lock()
        self.runs: dict[str, Run] = {}
        self.results: dict[str, dict[str, Any]] = {}  # news of tasks that are about to finish
        self.key: str | None = None  # of the task that writes
        self.output = Gathered()
        self.jobs: list[str] = []  # that it has sent to a QPU's provider and that were not told yet
        self.news: asyncio.TimerHandle | None = None
        self.usage = _Usage()
        self.folder = home()
        self.fetched = None if self.folder is not None else Fetched(worker)
        self.writer = uuid.uuid4().hex  # its name is taken over by whoever replaces it
        self.supply = Supply(worker.local_directory, self._printed)
        self.supply.prepare()
        self.memory = MemoryLimit(worker)
        self.trouble = ""
        self.early: asyncio.Task[None] | None = None
        if any(first.early for first in start_ups(worker)):
            worker.metrics[TROUBLE] = lambda _: self.trouble
            self.early = self.loop.create_task(self._begin_early())
        self.gpu: GpuWatch | None = None
        if worker.state.total_resources.get("GPU"):
            self.gpu = watch = GpuWatch(self._lose_gpu)
            worker.metrics[gpus.METRIC] = lambda _: watch.told()
        worker.metrics[METRIC] = lambda _: self.usage.of(self.supply.current)
        if (ends_at := worker_environment.ends_at()) is not None:
            worker.metrics[ENDS_AT] = lambda _: ends_at
            self.loop.call_soon(asyncio.ensure_future, worker.heartbeat())  # to tell it at once

    async def teardown(self, worker: Any) -> None:
        """Let go of the worker, which is closing; what it runs ends now."""
        if self.early is not None:
            self.early.cancel()
        self.supply.close()
        if self.gpu is not None:
            self.gpu.close()

    def transition(self, key: str, start: str, finish: str, **kwargs: Any) -> None:
        """A task has changed its state on this worker."""
        if finish in ("released", "forgotten") and self.fetched is not None:
            self.fetched.forget(key)
        if start == "executing" and finish == "released" and key in self.runs:
            self.runs[key].cancel()  # Dask itself would let it run on, unwanted
        elif key in self.results and start in ("executing", "cancelled", "resumed"):
            # With Dask's own word that it has finished, not before it.
            self._tell(key, self.results.pop(key))

    # ---- a task

    async def run(self, call: Call, inputs: tuple[Packed | Kept, ...]) -> Packed | Kept:
        """Run one task in the task process and return its result."""
        key = call.key
        run = self.runs[key] = Run(key, call.timeout_s, self.memory.excess(_span(call)))
        if self.worker.state.tasks[key].state == "cancelled":  # before this was even begun
            run.cancel()
        begun = self.loop.call_later(_NEWS_S, self._tell, key, {"started": time.time()})
        try:
            async with self.turn:
                self.key, self.output = key, Gathered()
                return await self._run(run, call, inputs)
        finally:
            begun.cancel()
            if self.folder is not None and key not in self.results:
                # It was ended, perhaps amid writing. A whole result stays: another worker may
                # have the task by now, and have left it or found it there.
                remove_draft(self.folder, key, self.writer)
            self._finish(key)
            del self.runs[key]

    async def _run(self, run: Run, call: Call, inputs: tuple[Packed | Kept, ...]) -> Packed | Kept:
        inputs = await self._fetch(run, inputs)
        parts = list(_order(call, inputs, self._keep(call.key), self._share_of(call)))
        crashes = 0
        await self._stop_without_gpu()
        while (process := await self._process(run)) is not None:
            if (found := self._found(call.key)) is not None:
                return found
            answer = await self._ask(run, process, parts)
            if run.verdict is not None:
                break
            if answer is None or answer[0] == Kind.ERROR:
                await self._stop_without_gpu(look=True)
            if answer is not None:
                return await self._deliver(run, call.key, self._accept(call.key, answer))
            if (found := self._found(call.key)) is not None:
                return found
            crashes += 1
            self._crashed(call, crashes, how_it_ended(process.status or 0) + run.phase)
        raise run.verdict or TaskFailedError("the task was ended")

    async def _fetch(
        self, run: Run, inputs: tuple[Packed | Kept, ...]
    ) -> tuple[Packed | Kept, ...]:
        """The inputs as the task process can take them: files are of this machine."""
        needed = {each.name for each in inputs if isinstance(each, Kept)}
        if self.fetched is None or not needed:
            return inputs
        here: list[Packed | Kept] = []
        for each in inputs:
            if isinstance(each, Kept):
                got = await run.unless_stopped(self.fetched.here(each, needed))
                if got is None:
                    break
                here.append(got)
            else:
                here.append(each)
        return tuple(here)

    def _share_of(self, call: Call) -> dict[str, Any]:
        """What the task process is told of a task's cores and memory."""
        has = {"cores": max(worker_environment.cores() or 1, call.cores)}
        return {**has, "memory": self.memory.most(_span(call))} if _span(call) > 1 else has

    def _keep(self, key: str) -> dict[str, str] | None:
        """Where a task is to leave its result, as `results.write` takes it."""
        if self.folder is None:
            return None
        return {"folder": self.folder, "key": key, "writer": self.writer}

    async def _process(self, run: Run) -> TaskProcess | None:
        """A process for the task; None if the task is ended before one is there."""
        if run.verdict is not None:
            return None
        if (current := self.supply.current) is not None:
            return current
        return await run.unless_stopped(self.supply.take())

    async def _ask(self, run: Run, process: TaskProcess, parts: list[Bytes]) -> Message | None:
        answered = None
        try:
            for first in start_ups(self.worker):
                if first.number in process.prepared:
                    continue
                run.phase = f" in {first.called}"
                answered = await run.ask(process, first.parts(), limited=False)
                if first.early:
                    self.trouble = first.trouble(answered)
                if answered is None or answered[0] != Kind.VALUE:
                    return answered
                process.prepared.add(first.number)
            run.phase, answered = "", None
            answered = await run.ask(process, parts)
        finally:
            if answered is None or run.verdict is not None:
                await self.supply.replace()
        return answered

    async def _begin_early(self) -> None:
        """Run, before there is a task, what runs first and is to be known of as soon as it can."""
        run = Run("start-0", None, None)
        async with self.turn:
            for first in start_ups(self.worker):
                try:
                    process = await self.supply.take()
                except TaskFailedError:  # the first task will say so
                    return
                if not first.early or first.number in process.prepared:
                    continue
                answered = await run.ask(process, first.parts(), limited=False)
                self.trouble = first.trouble(answered)
                if answered is None:
                    await self.supply.replace()
                elif not self.trouble:
                    process.prepared.add(first.number)

    async def _stop_without_gpu(self, *, look: bool = False) -> None:
        """Hand a task back if the worker's GPU is gone: whatever it did there was bound to fail."""
        if self.gpu is None or not (self.gpu.trouble or (look and await self.gpu.gone())):
            return
        self.output.add_note("[the GPU of its worker is gone; the task is run again on another]\n")
        await self.worker.heartbeat()  # or it would be given the same task again
        raise Reschedule

    def _lose_gpu(self) -> None:
        for run in self.runs.values():
            run.move(Reschedule())

    def _found(self, key: str) -> Kept | None:
        """The result, if the task had finished before and whoever ran it died before saying so."""
        found = find(self.folder, key) if self.folder is not None else None
        return None if found is None else self._kept(key, found)

    def _kept(self, key: str, kept: Kept) -> Kept:
        self.results[key] = {"kept": {"path": kept.path, "size": kept.size}}
        return kept

    def _crashed(self, call: Call, crashes: int, how: str) -> None:
        """Note that the task's process has died; give the task up if it has done so too often."""
        again = crashes <= call.crashes_allowed
        self._tell(call.key, {"crashed": how})
        if not again:
            times = f", {crashes} times" if crashes > 1 else ""
            raise WorkerDiedError(f"task {task_name(call.key)!r} was given up: it {how}{times}")
        self.output.add_note(f"[the task {how}; it is tried once more in a fresh process]\n")

    def _accept(self, key: str, answer: Message) -> Packed | Kept:
        kind, parts = answer
        if kind == Kind.KEPT:
            return self._kept(key, Kept(**json.loads(bytes(parts[0]))))
        if kind == Kind.ERROR:
            raise RemoteError(str(parts[0], "utf-8"), bytes(parts[1]))
        if kind == Kind.UNSENDABLE:
            raise ShipError(str(parts[0], "utf-8"))
        if kind == Kind.ENDED:
            raise TaskFailedError("the task was told to stop by a signal from outside")
        return Packed(parts[0], tuple(parts[1:]))

    async def _deliver(self, run: Run, key: str, result: Packed | Kept) -> Packed | Kept:
        """See that a result outlives this worker, before anybody hears that there is one."""
        if isinstance(result, Kept):
            return result
        if result.size <= SMALL_BYTES:
            self.results[key] = {"result": bytes(result.header)}
            return result
        why = "" if self.fetched is None else await self._send_off(run, key, result)
        if why is not None:
            self.output.add_note(
                f"[the result ({result.size / 1e6:,.1f} MB) is not kept on disk{why}: "
                "if its worker dies, it is lost]\n"
            )
        return result

    async def _send_off(self, run: Run, key: str, packed: Packed) -> str | None:
        """Have the agent keep a result; None if it does, or if nobody wants it."""
        try:
            kept = await run.unless_stopped(put(self.worker, key, packed))
        except OSError as error:
            return f" (it could not be sent to the agent: {error})"
        if run.verdict is not None:
            raise run.verdict
        if isinstance(kept, Kept):
            self._kept(key, kept)
        return "" if isinstance(kept, str) and kept != UNWANTED else None

    # ---- news

    def _printed(self, stream: str, text: str) -> None:
        if self.key is None:  # a thread or a subprocess that an earlier task has left behind
            return
        if stream == JOB:
            self.jobs.append(text)
        else:
            self.output.add(stream, text)
        if self.news is None:
            self.news = self.loop.call_later(_NEWS_S, self._send_output)

    def _send_output(self) -> None:
        self.news = None
        self._tell_jobs()
        if self.key is not None and (chunks := self.output.take()):
            self._tell(self.key, {"output": chunks})

    def _tell_jobs(self) -> None:
        jobs, self.jobs = self.jobs, []
        if self.key is not None and jobs:
            self._tell(self.key, {"jobs": jobs})

    def _finish(self, key: str) -> None:
        """Send the last of what a task has written."""
        if self.key != key:
            return
        self._tell_jobs()
        if chunks := self.output.finish():
            self._tell(key, {"output": chunks})
        self.key = None

    def _tell(self, key: str, news: dict[str, Any]) -> None:
        self.worker.log_event(TOPIC, {"key": key, **news})


def _span(call: Call) -> int:
    """How many workers' cores a task has."""
    return max(1, math.ceil(call.cores / (worker_environment.cores() or 1)))


def _order(
    call: Call,
    inputs: tuple[Packed | Kept, ...],
    keep: dict[str, str] | None,
    share: dict[str, Any],
) -> Iterator[Bytes]:
    """The parts of a `Kind.CALL`."""
    packed = [call.packed, *(each for each in inputs if isinstance(each, Packed))]
    numbers = iter(range(1, len(packed)))
    order = {
        "buffers": [len(each.buffers) for each in packed],
        "inputs": [
            next(numbers) if isinstance(each, Packed) else {"path": each.path, "size": each.size}
            for each in inputs
        ],
        "keep": keep,
        **share,
    }
    yield json.dumps(order).encode()
    for each in packed:
        yield each.header
        yield from each.buffers


class _Usage:
    """Use of processor and memory by a task process, between two looks."""

    def __init__(self) -> None:
        self.process: psutil.Process | None = None

    def of(self, current: TaskProcess | None) -> tuple[float, int]:
        """Percent of one core since the last call, and bytes."""
        if current is None:
            return 0.0, 0
        try:
            if self.process is None or self.process.pid != current.pid:
                self.process = psutil.Process(current.pid)
            with self.process.oneshot():
                return self.process.cpu_percent(), int(self.process.memory_info().rss)
        except psutil.Error:  # it has just ended
            self.process = None
            return 0.0, 0
