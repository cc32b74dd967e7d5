"""What commutes with a gate, what may be a Clifford gate, and what an observable needs."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit.library import CXGate, HGate, IGate, RXGate, RZGate, RZZGate, SwapGate, TGate
from qiskit.quantum_info import Operator, random_clifford, random_unitary

from qdreamer_lab.kernels.gates.light_cones import commuting_strings, may_be_clifford, needed
from qdreamer_lab.workload.circuit.lightcone import MASK_RULES

PAULIS = [
    np.eye(2),
    np.array([[0, 1], [1, 0]]),
    np.array([[0, -1j], [1j, 0]]),
    np.diag([1, -1]),
]

GATES = [
    *(Operator(gate).data for gate in (HGate(), IGate(), RXGate(0.3), RZGate(0.7), TGate())),
    *(Operator(gate).data for gate in (CXGate(), SwapGate(), RZZGate(0.4))),
    np.kron(Operator(RXGate(0.2)).data, np.eye(2)),
    np.diag(np.exp(1j * np.arange(4))),
    random_unitary(2, seed=1).data,
    random_unitary(4, seed=2).data,
]


def padded(matrices):
    out = np.zeros((len(matrices), 4, 4), complex)
    for row, matrix in zip(out, matrices, strict=True):
        row[: len(matrix), : len(matrix)] = matrix
    return out, np.array([len(matrix) for matrix in matrices])


def string(number, size):
    low = PAULIS[number & 3]
    return low if size == 2 else np.kron(PAULIS[number >> 2], low)


def test_strings_commute_as_their_matrices_do():
    for matrix, bits in zip(GATES, commuting_strings(*padded(GATES)).tolist(), strict=True):
        size = len(matrix)
        for number in range(size * size):
            pauli = string(number, size)
            same = np.array_equal(pauli @ matrix, matrix @ pauli)
            assert bool(bits >> number & 1) == same, (matrix, number)


def test_a_gate_that_is_not_finite_commutes_with_nothing():
    assert commuting_strings(*padded([np.full((4, 4), np.nan)])).tolist() == [0]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([1, 2]), st.floats(-4, 4))
def test_clifford_gates_are_not_overlooked(seed, num_qubits, phase):
    matrix = np.exp(1j * phase) * random_clifford(num_qubits, seed=seed).to_matrix()
    assert may_be_clifford(np.ascontiguousarray(matrix[None])).tolist() == [True]
    assert may_be_clifford(padded([matrix])[0]).tolist() == [True]


@pytest.mark.parametrize(
    "matrix",
    [
        Operator(TGate()).data,
        Operator(RZZGate(0.3)).data,
        Operator(RXGate(np.pi / 3)).data,
        random_unitary(4, seed=3).data,
        np.full((2, 2), np.nan + 0j),
    ],
)
def test_other_gates_are_told_apart(matrix):
    assert may_be_clifford(matrix[None].copy()).tolist() == [False]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_what_is_not_needed_changes_nothing(seed):
    """The rest of the circuit turns the observable into the same matrix as all of it."""
    rng = np.random.default_rng(seed)
    num_qubits = 3
    matrices, places = [], []
    for _ in range(8):
        matrix = GATES[rng.integers(len(GATES))]
        on = rng.permutation(num_qubits)[: 1 if len(matrix) == 2 else 2].tolist()
        matrices.append(matrix)
        places.append((*on, -1)[:2])
    terms = [rng.integers(0, 4, num_qubits).tolist() for _ in range(3)]
    masks = np.array([[1 << code if code else 0 for code in term] for term in terms])
    stack, sizes = padded(matrices)
    among = np.flatnonzero(rng.random(len(places)) < 0.8)
    ends = np.array(places)
    keep, joined = needed(ends, commuting_strings(stack, sizes), among, masks, MASK_RULES)
    for term, mine, where in zip(terms, keep, joined, strict=True):
        images = []
        for which in (among, among[mine]):
            unitary = np.eye(2**num_qubits)
            for gate in which.tolist():
                unitary = embedded(matrices[gate], places[gate], num_qubits) @ unitary
            observable = embedded_string(term)
            images.append(unitary.conj().T @ observable @ unitary)
        np.testing.assert_allclose(*images, atol=1e-12)
        two = [gate for gate in among[mine].tolist() if places[gate][1] >= 0]
        assert set(np.flatnonzero(where)) == {qubit for gate in two for qubit in places[gate]}


def embedded(matrix, place, num_qubits):
    on = [qubit for qubit in place if qubit >= 0]
    size = 2**num_qubits
    out = np.zeros((size, size), complex)
    for row, column in itertools.product(range(size), repeat=2):
        rest = sum(1 << q for q in range(num_qubits) if q not in on)
        if row & rest == column & rest:
            i, j = (sum((n >> q & 1) << k for k, q in enumerate(on)) for n in (row, column))
            out[row, column] = matrix[i, j]
    return out


def embedded_string(term):
    out = np.eye(1)
    for code in term:
        out = np.kron(PAULIS[code], out)
    return out
