"""One plan for all terms of a circuit, for every set of its parameter values.

Planning happens once: other values keep the labels as long as the circuit has the same blocks, also
from one request to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.cones import restricted
from qdreamer_lab.workload.options import SearchOptions
from qdreamer_lab.workload.planner import plan_blocks

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.blocks import BlockCircuit
    from qdreamer_lab.workload.estimate import Request, RunOptions
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["BoundPlans"]


class BoundPlans:
    """The plan of the circuit and observables that were run last."""

    def __init__(self) -> None:
        self._last: CutPlan | None = None

    def plans(self, request: Request, options: RunOptions) -> list[CutPlan]:
        """A plan for each of the request's circuits.

        Raises:
            PlanError: if the given plan does not belong to the circuit.
        """
        acted = {qubit for one in request.observables for term in one for qubit, _ in term.factors}
        measured = tuple(sorted(acted))
        return [self._plan(circuit, measured, options) for circuit in request.circuits]

    def _plan(
        self, circuit: QuantumCircuit, measured: tuple[int, ...], options: RunOptions
    ) -> CutPlan:
        given = options.plan
        blocks = to_blocks(circuit, merge=given is None or given.blocks.merged)
        if given is not None:
            part = restricted(blocks, given.blocks.measured)
            same = np.array_equal(part.pairs, given.blocks.pairs)
            if not same or not set(measured) <= set(given.blocks.measured):
                raise PlanError(
                    "the plan was made for another circuit, or for narrower observables"
                )
            return given.with_blocks(part)
        cone = restricted(blocks, measured)
        last = self._last
        if last is None or last.max_qubits != options.max_qubits or not _alike(cone, last.blocks):
            last = plan_blocks(cone, options.max_qubits, SearchOptions(seed=options.seed))
        self._last = last.with_blocks(cone)
        return self._last


def _alike(one: BlockCircuit, two: BlockCircuit) -> bool:
    """Whether two circuits have the same blocks, whatever their matrices."""
    return one.measured == two.measured and np.array_equal(one.pairs, two.pairs)
