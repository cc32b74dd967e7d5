"""Sampled mode from end to end: plan, lower, run rounds of shots, put together.

Ties the steps together and keeps the clock; what the steps do is said where they are.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import DeviceError, WorkersLostError
from qdreamer_lab.workload.estimate import Estimate, Seconds
from qdreamer_lab.workload.execution.decisions import PlanDropped
from qdreamer_lab.workload.execution.long_run_warning import ROUGH_S
from qdreamer_lab.workload.execution.pace import Pace
from qdreamer_lab.workload.execution.progress import FragmentProgress, Report
from qdreamer_lab.workload.execution.threads import one_thread
from qdreamer_lab.workload.fragment.task_memory import task_memory_bytes
from qdreamer_lab.workload.sampled.device.confusion import READOUT_SHARE
from qdreamer_lab.workload.sampled.device.jobs import device_pace
from qdreamer_lab.workload.sampled.device.routes import Failure, Routes
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.noise_levels import extrapolated, levels_of, of_levels
from qdreamer_lab.workload.sampled.plans import BoundPlans
from qdreamer_lab.workload.sampled.rounds import ShotRounds
from qdreamer_lab.workload.sampled.shot_goal import Goal
from qdreamer_lab.workload.sampled.shot_share import ShotShare
from qdreamer_lab.workload.sampled.simulate import check_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.execution.chunk import Chunk, FragmentRow
    from qdreamer_lab.workload.execution.device import Device
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import Request, RunSettings
    from qdreamer_lab.workload.sampled.noise_levels import Level
    from qdreamer_lab.workload.sampled.rounds import Rounds
    from qdreamer_lab.workload.sampled.shot_share import ShotPart
    from qdreamer_lab.workload.sampled.shots import ShotRequest, ShotResult

__all__ = ["SampledRunner", "Story", "goal_of", "prepared", "routes_for"]


class SampledRunner:
    """Estimates from shots of the variants of fragments; keeps the plan of the last request."""

    def __init__(self) -> None:
        self._plans = BoundPlans()

    def run(self, request: Request, settings: RunSettings, execution: Execution) -> Estimate:
        """Estimate all values of a request.

        Raises:
            PrecisionError: If the precision cannot be reached with the shots allowed.
            MemoryLimitError: If a fragment does not fit into a task.
            PlanError: If the given plan does not belong to the circuit.
            CancelledError: If `execution.stop` was set.
            PlanDropped: If the plan is given up; the estimate so far goes with it.
        """
        levels = levels_of(request, settings, execution)
        with of_levels(levels):
            return extrapolated(levels, [self._run(level) for level in levels])

    def _run(self, level: Level) -> Estimate:
        """All rounds at one level of noise."""
        request, settings, execution = level.request, level.settings, level.execution
        start = time.perf_counter()
        rounds, wanted = prepared(self._plans, request, settings, execution)
        planned = time.perf_counter()
        routes = routes_for(request, settings, execution)
        routes.prepare([each.program for each in rounds], request.source, request.values)
        values = partial(_values, request, rounds, wanted)
        story = Story(rounds, execution, routes, values)
        try:
            story.run_all()
        except PlanDropped as dropped:
            dropped.keep(*values(), np.zeros(len(request.pairs), np.bool_))
            raise
        evs, stds = values()
        return story.estimate(evs, stds, planned - start, time.perf_counter() - planned)


def prepared(
    plans: BoundPlans, request: Request, settings: RunSettings, execution: Execution
) -> tuple[list[ShotRounds], list[NDArray[np.int64]]]:
    """For each binding its rounds of shots, and the observables wanted of it.

    Raises:
        PrecisionError: If the shots allowed are too few for the circuits there are.
        MemoryLimitError: If a fragment does not fit into a task.
        PlanError: If the given plan does not belong to the circuit.
    """
    goal = goal_of(request.precision, settings, execution)
    simulated, limit = execution.backend is None, task_memory_bytes(execution)
    rounds, wanted = [], []
    for k, plan in enumerate(plans.plans(request, settings)):
        mine = np.unique(request.pairs[request.pairs[:, 0] == k, 1])
        terms = [request.observables[observable] for observable in mine.tolist()]
        program = lower(plan, terms, joint=simulated)
        for fragment in program.fragments:
            check_memory(fragment, limit, simulated=simulated)
        rounds.append(ShotRounds(program, goal, (*settings.entropy, k), coarse=not simulated))
        wanted.append(mine)
    return rounds, wanted


def goal_of(precision: float, settings: RunSettings, execution: Execution) -> Goal:
    """When there are enough shots of variants; some may go to circuits that show misread qubits.

    Args:
        precision: Standard error wanted.
        settings: With the shots that are allowed, those others included.
        execution: Where and how.
    """
    share = 1 - READOUT_SHARE if "readout" in execution.device_options.mitigation else 1.0
    shots = None if settings.shots is None else int(share * settings.shots)
    return Goal(precision, shots, int(share * settings.max_shots))


def routes_for(request: Request, settings: RunSettings, execution: Execution) -> Routes:
    """Where the fragments of a run go.

    Raises:
        QDreamerError: If prices are to decide, and there are none, or in several currencies.
    """
    return Routes(
        execution.devices,
        in_process=execution.in_process,
        fallback=execution.fallback is not None,
        simulate_on=execution.simulators.device,
        prefer=execution.prefer,
        options=execution.device_options,
        shots=goal_of(request.precision, settings, execution).expected,
    )


def _values(
    request: Request, rounds: Sequence[ShotRounds], wanted: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and standard errors as they were asked for; NaN where none is known yet."""
    evs, stds = np.empty((2, len(request.pairs)))
    for k, (binding, observable) in enumerate(request.pairs.tolist()):
        place = int(np.searchsorted(wanted[binding], observable))
        evs[k] = rounds[binding].evs[place]
        stds[k] = rounds[binding].stds[place]
    return evs, stds


