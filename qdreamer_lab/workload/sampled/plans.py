"""One plan for all terms of a circuit, for every set of its parameter values.

Planning happens once: other values keep the labels as long as the circuit has the same gates, also
from one request to the next, and as long as that is cheap: see `plan.fit.dearer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by, needed_gates
from qdreamer_lab.workload.cut.options import BRIEFLY, SearchOptions
from qdreamer_lab.workload.plan.fit import dearer, fitted_as_measured
from qdreamer_lab.workload.plan.search import find_partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.request import Request, RunSettings

__all__ = ["BoundPlans", "needed_blocks"]


def needed_blocks(gates: GateList, num_qubits: int, terms: Sequence[Factors]) -> BlockCircuit:
    """What sampled mode runs of a circuit: gates that do not commute with all that is measured.

    Args:
        gates: Of the circuit.
        num_qubits: Of the circuit.
        terms: Products of one-qubit operators.
    """
    acted = measured_by(terms)
    kept = needed_gates(gates, acted)
    return blocks_of_gates(gates, num_qubits, tuple(sorted(acted)), among=kept)


class BoundPlans:
    """The plan of the circuit and observables that were run last.

    Jobs of one estimator may ask at the same time, from threads of their own: what is kept is one
    object, which is read and replaced as a whole.
    """

    def __init__(self) -> None:
        self._kept: tuple[GateList, tuple[Factors, ...], Partition] | None = None

    def plans(self, request: Request, settings: RunSettings) -> list[Partition]:
        """A plan for each of the request's circuits.

        Raises:
            PlanError: If the given plan does not belong to the circuit.
        """
        terms = tuple(
            dict.fromkeys(term.factors for observable in request.observables for term in observable)
        )
        return [self._bound(circuit, terms, settings) for circuit in request.circuits]

    def _bound(
        self, circuit: QuantumCircuit, terms: tuple[Factors, ...], settings: RunSettings
    ) -> Partition:
        listed = GateList(flat_gates(circuit))
        if settings.plan is not None:
            fitting = fitted_as_measured(settings.plan, listed, circuit.num_qubits, terms)
            return settings.plan.with_blocks(fitting)
        blocks = needed_blocks(listed, circuit.num_qubits, terms)
        last = self._kept
        same = last is not None and last[2].blocks.num_qubits == circuit.num_qubits
        if last is not None and same and last[0] == listed and last[1] == terms:
            plan = last[2].with_blocks(blocks)
            if not dearer(plan, last[2]):
                return plan
        options = SearchOptions(seed=settings.seed, rounds=BRIEFLY, devices=settings.devices)
        plan = find_partition(blocks, settings.max_qubits, options)
        self._kept = listed, terms, plan
        return plan
