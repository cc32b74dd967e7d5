"""Circuits and observables that the tests of Q-Dreamer share."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp


def layered(num_qubits, reps=2):
    circuit = efficient_su2(num_qubits, reps=reps, entanglement="linear")
    angles = np.random.default_rng(0).uniform(0, 6, circuit.num_parameters)
    return circuit.assign_parameters(angles)


def ghz(num_qubits):
    circuit = QuantumCircuit(num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


def ring(num_qubits):
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    for qubit in range(num_qubits):
        circuit.rzz(0.7, qubit, (qubit + 1) % num_qubits)
    circuit.rx(0.4, range(num_qubits))
    return circuit


def neighbours(num_qubits, letter="Z"):
    terms = [(2 * letter, [k, k + 1], 1.0) for k in range(num_qubits - 1)]
    return SparsePauliOp.from_sparse_list(terms, num_qubits)
