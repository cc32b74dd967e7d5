"""The part of a circuit that exact mode runs for some observables, in normal form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by
from qdreamer_lab.workload.circuit.pulled_back import pulled_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["blocks_left"]


def blocks_left(circuit: QuantumCircuit, terms: Sequence[Factors]) -> BlockCircuit:
    """What all terms together leave of a circuit once they have been carried back.

    Raises:
        CircuitError: As `to_blocks`.
    """
    gates = GateList(flat_gates(circuit))
    left = pulled_back(gates, terms)
    measured = tuple(measured_by(left.terms))
    return blocks_of_gates(gates, circuit.num_qubits, measured, among=left.gates)
