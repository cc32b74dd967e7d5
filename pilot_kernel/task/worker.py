"""What a pilot adds to a Dask worker.

That is live output, news of long tasks, and an end to those that are canceled or out of time.

A task that is to end first gets an exception raised in its thread; one that does not heed it
(it may sit in compiled code) takes its process along, and the nanny brings up a fresh one.
"""

import asyncio
import gc
import os
import time
from typing import Any

import cloudpickle
from distributed.core import Status, error_message
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.worker import thread_state
from distributed.worker_state_machine import ExecuteFailureEvent

from pilot_kernel.errors import TaskTimeoutError
from pilot_kernel.resource.scheduler import LEAVING
from pilot_kernel.task.call import TaskCanceled, TimeUp, all_running, end, running_in
from pilot_kernel.task.record import TIMEOUT, TOPIC
from pilot_kernel.task.streams import Capture

__all__ = ["WorkerEdge"]

_TICK_S = 0.1
_GRACE_S = 1.0
_LAST_WORDS_S = 0.2
_SMALL_BYTES = 32_768


class WorkerEdge(WorkerPlugin):  # type: ignore[misc]
    """Watches over the tasks of one worker."""

    name = "pilot-worker-edge"

    async def setup(self, worker: Any) -> None:
        """Take up work on `worker`."""
        self.worker = worker
        gc.freeze()  # else every now and then a task waits 0.1 s while all libraries are searched
        self.loop = asyncio.get_running_loop()
        self.capture = Capture(lambda: getattr(thread_state, "key", None))
        self.capture.install()
        self.told: set[str] = set()
        self.deadlines: dict[str, asyncio.TimerHandle] = {}
        self.ticking = self.loop.create_task(self._tick())

    async def teardown(self, worker: Any) -> None:
        """Let go of the worker, which is closing, and do not let a task hold it up."""
        self.ticking.cancel()
        self.capture.remove()
        keys = all_running()
        for key in keys:
            end(key, TaskCanceled)
        if keys:
            self.loop.call_later(_GRACE_S, os._exit, 0)

    def transition(self, key: str, start: str, finish: str, **kwargs: Any) -> None:
        """A task has changed its state on this worker."""
        if finish == "executing":
            limit_s = self._limit_s(key)
            if limit_s is not None:
                self.deadlines[key] = self.loop.call_later(limit_s, self._time_out, key, limit_s)
        elif start == "executing" and finish == "released":
            self._end(key, TaskCanceled)  # Dask itself would let it run on, unwanted
        elif start in ("executing", "cancelled", "resumed", "long-running"):
            self._ended(key)
            if finish == "memory":
                self._send_small_result(key)

    def _limit_s(self, key: str) -> float | None:
        limit_s: float | None = (self.worker.state.tasks[key].annotations or {}).get(TIMEOUT)
        return limit_s

    def _ended(self, key: str) -> None:
        if (deadline := self.deadlines.pop(key, None)) is not None:
            deadline.cancel()
        self.told.discard(key)
        self._send(key, self.capture.finish(key))

    def _send_small_result(self, key: str) -> None:
        """Let a small result travel with the news of its task: fetching it would cost more."""
        size = self.worker.state.tasks[key].nbytes
        if size is None or size > _SMALL_BYTES:
            return
        try:
            pickled = cloudpickle.dumps(self.worker.data[key])
        except Exception:  # noqa: BLE001 whoever asks for the result is told why
            return
        if len(pickled) <= _SMALL_BYTES:
            self.worker.log_event(TOPIC, {"key": key, "result": pickled})

    async def _tick(self) -> None:
        """Ten times a second, send what was printed and name the tasks that are under way."""
        while True:
            await asyncio.sleep(_TICK_S)
            for ts in list(self.worker.state.executing):
                if ts.key not in self.told and ts.start_time:
                    self.told.add(ts.key)
                    self.worker.log_event(TOPIC, {"key": ts.key, "started": ts.start_time})
            for key, chunks in self.capture.take().items():
                self._send(key, chunks)

    def _send(self, key: str, chunks: list[tuple[str, str]]) -> None:
        if chunks:
            self.worker.log_event(TOPIC, {"key": key, "output": chunks})

    def _time_out(self, key: str, limit_s: float) -> None:
        del self.deadlines[key]
        self._end(key, type("TimeUp", (TimeUp,), {"limit_s": limit_s}))

    def _end(self, key: str, signal: type[BaseException]) -> None:
        if end(key, signal):
            self.loop.call_later(_GRACE_S, self._insist, key, running_in(key), signal)

    def _insist(self, key: str, thread: int | None, signal: type[BaseException]) -> None:
        if running_in(key) != thread:
            return
        self.worker.status = Status.paused  # nothing more may start here
        self.worker.batched_send({"op": LEAVING})
        if issubclass(signal, TimeUp):
            self._report_timeout(key, signal.limit_s)
        self.loop.call_later(_LAST_WORDS_S, os._exit, 1)

    def _report_timeout(self, key: str, limit_s: float) -> None:
        """Fail the task in the scheduler's eyes, so that it is not run again elsewhere."""
        try:
            raise TaskTimeoutError(f"the task ran longer than its {limit_s:g} s")
        except TaskTimeoutError as error:
            told = error_message(error)
        told.pop("status")
        self.worker.handle_stimulus(
            ExecuteFailureEvent(
                key=key,
                run_id=self.worker.state.tasks[key].run_id,
                start=None,
                stop=None,
                stimulus_id=f"timeout-{time.time()}",
                **told,
            )
        )
