"""Whether a plan suits the circuit at hand: made for it, and still cheap at its angles."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.lightcone import measured_by, needed_gates
from qdreamer_lab.workload.circuit.pulled_back import PulledBack, pulled_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["dearer", "fitted", "fitted_as_measured"]

_NOT_FITTING = "the plan was made for another circuit, or for narrower observables"

_DEARER_BITS = 1.0
"""Binary logarithm of the factor in sampling overhead from which on a plan is made anew."""


def fitted(
    plan: Partition, gates: GateList, num_qubits: int, terms: tuple[Factors, ...]
) -> tuple[BlockCircuit, PulledBack]:
    """The part of a circuit for which a plan was made, and what is to be evaluated after it.

    A plan is made for the whole light cone of some qubits, or, if it comes from the metadata of an
    earlier run, without gates that commute with the observables, or for observables that have been
    carried back through Clifford gates.

    Raises:
        PlanError: If it is none of them.
    """
    _check_width(plan, num_qubits)
    for left in itertools.chain(_ways(gates, terms), _as_planned(plan, gates, terms)):
        blocks = _part(plan, gates, left)
        if blocks is not None:
            return blocks, left
    raise PlanError(_NOT_FITTING)


def fitted_as_measured(
    plan: Partition, gates: GateList, num_qubits: int, terms: tuple[Factors, ...]
) -> BlockCircuit:
    """As `fitted`, where observables are to be measured as they were given.

    Raises:
        PlanError: If the plan was not made for that.
    """
    _check_width(plan, num_qubits)
    for left in _ways(gates, terms):
        blocks = _part(plan, gates, left)
        if blocks is not None:
            return blocks
    raise PlanError(_NOT_FITTING)


def _check_width(plan: Partition, num_qubits: int) -> None:
    if plan.blocks.num_qubits != num_qubits:
        raise PlanError(
            f"the plan was made for another circuit, with {plan.blocks.num_qubits} qubits instead "
            f"of {num_qubits}"
        )


def _ways(gates: GateList, terms: tuple[Factors, ...]) -> Iterator[PulledBack]:
    """All gates; and those that do not commute with the terms."""
    yield PulledBack(tuple(range(len(gates.qubits))), terms, np.ones(len(terms)))
    yield PulledBack(tuple(needed_gates(gates, measured_by(terms))), terms, np.ones(len(terms)))


def _as_planned(
    plan: Partition, gates: GateList, terms: tuple[Factors, ...]
) -> Iterator[PulledBack]:
    """Gates through which no term can go; then all that the plan has, at whatever angles."""
    yield pulled_back(gates, terms)
    inside = {source for block in plan.blocks.sources for source in block}
    two = [
        k
        for k, (qubits, source) in enumerate(zip(gates.qubits, gates.sources, strict=True))
        if len(qubits) == 2 and source in inside
    ]
    yield pulled_back(gates, terms, two)


def _part(plan: Partition, gates: GateList, left: PulledBack) -> BlockCircuit | None:
    """The plan's part of these gates; None if the plan was not made for them."""
    blocks = plan.blocks
    if not set(measured_by(left.terms)) <= set(blocks.measured):
        return None
    part = blocks_of_gates(
        gates, blocks.num_qubits, blocks.measured, among=left.gates, merge=blocks.merged
    )
    return part if np.array_equal(part.pairs, blocks.pairs) else None


def dearer(plan: Partition, made: Partition) -> bool:
    """Whether a plan costs clearly more than it did with the values for which it was made.

    Gates may vanish at angles such as 0, with which sweeps and optimizers like to begin. A plan
    made there cuts them as if that cost nothing.
    """
    return plan.log2_overhead > made.log2_overhead + _DEARER_BITS
