"""Random circuits by their seed or generator, and random plans for them."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import random_unitary as unitary_of_qiskit


def random_circuit(seed, num_qubits=5, num_gates=8, *, general=False):
    """Rotations, CX and (if `general`) SWAP and random SU(4) on random pairs of qubits."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_gates):
        first, second = rng.choice(num_qubits, 2, replace=False).tolist()
        circuit.ry(rng.uniform(0, 3), first)
        circuit.rz(rng.uniform(0, 3), second)
        kind = rng.integers(4 if general else 2)
        if kind == 0:
            circuit.cx(first, second)
        elif kind == 1:
            circuit.rzz(rng.uniform(0.2, 3), first, second)
        elif kind == 2:
            circuit.swap(first, second)
        else:
            circuit.unitary(random_unitary(rng), [first, second])
    return circuit


def random_unitary(rng):
    """A (4, 4) unitary."""
    return np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]


def random_labels(pairs, rng, num_fragments=3):
    """Labels (m, 2) that count up from 0, mostly keeping a wire where it is."""
    last = {}
    labels = np.empty(pairs.shape, dtype=np.int64)
    for block, pair in enumerate(pairs.tolist()):
        for side, qubit in enumerate(pair):
            if qubit not in last or rng.random() < 0.3:
                last[qubit] = rng.integers(num_fragments)
            labels[block, side] = last[qubit]
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def random_rzz(rng, num_qubits, num_gates, low=0.0, high=1.0):
    """RZZ on random pairs of qubits, by angles from a range."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_gates):
        first, second = rng.choice(num_qubits, 2, replace=False).tolist()
        circuit.rzz(rng.uniform(low, high), first, second)
    return circuit


def random_cx(rng, num_qubits, num_gates):
    """A rotation and a CX on random pairs: too much for a matrix product state of many qubits."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_gates):
        first, second = rng.choice(num_qubits, 2, replace=False).tolist()
        circuit.ry(1.0, first)
        circuit.cx(first, second)
    return circuit


def weak_and_strong(rng, num_qubits, num_gates):
    """Random gates, weak and strong, between qubits that need not be neighbours."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_gates):
        first, second = rng.permutation(num_qubits)[:2].tolist()
        kind = rng.integers(4)
        if kind == 0:
            circuit.append(unitary_of_qiskit(4, rng).to_instruction(), [first, second])
        elif kind == 1:
            circuit.cx(first, second)
        elif kind == 2:
            circuit.rzz(10 ** -rng.uniform(1, 12), first, second)
        else:
            circuit.ry(rng.uniform(0, 3), first)
    return circuit


def three_neighbours(num_qubits, reps):
    """Interactions of every qubit with three others: cutting costs a lot."""
    rng = np.random.default_rng(0)
    pairs = [(k, (k + 1) % num_qubits) for k in range(num_qubits)]
    pairs += [(k, k + num_qubits // 2) for k in range(num_qubits // 2)]
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    for _ in range(reps):
        for first, second in pairs:
            circuit.rzz(rng.uniform(0.3, 1.2), first, second)
        circuit.rx(rng.uniform(0.3, 1.2), range(num_qubits))
    return circuit
