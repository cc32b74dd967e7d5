"""One plan for every set of parameter values of a circuit.

Planning happens once: later bindings keep the labels as long as they have the same blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.options import SearchOptions
from qdreamer_lab.workload.planner import plan_blocks

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.estimate import Request, RunOptions
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["plan_bindings"]


def plan_bindings(request: Request, options: RunOptions) -> list[CutPlan]:
    """A plan for each of the request's circuits.

    Raises:
        PlanError: if the given plan does not belong to the circuit.
    """
    measured = tuple(sorted({q for one in request.observables for t in one for q, _ in t.factors}))
    plans: list[CutPlan] = []
    for circuit in request.circuits:
        known = plans[-1] if plans else options.plan
        plans.append(_replanned(circuit, measured, known, options))
    return plans


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
