"""A Dask scheduler that gives a task to a worker when that is free for it, and not before.

Dask itself gives tasks that ask for resources to workers at once, as equal shares, and lets idle
workers steal from others later.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from distributed import Scheduler
from distributed.core import Status
from distributed.protocol import pickle

from pilot_kernel.errors import WorkerDiedError
from pilot_kernel.resource import gpus, neighbours
from pilot_kernel.resource.agent.blame import suspects
from pilot_kernel.resource.agent.fair_share import FairShare
from pilot_kernel.resource.agent.joint_cores import JointCores
from pilot_kernel.resource.agent.waiting_room import (
    CORES,
    TIMEOUT,
    Demand,
    WaitingRoom,
    workload_of,
)

__all__ = ["ENDS_AT", "LateBinding"]

ENDS_AT = "pilot_ends_at"
"""Under which name heartbeats carry when a worker's job ends, unix seconds."""

_AHEAD_S = 0.1  # of work that a worker is sent ahead, since a message takes milliseconds
_AHEAD_TASKS = 64


class LateBinding(Scheduler):  # type: ignore[misc]
    """Keeps tasks until a worker is free that meets their demand.

    Those that ask for nothing are left to Dask: they only give back what is known already.

    Attributes:
        waiting: The tasks that have no worker yet.
        leaving: Names of workers that are given nothing more.
        joint: Which workers lend each other their cores.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.share = FairShare()
        self.waiting = self.unrunnable = WaitingRoom(self.share)
        self.leaving: set[str] = set()
        self.joint = JointCores()
        self._arranged = False
        self._open: set[Any] = set()
        self._free_since: dict[str, float] = {}
        self._binding: tuple[Any, Any] | None = None
        self._about_to_deal = False
        self._dealt = 0

    # ---- who is free

    def check_idle_saturated(self, ws: Any, occ: float = -1.0) -> None:
        """Take note of whether a worker is free, as Dask does, whenever that may have changed."""
        super().check_idle_saturated(ws, occ)
        if self._has_room(ws):
            self._open.add(ws)
            if self.waiting:
                self._deal_soon()
        else:
            self._open.discard(ws)

    def _has_room(self, ws: Any) -> bool:
        held = len(ws.processing)
        return held < ws.nthreads or (held < _AHEAD_TASKS and ws.occupancy < _AHEAD_S)

    def _takes(self, ws: Any, ts: Any) -> bool:
        wide = self.joint.wide or (ts.annotations or {}).get(CORES, 1) > 1
        if wide and not self._arrange().fits(Demand.of(ts), ws):
            return False
        if len(ws.processing) < ws.nthreads:
            return True
        return self._has_room(ws) and ws.occupancy + self.expected_s(ts) <= _AHEAD_S

    def expected_s(self, ts: Any) -> float:
        """How long a task is expected to take, by those of its name so far."""
        return float(self._get_prefix_duration(ts.prefix))

    def ends_at(self, ws: Any) -> float | None:
        """When a worker's job ends, unix seconds, if it has said that it will."""
        told = ws.metrics.get(ENDS_AT)
        return None if told is None else float(told)

    def idle_s(self, ws: Any) -> float:
        """For how long a worker has had nothing to do."""
        if ws.processing:
            return 0.0
        return time.monotonic() - self._free_since.setdefault(ws.address, time.monotonic())

    # ---- who could run what

    def meets(self, demand: Demand, ws: Any) -> bool:
        """Whether a worker may be given tasks with such a demand."""
        if not demand.met_by(ws.resources) or self.lost_gpu(ws):
            return False
        if demand.workers and ws.address not in demand.workers:
            return False
        if demand.hosts and ws.host not in demand.hosts:
            return False
        if demand.cores > 1 and not self._arrange().could_hold(demand, ws):
            return False
        return demand.timeout_s is None or self._has_left(ws, demand.timeout_s)

    def lost_gpu(self, ws: Any) -> str:
        """How a worker knows that its GPU is gone; empty if it is there, or the worker has none."""
        return str((ws.metrics.get(gpus.METRIC) or {}).get("trouble", ""))

    def _arrange(self) -> JointCores:
        """See to it that it is known which workers lend each other their cores."""
        if not self._arranged:
            self._arranged = True
            self.joint.arrange(ws for ws in self.running if ws.name not in self.leaving)
        return self.joint

    def _has_left(self, ws: Any, seconds: float) -> bool:
        ends_at = self.ends_at(ws)
        return ends_at is None or time.time() + seconds <= ends_at

    def valid_workers(self, ts: Any) -> set[Any] | None:
        """The workers that a task may run on, without those that are leaving."""
        valid: set[Any] | None = super().valid_workers(ts)
        limit_s = (ts.annotations or {}).get(TIMEOUT)
        if limit_s is not None and valid is not None:
            valid = {ws for ws in valid if self._has_left(ws, limit_s)}
        if valid is not None and (demand := Demand.of(ts)).cores > 1:
            valid = {ws for ws in valid if self._arrange().could_hold(demand, ws)}
        if valid is not None and ts.resource_restrictions:
            valid = {ws for ws in valid if not self.lost_gpu(ws)}
        if not self.leaving:
            return valid
        stay = {ws for ws in self.running if ws.name not in self.leaving}
        if valid is None:
            return stay or None  # a result must be given back by somebody
        return valid & stay

    def promise_memory(self, sizes: Mapping[str, int]) -> None:
        """Have tasks count on so much memory from now on, on workers that share it with others.

        Args:
            sizes: Bytes, by the name of the worker. One that is not up yet is passed over.
        """
        changed = {}
        for name, size in sizes.items():
            ws = self.workers.get(self.aliases.get(name))
            if ws is None or ws.resources.get("memory") == size:
                continue
            ws.resources["memory"] = self.resources["memory"][ws.address] = size
            self.worker_send(ws.address, {"op": neighbours.MEMORY_SHARE, "memory_bytes": size})
            changed[name] = size
        if changed:
            self.log_event(neighbours.MEMORY_SHARE, changed)
            self._arranged = False
            self._deal_soon()

    # ---- handing out

    def is_rootish(self, ts: Any) -> bool:
        """Whether Dask is to keep a task in a queue of its own: none, since it would not be seen.

        Without a worker, it would keep what gives results back there, and no pilot would grow.
        """
        return False

    def decide_worker_non_rootish(self, ts: Any) -> Any:
        """The worker of a task: whichever it is being bound to, and none before that."""
        if ts.resource_restrictions is None:
            return super().decide_worker_non_rootish(ts)
        if self._binding is not None and self._binding[0] is ts:
            return self._binding[1]
        self._deal_soon()
        return None

    def bulk_schedule_unrunnable_after_adding_worker(self, ws: Any) -> dict[str, Any]:
        """What a new worker is given at once: what asks for nothing; the rest is dealt out."""
        self._arranged = False
        self._deal_soon()
        nothing = [ts for ts in self.unrunnable if ts.resource_restrictions is None]
        return {ts.key: "processing" for ts in reversed(nothing)}

    def _deal_soon(self) -> None:
        """Deal when all that happens at this moment is done with, in one go."""
        if not self._about_to_deal:
            self._about_to_deal = True
            asyncio.get_running_loop().call_soon(self.deal)

    def deal(self) -> None:
        """Give tasks to all workers that are free for them, the emptiest first."""
        self._about_to_deal = False
        if not self.waiting:
            return
        stimulus = f"deal-{time.time()}"
        self._give_up_stranded(stimulus)
        wide = [each for each in self.waiting.demands() if each[0].cores > 1]
        may_wait_for = self._arrange().kept_free(wide, self.meets) if wide else _anywhere
        free = [ws for ws in list(self._open) if self._may_be_given(ws)]
        while free and self.waiting:
            free.sort(key=_load)
            free = [ws for ws in free if self._give_one(ws, free, stimulus, may_wait_for)]

    def _give_up_stranded(self, stimulus: str) -> None:
        """Fail tasks that only a worker that is gone could have run."""
        stranded = {
            demand
            for demand, _ in self.waiting.demands()
            if demand.workers and self.workers.keys().isdisjoint(demand.workers)
        }
        for ts in list(self.waiting.asking(stranded)) if stranded else ():
            error = WorkerDiedError(
                f"{ts.key}: the worker that it was for has gone; no other may run it"
            )
            news = {"exception": pickle.dumps(error), "cause": ts.key}
            self.transitions(self.transition(ts.key, "erred", stimulus, **news), stimulus)

    def _may_be_given(self, ws: Any) -> bool:
        there = self.workers.get(ws.address) is ws and ws.status == Status.running
        if not there:
            self._open.discard(ws)
        return there and ws.name not in self.leaving

    def _give_one(
        self,
        ws: Any,
        free: list[Any],
        stimulus: str,
        may_wait_for: Callable[[Demand, Any], bool],
    ) -> bool:
        """Give a worker its next task, or let a free one have it that has its inputs.

        A worker whose next task wants the cores of its mates as well gets none before they are
        free, or that task would never run.
        """
        now = time.monotonic()
        ts = self.waiting.first(lambda d: may_wait_for(d, ws) and self.meets(d, ws), now)
        if ts is None or not self._takes(ws, ts):
            return False
        if ts.dependencies and len(free) > 1:
            demand = Demand.of(ts)
            able = [o for o in free if self.meets(demand, o) and self._takes(o, ts)]
            ws = min(able, key=lambda other: self.worker_objective(ts, other))
        ahead = len(ws.processing) >= ws.nthreads
        # A worker takes what it has by priority: in the order in which it was dealt out, or tasks
        # that came earlier, dealt out later, would overtake others there again and again.
        self._dealt += 1
        before = ts.priority
        ts.priority = (before[0], self._dealt, *before[1:])
        self._binding = (ts, ws)
        try:
            self.transitions({ts.key: "processing"}, stimulus)
        finally:
            self._binding = None
        if ts.processing_on is not ws:
            ts.priority = before
            return False
        if (ts.annotations or {}).get(CORES, 1) > 1:
            self.joint.took(ts.key, Demand.of(ts), ws)
        expected_s = self.expected_s(ts)
        self.share.hand_out(workload_of(ts), ts.key, expected_s, now, ahead=ahead)
        return True

    def _exit_processing_common(self, ts: Any) -> Any:
        """A worker has done with a task, or has lost it: its workload is charged for the time."""
        ws, now = ts.processing_on, time.monotonic()
        self.joint.wide.discard(ts.key)
        given = self.share.handed_out_at(ts.key, now)
        began = max(self._free_since.get(ws.address, 0.0), given)
        self.share.take_back(ts.key, max(0.0, now - began))
        self._free_since[ws.address] = now
        return super()._exit_processing_common(ts)

    async def remove_worker(
        self, address: str, *, stimulus_id: str, expected: bool = False, close: bool = True
    ) -> Literal["OK", "already-removed"]:
        """Remove a worker, and what was noted of it."""
        address = self.coerce_address(address)
        ws = self.workers.get(address)
        try:
            outcome: Literal["OK", "already-removed"] = await super().remove_worker(
                address, stimulus_id=stimulus_id, expected=expected, close=close
            )
            return outcome
        finally:
            self._arranged = False
            if self.workers.get(address) is not ws or ws is None:
                self._open.discard(ws)
                self._free_since.pop(address, None)

    # ---- leaving

    def let_leave(self, names: set[str]) -> None:
        """Give workers nothing more; what waits on one of them behind a task runs elsewhere.

        Args:
            names: The names of all that are to leave; others stay.
        """
        begun = names - self.leaving
        self._arranged = self._arranged and self.leaving == names
        self.leaving = names
        stealing = self.extensions.get("stealing")
        for ws in [ws for ws in self.workers.values() if ws.name in begun]:
            runs = suspects(ws)
            for ts in [ts for ts in ws.processing if ts not in runs]:
                others = self.valid_workers(ts)
                if others and stealing is not None:
                    best = min(others, key=lambda other: self.worker_objective(ts, other))
                    stealing.move_task_request(ts, ws, best)

    # ---- what waits

    def homeless(self) -> set[Any]:
        """The tasks that wait for a kind of worker of which none is up."""
        stay = [ws for ws in self.running if ws.name not in self.leaving]
        without = {
            demand
            for demand, _ in self.waiting.demands()
            if not any(self.meets(demand, ws) for ws in stay)
        }
        return set(self.waiting.asking(without)) if without else set()

    def could_run(self, offers: Callable[[Demand], bool]) -> bool:
        """Whether anything waits that workers with such offers could run."""
        return any(offers(demand) for demand, _ in self.waiting.demands())


def _anywhere(demand: Demand, ws: Any) -> bool:
    """No worker is kept free for anything."""
    return True


def _load(ws: Any) -> float:
    return float(len(ws.processing) / ws.nthreads)
