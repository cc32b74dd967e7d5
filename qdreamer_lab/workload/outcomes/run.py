"""Distributions from end to end, in both modes: plan, run fragments, join them.

Ties the steps together and keeps the clock; what the steps do is said where they are.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.estimate import Estimate, Seconds
from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.long_run_warning import EXACT_S
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.execution.progress import FragmentProgress, Report
from qdreamer_lab.workload.fragment.lower import fragment_programs
from qdreamer_lab.workload.fragment.task_memory import task_memory_bytes
from qdreamer_lab.workload.outcomes.estimated import EstimatedOutcomes, Part, check_table
from qdreamer_lab.workload.outcomes.exact import ExactOutcomes
from qdreamer_lab.workload.outcomes.network import joining_bytes
from qdreamer_lab.workload.outcomes.piece import Piece
from qdreamer_lab.workload.outcomes.rounds import (
    OutcomeRounds,
    check_outcomes,
    lower_outcomes,
    measured_here,
)
from qdreamer_lab.workload.outcomes.simulate import (
    OutcomeAmplitudes,
    check_task,
    kept_bytes,
    outcome_amplitudes,
)
from qdreamer_lab.workload.sampled.plans import BoundPlans
from qdreamer_lab.workload.sampled.reconstruct import glued
from qdreamer_lab.workload.sampled.run import Story, goal_of, routes_for
from qdreamer_lab.workload.sampled.simulate import check_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.fragment.program import FragmentProgram
    from qdreamer_lab.workload.outcomes.distribution import Outcomes
    from qdreamer_lab.workload.request import Request, RunSettings

__all__ = ["ExactRun", "OutcomeRun", "SampledRun", "prepared_outcomes"]

_NO_VALUES = np.zeros(0)

_CERTAIN = np.zeros((0, 2)), np.zeros((0, 1))
"""Deviations of a qubit that no block touches."""


class OutcomeRun(Protocol):
    """Answers requests for distributions in one mode, and keeps plans from one to the next."""

    def run(
        self,
        request: Request,
        measured: Sequence[int],
        settings: RunSettings,
        execution: Execution,
    ) -> tuple[list[Outcomes], Estimate]:
        """The distribution of every binding.

        Args:
            request: Circuits without measurements; its observables are Z on each measured qubit.
            measured: The qubits that are measured.
            settings: What to compute.
            execution: Where and how.

        Returns:
            One for each binding, and how the run went; the estimate has no values of its own.

        Raises:
            MemoryLimitError: If something does not fit.
            PlanError: If the given plan does not belong to the circuit.
            CancelledError: If `execution.stop` was set.
        """


class ExactRun:
    """Simulates fragments as state vectors; an `OutcomeRun`."""

    def __init__(self) -> None:
        self._plans = BoundPlans()

    def run(
        self,
        request: Request,
        measured: Sequence[int],
        settings: RunSettings,
        execution: Execution,
    ) -> tuple[list[Outcomes], Estimate]:
        """As `OutcomeRun` says."""
        start = time.perf_counter()
        plans = self._plans.plans(request, settings)
        programs = [fragment_programs(plan) for plan in plans]
        _check_fits(programs, measured, execution)
        work = sum(_work(program) for mine in programs for program in mine)
        execution.warn_if_long(EXACT_S * work)
        planned = time.perf_counter()
        found, rows = _simulated(programs, measured, execution)
        executed = time.perf_counter()
        outcomes: list[Outcomes] = []
        for binding, (plan, mine) in enumerate(zip(plans, programs, strict=True)):
            pieces = [
                Piece(_names(program, measured), program.axes, found[binding, k])
                for k, program in enumerate(mine)
            ]
            pieces += [
                Piece((qubit,), (), state.reshape(1, 1, 2))
                for qubit, state in _lone_states(plan, measured)
            ]
            outcomes.append(ExactOutcomes(pieces))
            execution.binding_done()
        return outcomes, Estimate(
            evs=_NO_VALUES,
            stds=_NO_VALUES,
            rows=tuple(rows),
            plans=tuple(plans[:1]),
            variants=sum(row.variants for row in rows),
            shots=0,
            seconds=Seconds(
                plan_s=planned - start,
                execute_s=executed - planned,
                contract_s=time.perf_counter() - executed,
            ),
        )


class SampledRun:
    """Runs variants of fragments for shots; an `OutcomeRun`."""

    def __init__(self) -> None:
        self._plans = BoundPlans()

    def run(
        self,
        request: Request,
        measured: Sequence[int],
        settings: RunSettings,
        execution: Execution,
    ) -> tuple[list[Outcomes], Estimate]:
        """As `OutcomeRun` says."""
        start = time.perf_counter()
        rounds = prepared_outcomes(self._plans, request, measured, settings, execution)
        planned = time.perf_counter()
        routes = routes_for(request, settings, execution)
        routes.prepare([each.program for each in rounds], request.source, request.values)
        story = Story(rounds, execution, routes)
        story.run_all()
        outcomes: list[Outcomes] = [
            EstimatedOutcomes(_parts(each, measured), (*settings.entropy, binding))
            for binding, each in enumerate(rounds)
        ]
        spent = time.perf_counter() - planned
        return outcomes, story.estimate(_NO_VALUES, _NO_VALUES, planned - start, spent)


def prepared_outcomes(
    plans: BoundPlans,
    request: Request,
    measured: Sequence[int],
    settings: RunSettings,
    execution: Execution,
) -> list[OutcomeRounds]:
    """For each binding its rounds of shots.

    Raises:
        MemoryLimitError: If something does not fit.
        PrecisionError: If the shots given are too few for the circuits there are.
        PlanError: If the given plan does not belong to the circuit.
    """
    check_table(len(measured), execution.limit_bytes())
    simulated, limit = execution.backend is None, task_memory_bytes(execution)
    goal = goal_of(np.inf, settings, execution)
    rounds = []
    for binding, plan in enumerate(plans.plans(request, settings)):
        program = lower_outcomes(plan, measured, joint=simulated)
        for fragment in program.fragments:
            check_outcomes(fragment, limit)
            check_memory(fragment, limit, simulated=simulated)
        seed = (*settings.entropy, binding)
        rounds.append(OutcomeRounds(program, goal, seed, coarse=not simulated))
    return rounds


def _parts(rounds: OutcomeRounds, measured: Sequence[int]) -> list[Part]:
    """What the shots say, glue multiplied in, and the qubits that no block touches."""
    program = rounds.program
    parts = []
    for k, (fragment, tensor) in enumerate(zip(program.fragments, rounds.tensors, strict=True)):
        (mean,) = glued(fragment, program.glues, tensor.mean[None])
        away = glued(fragment, program.glues, tensor.deviations)
        unseen = glued(fragment, program.glues, rounds.unseen(k)[:, None])
        legs = tuple(leg.glue for leg in fragment.legs)
        parts.append(Part(_names(fragment.program, measured), legs, mean, away, unseen))
    for qubit, state in _lone_states(program.plan, measured):
        parts.append(Part((qubit,), (), np.square(np.abs(state)), *_CERTAIN))
    return parts


def _names(program: FragmentProgram, measured: Sequence[int]) -> tuple[int, ...]:
    """The circuit's qubits that a fragment measures."""
    return tuple(qubit for qubit, _ in measured_here(program, measured))


