"""Terms that were carried back through gates have the same values after what is left of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import (
    Clifford,
    Operator,
    Pauli,
    SparseObservable,
    SparsePauliOp,
    Statevector,
    random_clifford,
)

from qdreamer_lab.workload.circuit.clifford import CODES, FAILS, letter_tables, pauli_images
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by, needed_gates
from qdreamer_lab.workload.circuit.pulled_back import pulled_back

NUM_QUBITS = 5
LETTERS = "IXYZ01+-rl"


def mixed_circuit(seed, num_gates=14):
    """Clifford gates, rotations about one axis, and some of no kind."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(NUM_QUBITS)
    for name in rng.choice(list("hst*cxyzwpirRXU"), num_gates):
        a, b = rng.choice(NUM_QUBITS, 2, replace=False).tolist()
        angle = rng.uniform(0.2, 1.2)
        match name:
            case "h" | "s" | "t":
                getattr(circuit, name)(a)
            case "*":
                circuit.sxdg(a)
            case "c" | "w" | "i":
                getattr(circuit, {"c": "cx", "w": "swap", "i": "iswap"}[name])(a, b)
            case "x" | "y" | "z":
                getattr(circuit, "r" + name)(angle, a)
            case "p":
                circuit.rzz(rng.choice([-1, 1, 2]) * math.pi / 2, a, b)
            case "r" | "R" | "X":
                getattr(circuit, {"r": "rzz", "R": "rxx", "X": "crx"}[name])(angle, a, b)
            case _:
                circuit.u(angle, 2 * angle, 0.3, a)
    return circuit


def value_of(circuit, label):
    operator = SparsePauliOp.from_sparse_observable(SparseObservable(label))
    return Statevector(circuit).expectation_value(operator).real


def term_of(label):
    return tuple((q, letter) for q, letter in enumerate(reversed(label)) if letter != "I")


def label_of(term):
    letters = dict(term)
    return "".join(letters.get(q, "I") for q in reversed(range(NUM_QUBITS)))


def only(circuit, kept):
    gates = list(flat_gates(circuit))
    smaller = QuantumCircuit(circuit.num_qubits)
    for k in kept:
        smaller.unitary(gates[k].matrix, gates[k].qubits)
    return smaller


labels = st.text(LETTERS, min_size=NUM_QUBITS, max_size=NUM_QUBITS)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 9999), st.lists(labels, min_size=1, max_size=4))
def test_values_are_those_of_the_whole_circuit(seed, given_labels):
    circuit = mixed_circuit(seed)
    left = pulled_back(GateList(list(flat_gates(circuit))), [term_of(x) for x in given_labels])
    smaller = only(circuit, left.gates)
    for label, term, sign in zip(given_labels, left.terms, left.signs, strict=True):
        expected = value_of(circuit, label)
        assert sign * value_of(smaller, label_of(term)) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 9999), st.lists(labels, min_size=1, max_size=3))
def test_no_more_is_left_than_what_does_not_commute(seed, given_labels):
    gates = GateList(list(flat_gates(mixed_circuit(seed))))
    terms = [term_of(label) for label in given_labels]
    together = set(pulled_back(gates, terms).gates)
    assert together <= set(needed_gates(gates, measured_by(terms)))
    for term in terms:  # fewer terms leave no more gates
        assert set(pulled_back(gates, [term]).gates) <= together


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 9999), labels)
def test_needed_gates_alone_give_the_value(seed, label):
    circuit = mixed_circuit(seed)
    kept = needed_gates(GateList(list(flat_gates(circuit))), measured_by([term_of(label)]))
    expected = value_of(circuit, label)
    assert value_of(only(circuit, kept), label) == pytest.approx(expected, abs=1e-12)


def test_clifford_circuits_leave_no_gate():
    for seed in range(10):
        circuit = random_clifford(NUM_QUBITS, seed=seed).to_circuit()
        label = "XZYIX"
        left = pulled_back(GateList(list(flat_gates(circuit))), [term_of(label)])
        assert left.gates == ()
        back = Pauli(label).evolve(Clifford(circuit))
        sign = {0: 1.0, 2: -1.0}[back.phase]
        assert (label_of(left.terms[0]), left.signs[0]) == ((sign * back).to_label()[-5:], sign)


def test_almost_clifford_gates_are_none():
    """A gate that is off by more than rounding stays, so that no value is off."""
    for angle, clifford in ((0.0, True), (1e-15, True), (1e-12, False), (1e-6, False)):
        circuit = QuantumCircuit(2)
        circuit.ry(0.7, [0, 1])
        circuit.rzz(math.pi / 2 + angle, 0, 1)
        left = pulled_back(GateList(list(flat_gates(circuit))), [((0, "X"),)])
        assert (2 not in left.gates) == clifford


def test_what_commutes_with_one_term_and_not_with_another_stays():
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, [0, 1])
    circuit.rxx(0.4, 0, 1)
    gates = GateList(list(flat_gates(circuit)))
    assert pulled_back(gates, [((0, "Z"), (1, "Z"))]).gates == (0, 1)
    assert pulled_back(gates, [((0, "X"),)]).gates == (0,)
    assert pulled_back(gates, [((0, "X"),), ((0, "Z"),)]).gates == (0, 1, 2)
    assert pulled_back(gates, []).gates == ()
    assert pulled_back(gates, [()]).gates == ()


def test_tables_are_those_of_matrices():
    """Against U†OU written out, for all Clifford gates that Qiskit has a name for."""
    matrices = {
        letter: SparsePauliOp.from_sparse_observable(SparseObservable(letter)).to_matrix()
        for letter in CODES
    }
    seen = 0
    for gate in get_standard_gate_name_mapping().values():
        if gate.num_qubits not in (1, 2) or gate.params or not hasattr(gate, "to_matrix"):
            continue
        unitary = np.asarray(Operator(gate).data, complex)
        (table,) = letter_tables(unitary[None])
        try:
            Clifford(gate)
        except QiskitError:
            assert table is None, gate.name
            continue
        seen += 1
        for number in range(10**gate.num_qubits):
            codes = table.codes[number * gate.num_qubits : (number + 1) * gate.num_qubits]
            if FAILS in codes:
                continue
            old = np.eye(1)
            for code in (number % 10, number // 10)[: gate.num_qubits]:
                old = np.kron(matrices[CODES[code]], old)
            new = np.eye(1)
            for code in codes:
                new = np.kron(matrices[CODES[code]], new)
            sign = -1 if table.negative[number] else 1
            np.testing.assert_allclose(unitary.conj().T @ old @ unitary, sign * new, atol=1e-12)
    assert seen > 15
    assert pauli_images(np.eye(4, dtype=complex)[None])[0].tolist() == [list(range(16))]
