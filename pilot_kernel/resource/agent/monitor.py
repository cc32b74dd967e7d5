"""How busy the agent's workers are and have been, for the views of a notebook.

Workers report their use of processor and memory with every heartbeat, so sampling sends nothing.
"""

import heapq
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pilot_kernel.resource import gpus
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["METRIC", "PERIOD_S", "Monitor"]

METRIC = "pilot_task_process"
"""Under which name heartbeats carry (percent of a core, bytes) of a worker's task process."""

PERIOD_S = 2.0
_KEPT = 150  # five minutes
_WORKERS_TOLD = 16  # a pilot; the sums are over all of them
_FOLLOWING = 5

_READY = ("processing", "queued", "no-worker")

_Sample = tuple[float, int]  # percent of one core, bytes


class Monitor:
    """Keeps what workers told of themselves; whoever has the scheduler feeds it."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_KEPT)
        self._rings: dict[tuple[str, ...], deque[_Sample | None]] = {}

    # ---- the last minutes

    def sample(self, scheduler: Any, pilots: Mapping[str, Sequence[str]]) -> None:
        """Note how busy all workers are; forget those of pilots that are gone.

        Args:
            scheduler: Dask's scheduler.
            pilots: Names of the workers that each pilot should have.
        """
        self._times.append(time.time())
        up = _by_name(scheduler)
        now: dict[tuple[str, ...], _Sample | None] = {}
        for pilot, names in pilots.items():
            each = [_use(up.get(name)) for name in names]
            now.update({(pilot, name): use for name, use in zip(names, each, strict=True)})
            there = [use for use in each if use is not None]
            now[(pilot,)] = (
                (sum(cpu for cpu, _ in there), sum(size for _, size in there)) if there else None
            )
        self._rings = {key: self._rings.get(key, deque(maxlen=_KEPT)) for key in now}
        for key, use in now.items():
            self._rings[key].append(use)

    def _history(self, *key: str) -> dict[str, list[Any]]:
        ring = self._rings.get(key, ())
        whole = [None] * (len(self._times) - len(ring)) + list(ring)
        return {
            "cpu_percent": [None if use is None else round(use[0], 1) for use in whole],
            "memory_bytes": [None if use is None else use[1] for use in whole],
        }

    # ---- now

    def activity(
        self,
        scheduler: Any,
        statuses: Sequence[PilotStatus],
        pilots: Mapping[str, Sequence[str]],
    ) -> dict[str, Any]:
        """What `Activity.read` reads.

        Args:
            scheduler: Dask's scheduler.
            statuses: How the pilots stand.
            pilots: Names of the workers that each should have.
        """
        up = _by_name(scheduler)
        at_work = {ws.name: found for ws in up.values() if (found := _task(ws)) is not None}
        return {
            "at": time.time(),
            "times": list(self._times),
            "pilots": [
                self._pilot(status, pilots[status.name], up, at_work) for status in statuses
            ],
            "queue": _queue(scheduler, {ts.key for ts, _ in at_work.values()}),
        }

    def _pilot(
        self,
        status: PilotStatus,
        names: Sequence[str],
        up: Mapping[str, Any],
        at_work: Mapping[str, tuple[Any, float | None]],
    ) -> dict[str, Any]:
        return {
            "status": asdict(status),
            "busy": sum(name in at_work for name in names),
            "memory_limit_bytes": sum(_limit(up[name]) for name in names if name in up),
            **self._history(status.name),
            "workers": [
                self._worker(status.name, name, up.get(name), at_work.get(name))
                for name in names[:_WORKERS_TOLD]
            ],
        }

    def _worker(
        self, pilot: str, name: str, ws: Any, at_work: tuple[Any, float | None] | None
    ) -> dict[str, Any]:
        task, task_s = at_work or (None, None)
        gpu = None if ws is None else ws.metrics.get(gpus.METRIC)
        return {
            "name": name,
            "up": ws is not None,
            # Dask's own clock: it stamps heartbeats with it.
            "silent_s": 0.0 if ws is None else max(0.0, time.time() - ws.last_seen),
            "task": None if task is None else task.key,
            "task_s": task_s,
            "memory_limit_bytes": 0 if ws is None else _limit(ws),
            "gpu": "" if gpu is None else gpus.described(gpu),
            "gpu_gone": bool(gpu and gpu["trouble"]),
            **self._history(pilot, name),
        }


def _by_name(scheduler: Any) -> dict[str, Any]:
    return {ws.name: ws for ws in scheduler.workers.values()}


def _queue(scheduler: Any, in_hand: set[str]) -> dict[str, Any]:
    waiting = [ts for ts in scheduler.unfinished() if ts.key not in in_hand]
    homeless = scheduler.homeless()
    ready = [ts for ts in waiting if ts.state in _READY and ts not in homeless]
    first = heapq.nsmallest(_FOLLOWING, ready, key=lambda ts: ts.priority)
    return {
        "ready": len(ready),
        # Those that are "released" have ended: only the failure of another one keeps them.
        "blocked": sum(ts.state == "waiting" for ts in waiting),
        "homeless": len(homeless),
        "following": [ts.key for ts in first],
    }


def _limit(ws: Any) -> int:
    """Memory that tasks of a worker may count on."""
    return int(ws.resources.get("memory", ws.memory_limit or 0))


def _use(ws: Any) -> _Sample | None:
    """What a worker and its task process used, as told last; None if not up, or nothing told."""
    if ws is None or "cpu" not in ws.metrics or "memory" not in ws.metrics:
        return None
    cpu, memory = ws.metrics.get(METRIC, (0.0, 0))
    return float(ws.metrics["cpu"] + cpu), int(ws.metrics["memory"] + memory)


def _task(ws: Any) -> tuple[Any, float | None] | None:
    """The task that a worker has in hand, and for how long, as far as it has told.

    Its heartbeats name what it runs, but may be half a second old: a task that has ended since is
    no longer assigned to it, and one that has begun since is the first of those that are.
    """
    for ts, running_s in ws.executing.items():
        if ts in ws.processing:
            return ts, float(running_s)
    if ws.processing:
        return min(ws.processing, key=lambda ts: ts.priority), None
    return None
