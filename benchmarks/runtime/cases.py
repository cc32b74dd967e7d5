"""Circuits and observables that the runtime's benchmarks share, their true values, and one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab import CutPlan


def su2(num_qubits: int, reps: int = 2) -> QuantumCircuit:
    """EfficientSU2, linear, with angles spread evenly over [0.1, 2.9]."""
    ansatz = efficient_su2(num_qubits, entanglement="linear", reps=reps)
    return ansatz.assign_parameters(np.linspace(0.1, 2.9, ansatz.num_parameters))


def pauli(letters: str, qubits: list[int], num_qubits: int) -> SparsePauliOp:
    """A Pauli string on some qubits."""
    return SparsePauliOp.from_sparse_list([(letters, qubits, 1.0)], num_qubits)


def ends_and_middle(num_qubits: int) -> list[SparsePauliOp]:
    """Z on the first and on the last qubit, and ZZ on the two in the middle."""
    middle = num_qubits // 2
    places = (("Z", [0]), ("Z", [num_qubits - 1]), ("ZZ", [middle - 1, middle]))
    return [pauli(letters, qubits, num_qubits) for letters, qubits in places]


def dense(circuit: QuantumCircuit, observables: list[SparsePauliOp]) -> np.ndarray:
    """Values by Qiskit's state vector."""
    state = Statevector(circuit)
    return np.array([state.expectation_value(each).real for each in observables])


def exact(circuit: QuantumCircuit, observables: Any, width: int) -> Any:
    """A PUB's result from a fresh estimator, plan included."""
    return CutEstimator(width, mode="exact").run([(circuit, observables)]).result()[0]


def labels_of(plan: CutPlan) -> list[int]:
    """The fragment of each qubit, in a plan that cuts gates only."""
    fragment = {segment.qubit: segment.fragment for segment in plan.segments}
    assert len(fragment) == len(plan.segments) == plan.blocks.num_qubits, "a wire is cut"
    return [fragment[qubit] for qubit in range(plan.blocks.num_qubits)]


def bonds_of(circuit: QuantumCircuit) -> list[tuple[int, int]]:
    """The pairs of qubits with gates between them."""
    pairs = {tuple(circuit.find_bit(q).index for q in step.qubits) for step in circuit.data}
    return sorted(pair for pair in pairs if len(pair) == 2)
