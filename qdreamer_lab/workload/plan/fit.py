"""Whether a plan suits the circuit at hand: made for it, and still cheap at its angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.lightcone import measured_by, needed_gates

if TYPE_CHECKING:
    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.circuit.gates import FlatGate
    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["dearer", "fitted"]

_DEARER_BITS = 1.0
"""Binary logarithm of the factor in sampling overhead from which on a plan is made anew."""


def fitted(
    plan: Partition, gates: list[FlatGate], listed: GateList, terms: tuple[Factors, ...]
) -> tuple[BlockCircuit, list[int]]:
    """The part of a circuit for which a plan was made, and its gates.

    A plan is made for the whole light cone of some qubits, or, if it comes from the metadata of an
    earlier run, without gates that commute with the observables.

    Raises:
        PlanError: If it is neither.
    """
    blocks, acted = plan.blocks, measured_by(terms)
    if set(acted) <= set(blocks.measured):
        for chosen in (list(range(len(gates))), needed_gates(listed, acted)):
            inside = (gates[k] for k in chosen)
            part = blocks_of_gates(inside, blocks.num_qubits, blocks.measured, merge=blocks.merged)
            if np.array_equal(part.pairs, blocks.pairs):
                return part, chosen
    raise PlanError("the plan was made for another circuit, or for narrower observables")


def dearer(plan: Partition, made: Partition) -> bool:
    """Whether a plan costs clearly more than it did with the values for which it was made.

    Gates may vanish at angles such as 0, with which sweeps and optimizers like to begin. A plan
    made there cuts them as if that cost nothing.
    """
    return plan.log2_overhead > made.log2_overhead + _DEARER_BITS
