"""Small random circuits for tests."""

import numpy as np
from qiskit import QuantumCircuit


def random_circuit(seed, num_qubits=5, num_gates=8, *, general=False):
    """Rotations, CX and (if `general`) SWAP and random SU(4) on random pairs of qubits."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_gates):
        one, two = rng.choice(num_qubits, 2, replace=False).tolist()
        circuit.ry(rng.uniform(0, 3), one)
        circuit.rz(rng.uniform(0, 3), two)
        kind = rng.integers(4 if general else 2)
        if kind == 0:
            circuit.cx(one, two)
        elif kind == 1:
            circuit.rzz(rng.uniform(0.2, 3), one, two)
        elif kind == 2:
            circuit.swap(one, two)
        else:
            circuit.unitary(random_unitary(rng), [one, two])
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