class _Stop(threading.Event):
    """Is set if another event is."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()


class Story:
    """The rounds of all bindings, and what has come of them so far.

    Args:
        rounds: Of each binding.
        execution: Where and how.
        routes: Where fragments go; they have been written for the device, if there is one.
        values: What progress reports tell of values and standard errors; None for nothing.

    Attributes:
        rows: One per finished task.
        contract_s: Wall time of putting results together.
        shots: Shots taken.
    """

    def __init__(
        self,
        rounds: Sequence[Rounds],
        execution: Execution,
        routes: Routes,
        values: Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None,
    ) -> None:
        self._routes = routes
        self._rounds = rounds
        self._values = values
        self._execution = execution
        self._shares: dict[tuple[int, int], ShotShare] = {}
        self._done: dict[int, int] = {}
        self._missed: list[tuple[ShotShare, ShotRequest]] = []
        self._keeping = threading.Lock()
        options = execution.device_options
        self._pace = {each: device_pace(each.backend, options) for each in execution.devices}
        self._simulators_pace = Pace()
        self.rows: list[FragmentRow] = []
        self.contract_s = 0.0
        self.shots = 0

    def run_all(self) -> None:
        """Run rounds until every binding has reached its goal."""
        while self.next_round():
            self.run()
            self.conclude()
        self.tell(None, over=True)

    def estimate(
        self,
        evs: NDArray[np.float64],
        stds: NDArray[np.float64],
        plan_s: float,
        rest_s: float,
    ) -> Estimate:
        """What it has come to.

        Args:
            evs: Values.
            stds: Their standard errors.
            plan_s: Seconds of wall time that planning took.
            rest_s: Those since then, all together.
        """
        transpile_s = self._routes.transpile_s
        return Estimate(
            evs=evs,
            stds=stds,
            rows=tuple(self.rows),
            plans=tuple(each.program.plan for each in self._rounds[:1]),
            variants=sum(each.program.num_variants for each in self._rounds),
            shots=self.shots,
            seconds=Seconds(
                plan_s=plan_s,
                transpile_s=transpile_s,
                execute_s=rest_s - self.contract_s - transpile_s,
                contract_s=self.contract_s,
            ),
            notes=self._routes.notes,
        )

    def next_round(self) -> bool:
        """Decide what to run next; False when every binding has reached its goal."""
        start = time.perf_counter()
        shares: dict[tuple[int, int], ShotShare] = {}
        for k, each in enumerate(self._rounds):
            suffix = f"-binding-{k}" if len(self._rounds) > 1 else ""
            for fragment, asked in zip(each.program.fragments, each.requests(), strict=False):
                shares[k, fragment.program.id] = ShotShare(k, fragment, asked, suffix)
        if shares:
            self._warn(shares.values())
            self._shares = shares
            self._done = dict.fromkeys((fragment for _, fragment in shares), 0)
            self._execution.shots_planned(sum(share.shots_left for share in shares.values()))
        self.contract_s += time.perf_counter() - start
        return bool(shares)

    def _warn(self, shares: Iterable[ShotShare]) -> None:
        """Say so before a round that takes hours; how long a device takes is not known here."""
        simulated = (
            len(share.request.variants) * share.work_per_variant
            for share in shares
            if not self._routes.devices(share.number)
        )
        self._execution.warn_if_long(ROUGH_S * sum(simulated))

    def run(self) -> None:
        """Run the round: on devices what can, and what they missed on others, or on simulators."""
        work = [(share, share.request) for share in self._shares.values()]
        while work:
            by_device, simulated = self._routes.dealt(work)
            self._on_devices(by_device)
            self._execution.simulators.run(simulated, self._keep, pace=self._simulators_pace)
            work, self._missed = list(self._missed), []

    def _on_devices(self, work: Mapping[Device, list[ShotPart]]) -> None:
        """Run what each device is to do, all devices at the same time."""
        if len(self._execution.devices) == 1:
            for device, mine in work.items():
                keep = partial(self._keep, device=device)
                self._execution.run(mine, keep, pace=self._pace[device])
            return
        failed = _Stop(self._execution.stop)
        execution = replace(self._execution, stop=failed)
        with ThreadPoolExecutor(max(1, len(work)), thread_name_prefix="device") as pool:
            runs = [
                pool.submit(self._beside_others, execution, *each, failed) for each in work.items()
            ]
        errors = [error for error in (run.exception() for run in runs) if error is not None]
        told = [error for error in errors if not isinstance(error, CancelledError)]
        if errors:
            raise (told or errors)[0]

    def _beside_others(
        self,
        execution: Execution,
        device: Device,
        work: list[ShotPart],
        failed: _Stop,
    ) -> None:
        """Run what one of several devices is to do; if it is lost, that is for others to do."""
        keep = partial(self._keep, device=device)
        try:
            execution.beside_others(device).run(work, keep, pace=self._pace[device])
        except WorkersLostError as lost:
            error = DeviceError(device.name, str(lost))
            with self._keeping:
                for chunk in [chunk for part in work for chunk in part.unfinished()]:
                    self._miss(chunk, error, device, lost=True)
        except BaseException:
            failed.set()
            raise

    def _keep(
        self,
        chunk: Chunk,
        result: ShotResult | Failure,
        row: FragmentRow,
        device: Device | None = None,
    ) -> None:
        """Fold in a task's result."""
        with self._keeping:
            if isinstance(result, Failure):
                assert device is not None
                self._miss(chunk, result.error, device)
                return
            self._shares[chunk.binding, chunk.fragment].keep(chunk, result)
            name = "" if device is None else device.name
            self.rows.append(replace(row, device=name, shots=row.shots + result.besides))
            self.shots += chunk.shots + result.besides
            self._done[chunk.fragment] += chunk.variants
            self.tell(row)

    def _miss(
        self, chunk: Chunk, error: DeviceError, device: Device, *, lost: bool = False
    ) -> None:
        """Have a chunk run on what is left for its fragment."""
        self._routes.refuse(chunk.fragment, error, device, lost=lost)
        share = self._shares[chunk.binding, chunk.fragment]
        self._missed.append((share, share.missed(chunk)))

    def conclude(self) -> None:
        """End the round: new estimates for the bindings that took part."""
        start = time.perf_counter()
        for k, each in enumerate(self._rounds):
            mine = [self._shares.get((k, f.program.id)) for f in each.program.fragments]
            results = [share.result() for share in mine if share is not None]
            if results:
                with one_thread():
                    each.take(results)
        self.contract_s += time.perf_counter() - start
        self.tell(None)

    def tell(self, row: FragmentRow | None, *, over: bool = False) -> None:
        """Report how it is getting on."""
        if self._execution.progress is None:
            return
        totals = dict.fromkeys(self._done, 0)
        for share in self._shares.values():
            totals[share.fragment.program.id] += len(share.request.variants)
        # A circuit whose shots two devices share is done twice.
        fragments = tuple(
            FragmentProgress(f, min(self._done[f], total), total)
            for f, total in sorted(totals.items())
        )
        left = sum(int(share.shots_left) for share in self._shares.values())
        evs, stds = self._values() if self._values is not None else (None, None)
        known = evs is not None and bool(np.isfinite(evs).all())
        self._execution.report(
            Report(
                fragments=fragments,
                row=row,
                shots=self.shots,
                shots_total=self.shots + left,
                evs=evs if known else None,
                stds=stds if known else None,
                over=over,
            )
        )