def _lone_states(
    plan: Partition, measured: Sequence[int]
) -> list[tuple[int, NDArray[np.complex128]]]:
    """Measured qubits that no block touches, with their (2,) states."""
    lone = plan.blocks.lone
    return [(qubit, lone[qubit][:, 0]) for qubit in sorted(set(measured) & lone.keys())]


def _check_fits(
    programs: Sequence[Sequence[FragmentProgram]], measured: Sequence[int], execution: Execution
) -> None:
    """Refuse what does not fit into tasks, or into this process when it has come back.

    Raises:
        MemoryLimitError: It says what would.
    """
    here, task = execution.limit_bytes(), task_memory_bytes(execution)
    needed = 0
    for mine in programs:
        shapes = [(program.axes, len(_names(program, measured))) for program in mine]
        for program, (_, read) in zip(mine, shapes, strict=True):
            check_task(program, read, task)
            needed += kept_bytes(program, read)
        needed += joining_bytes(shapes) if shapes else 0
    if needed > here // 2:
        several = f" of {len(programs)} sets of parameter values" if len(programs) > 1 else ""
        raise MemoryLimitError(
            f"the outcomes of all fragments{several}, and what joins them at their cuts, need "
            f"{readable(needed)}, and as much again to "
            f"work with, but {readable(here)} may be used: measure fewer qubits, plan with fewer "
            "cuts or a smaller max_qubits, or hand over fewer sets of parameter values at a time"
        )


def _work(program: FragmentProgram) -> float:
    """Rough floating-point operations of simulating a fragment."""
    return 32.0 * len(program.steps) * program.variants * 2.0**program.width


def _simulated(
    programs: Sequence[Sequence[FragmentProgram]], measured: Sequence[int], execution: Execution
) -> tuple[dict[tuple[int, int], NDArray[np.complex128]], list[FragmentRow]]:
    """The amplitudes of every fragment of every binding, by the numbers of both."""
    several = len(programs) > 1
    device = execution.device
    chunks: dict[Chunk, tuple[int, int]] = {}
    for binding, mine in enumerate(programs):
        for k, program in enumerate(mine):
            local = tuple(place for _, place in measured_here(program, measured))
            chunk = Chunk(
                binding=binding,
                fragment=program.id,
                width=program.width,
                variants=program.variants,
                work=_work(program),
                function=outcome_amplitudes,
                args=(program, local, device),
                suffix=f"-binding-{binding}" if several else "",
                threads=True,
            )
            chunks[chunk] = binding, k
    found: dict[tuple[int, int], NDArray[np.complex128]] = {}
    rows: list[FragmentRow] = []
    totals, done = Counter(chunk.fragment for chunk in chunks), Counter[int]()

    def keep(chunk: Chunk, result: OutcomeAmplitudes, row: FragmentRow) -> None:
        found[chunks[chunk]] = result.amplitudes
        rows.append(row)
        done[chunk.fragment] += 1
        told = tuple(FragmentProgress(f, done[f], total) for f, total in sorted(totals.items()))
        execution.report(Report(told, row, over=len(found) == len(chunks)))

    execution.run(chunks, keep)
    return found, rows
