"""Exact mode from end to end: plan, simulate fragments, put them together.

Ties the steps together and keeps the clock; what the steps do is said where they are.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.dispatch import Chunk, FragmentRow, run_chunks
from qdreamer_lab.workload.estimate import Estimate, Request, RunOptions
from qdreamer_lab.workload.exact import ExactRun, FragmentJob, prepare
from qdreamer_lab.workload.options import SearchOptions
from qdreamer_lab.workload.planner import plan_blocks
from qdreamer_lab.workload.simulate import FragmentResult, check_memory, run_fragment

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.observables import Factors
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["run_exact"]


@dataclass(frozen=True, eq=False, slots=True)
class _Binding:
    """One set of parameter values: its plan, and the terms wanted of it, ready to run."""

    plan: CutPlan
    terms: dict[Factors, int]
    run: ExactRun


def run_exact(request: Request, options: RunOptions) -> Estimate:
    """Estimate by simulating fragments as state vectors.

    Raises:
        MemoryLimitError: if a fragment or the reconstruction does not fit.
        PlanError: if the given plan does not belong to the circuit.
        CancelledError: if `options.stop` was set.
    """
    clock = [time.perf_counter()]
    bindings = _prepare(request, options)
    clock.append(time.perf_counter())
    tensors, rows = _simulate(bindings, options)
    clock.append(time.perf_counter())
    values = [
        binding.run.values(found, options.memory_limit_bytes)
        for binding, found in zip(bindings, tensors, strict=True)
    ]
    evs = _summed(request, bindings, values)
    clock.append(time.perf_counter())
    plan_s, execute_s, contract_s = np.diff(clock).tolist()
    return Estimate(
        evs,
        np.zeros_like(evs),
        tuple(sorted(rows, key=lambda row: (row.binding, row.fragment))),
        (bindings[0].plan,) if bindings else (),
        sum(row.variants for row in rows),
        0,
        {"plan_s": plan_s, "execute_s": execute_s, "contract_s": contract_s},
    )


def _prepare(request: Request, options: RunOptions) -> list[_Binding]:
    """Plan once; later bindings keep the labels as long as they have the same blocks."""
    bindings: list[_Binding] = []
    plan = options.plan
    for k, circuit in enumerate(request.circuits):
        wanted: dict[Factors, int] = {}
        for observable in np.unique(request.pairs[request.pairs[:, 0] == k, 1]).tolist():
            for term in request.observables[observable]:
                wanted.setdefault(term.factors, len(wanted))
        measured = tuple(
            sorted({q for one in request.observables for t in one for q, _ in t.factors})
        )
        plan = _replanned(circuit, measured, plan, options)
        bindings.append(_Binding(plan, wanted, prepare(plan, list(wanted))))
    return bindings


def _replanned(
    circuit: QuantumCircuit,
    measured: tuple[int, ...],
    known: CutPlan | None,
    options: RunOptions,
) -> CutPlan:
    """The known plan with this circuit's matrices, if it has the same blocks; or a new one."""
    merge = known is None or known.blocks.merged
    blocks = to_blocks(circuit, measured=measured, merge=merge)
    if known is not None and np.array_equal(blocks.pairs, known.blocks.pairs):
        return known.with_blocks(blocks)
    if options.plan is None:
        return plan_blocks(blocks, options.max_qubits, SearchOptions(seed=options.seed))
    whole = to_blocks(circuit, merge=merge)
    if not np.array_equal(whole.pairs, options.plan.blocks.pairs):
        raise PlanError("the plan was made for another circuit, or for narrower observables")
    return options.plan.with_blocks(whole)


def _simulate(
    bindings: list[_Binding], options: RunOptions
) -> tuple[list[list[NDArray[np.complex128]]], list[FragmentRow]]:
    limit = options.memory_limit_bytes
    tensors: list[dict[int, Any]] = [{} for _ in bindings]
    rows: list[FragmentRow] = []
    jobs = [(k, job) for k, binding in enumerate(bindings) for job in binding.run.jobs]
    if options.session is None or limit is not None:
        for _, job in jobs:
            check_memory(job.program, len(job.operators), limit)

    def keep(chunk: Chunk, result: FragmentResult, row: FragmentRow) -> None:
        tensors[chunk.binding][chunk.fragment] = result.tensors
        rows.append(row)
        if options.progress is not None:
            options.progress(len(rows), len(jobs), row)

    run_chunks(
        (_chunk(k, job, limit, several=len(bindings) > 1) for k, job in jobs),
        options.session,
        on=options.on,
        stop=options.stop,
        keep=keep,
    )
    found = [
        [one[job.program.id] for job in binding.run.jobs]
        for binding, one in zip(bindings, tensors, strict=True)
    ]
    return found, rows


def _chunk(binding: int, job: FragmentJob, limit: int | None, *, several: bool) -> Chunk:
    program = job.program
    return Chunk(
        binding,
        program.id,
        program.width,
        program.variants,
        math.ldexp(program.variants * len(program.steps), program.width),
        run_fragment,
        (program, job.operators, limit),
        f"-binding-{binding}" if several else "",
    )


def _summed(
    request: Request, bindings: list[_Binding], values: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Put the terms of every observable together."""
    evs = np.zeros(len(request.pairs))
    for k, (binding, observable) in enumerate(request.pairs.tolist()):
        place = bindings[binding].terms
        evs[k] = sum(
            term.coefficient * values[binding][place[term.factors]]
            for term in request.observables[observable]
        )
    return evs
