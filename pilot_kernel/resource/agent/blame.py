"""Who is to blame when a worker is gone: the task that ran on it, or nobody.

A task is to blame if its worker's process died while its host, or its job, lived on. Whether it
did is known at once for workers on the agent's own machine, where the agent itself watches over
them. Elsewhere it shows when the same watchman brings up another worker in its place; a host or
job that ended takes the watchman along.
"""

import heapq
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.protocol import pickle
from distributed.scheduler import KilledWorker

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BLAMED",
    "DEATHS_ALLOWED",
    "DEFAULT_DEATHS_ALLOWED",
    "LOSSES_ALLOWED",
    "Blame",
    "suspects",
]

DEATHS_ALLOWED = "deaths_allowed"
"""Task annotation: how many workers may die running it before it fails."""

DEFAULT_DEATHS_ALLOWED = 2

LOSSES_ALLOWED = 20
"""How often a task may lose its worker without blame before it fails: it may be what ends jobs."""

BLAMED = "pilot-blamed"
"""Where the agent tells that a task is blamed later: dicts with `key`."""

_REMEMBERED_S = 120.0
_TIDY = 1_000


@dataclass(frozen=True)
class _Loss:
    """A worker that went, with what it ran; `watchman` is the address of its nanny."""

    watchman: str
    keys: tuple[str, ...]
    at: float


class Blame(SchedulerPlugin):  # type: ignore[misc]
    """Remembers workers that went, until it is clear why.

    Attributes:
        watched_here: Whether a worker of that name is watched over by the agent itself.
    """

    name = "pilot-blame"

    def __init__(self, scheduler: Any) -> None:
        self.watched_here: Callable[[Any], bool] = lambda name: True
        self._scheduler = scheduler
        self._lost: dict[Any, _Loss] = {}
        self._losses: dict[str, int] = {}

    def charge(self, worker: Any) -> None:
        """A worker died, or was cut off: Dask is about to blame all tasks that it had.

        Args:
            worker: Dask's state of the worker.
        """
        ran = suspects(worker)
        here = self.watched_here(worker.name)
        for ts in list(worker.processing):
            if ts not in ran:
                ts.suspicious -= 1  # the base class is about to add one to each
            elif here:
                self._blame(ts)
            else:
                self._excuse(ts)
        if not here and ran and worker.nanny:
            loss = _Loss(worker.nanny, tuple(ts.key for ts in ran), time.monotonic())
            self._lost[worker.name] = loss

    def _blame(self, ts: Any) -> None:
        if ts.suspicious >= _allowed(ts):
            ts.suspicious = self._scheduler.allowed_failures

    def _blame_late(self, ts: Any, worker: Any) -> None:
        """Blame a task that has been sent to another worker meanwhile."""
        scheduler = self._scheduler
        ts.suspicious += 1
        if ts.suspicious <= _allowed(ts):
            scheduler.log_event(BLAMED, {"key": ts.key})
        elif ts.state in ("processing", "no-worker"):
            ts.suspicious = scheduler.allowed_failures + 1
            error = KilledWorker(ts.key, worker.clean(), scheduler.allowed_failures)
            stimulus = f"blamed-{time.time()}"
            runs_on = ts.processing_on
            news = {"exception": pickle.dumps(error), "cause": ts.key, "stimulus_id": stimulus}
            scheduler.transitions(scheduler.transition(ts.key, "erred", **news), stimulus)
            if runs_on is not None and runs_on.address in scheduler.stream_comms:
                free = {"op": "free-keys", "keys": [ts.key], "stimulus_id": stimulus}
                scheduler.worker_send(runs_on.address, free)
        else:
            ts.suspicious = scheduler.allowed_failures  # the next one is the last

    def _excuse(self, ts: Any) -> None:
        if len(self._losses) > _TIDY:
            there = self._scheduler.tasks
            self._losses = {key: count for key, count in self._losses.items() if key in there}
        losses = self._losses[ts.key] = self._losses.get(ts.key, 0) + 1
        if losses > LOSSES_ALLOWED:
            ts.suspicious = self._scheduler.allowed_failures
        else:
            ts.suspicious -= 1

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """A worker came: if the same watchman lost one before, that one's task is to blame."""
        ws = scheduler.workers.get(worker)
        loss = None if ws is None else self._lost.pop(ws.name, None)
        now = time.monotonic()
        self._lost = {k: each for k, each in self._lost.items() if now - each.at < _REMEMBERED_S}
        if loss is None or loss.watchman != ws.nanny:
            return
        for key in loss.keys:
            ts = scheduler.tasks.get(key)
            if ts is not None and ts.state not in ("memory", "erred", "forgotten"):
                self._blame_late(ts, ws)


def _allowed(ts: Any) -> int:
    return int((ts.annotations or {}).get(DEATHS_ALLOWED, DEFAULT_DEATHS_ALLOWED))


def suspects(worker: Any) -> list[Any]:
    """The tasks that ran on a worker, as far as is known.

    Its heartbeats name them, but may be half a second old; it takes its tasks in order of priority.
    """
    told = [ts for ts in worker.executing if ts in worker.processing]
    if told:
        return told
    first: list[Any] = heapq.nsmallest(
        worker.nthreads, worker.processing, key=lambda ts: ts.priority
    )
    return first
