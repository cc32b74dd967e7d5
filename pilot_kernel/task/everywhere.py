"""The agent's part in work for every worker: which there are, and what runs first on each.

A task that is bound to one worker fails when that worker has gone, since no other may run it.
"""

import asyncio
import pickle
import time
from typing import Any

import cloudpickle
from distributed.diagnostics.plugin import SchedulerPlugin

from pilot_kernel.errors import WorkerDiedError
from pilot_kernel.task.wire.packing import Packed
from pilot_kernel.task.worker.start_up import StartUp

__all__ = ["Everywhere"]

_GONE = (
    "its worker ended before it was done, and it was to run there and nowhere else: a broadcast "
    "runs on the workers that are up when it is submitted; submit it again. What workers that "
    "come later need, too, is for session.on_start(fn)"
)


class Everywhere(SchedulerPlugin):  # type: ignore[misc]
    """Tells of workers, hands out what runs first on them, and ends what has lost its worker."""

    name = "pilot-everywhere"

    def __init__(self) -> None:
        self.scheduler: Any = None
        self._numbered = 0

    async def start(self, scheduler: Any) -> None:
        """Take up work beside `scheduler`."""
        self.scheduler = scheduler
        for handler in (self.workers_up, self.start_up_add, self.start_up_remove):
            scheduler.handlers[handler.__name__] = handler

    def workers_up(self, requirement: dict[str, float]) -> list[tuple[str, str]]:
        """Address and name of each worker that is up and offers what is required."""
        leaving = self.scheduler.leaving
        return [
            (ws.address, str(ws.name))
            for ws in self.scheduler.workers.values()
            if ws.name not in leaving
            and all(ws.resources.get(name, 0) >= least for name, least in requirement.items())
        ]

    async def start_up_add(
        self, label: str, header: bytes, buffers: list[bytes], requirement: dict[str, float]
    ) -> None:
        """Have a function run first in all task processes, in place of one of the same name.

        Args:
            label: What the function is called.
            header: The packed call.
            buffers: What lies beside it.
            requirement: What a worker offers if its processes are meant.
        """
        self._numbered += 1
        packed = Packed(bytes(header), tuple(map(bytes, buffers)))
        plugin = cloudpickle.dumps(StartUp(label, self._numbered, packed, requirement))
        self.scheduler.worker_plugins[_key(label)] = plugin
        message = {"op": "plugin-add", "plugin": plugin, "name": _key(label)}
        await self.scheduler.broadcast(msg=message, on_error="ignore")  # one may just be dying

    async def start_up_remove(self, label: str) -> None:
        """Have a function not run any more in processes to come."""
        if self.scheduler.worker_plugins.pop(_key(label), None) is not None:
            message = {"op": "plugin-remove", "name": _key(label)}
            await self.scheduler.broadcast(msg=message, on_error="ignore")

    # ---- tasks that are bound to a worker

    def transition(self, key: str, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        """A task has changed its state in the scheduler."""
        if finish == "no-worker" and self._has_lost_its_worker(self.scheduler.tasks[key]):
            asyncio.get_running_loop().call_soon(self._give_up, key)  # not from within a transition

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """A worker went: what waited for it alone waits for nothing."""
        for ts in list(scheduler.unrunnable):
            if ts.worker_restrictions and worker in ts.worker_restrictions:
                self._give_up(ts.key)

    def _has_lost_its_worker(self, ts: Any) -> bool:
        bound_to = ts.worker_restrictions
        return bool(bound_to) and not any(at in self.scheduler.workers for at in bound_to)

    def _give_up(self, key: str) -> None:
        ts = self.scheduler.tasks.get(key)
        if ts is None or ts.state != "no-worker" or not self._has_lost_its_worker(ts):
            return
        stimulus = f"worker-gone-{time.time()}"
        error = pickle.dumps(WorkerDiedError(_GONE))
        more = self.scheduler.transition(
            key, "erred", cause=key, exception=error, stimulus_id=stimulus
        )
        self.scheduler.transitions(more, stimulus)


def _key(label: str) -> str:
    return f"pilot-on-start-{label}"
