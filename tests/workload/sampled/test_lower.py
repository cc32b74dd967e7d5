"""A lowered plan with infinitely many shots has the dense value, whatever its cuts."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparseObservable

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.terms import LETTERS
from qdreamer_lab.workload.sampled.bases import bases_of
from qdreamer_lab.workload.sampled.glue import gate_glue, joint_glue, wire_glue
from qdreamer_lab.workload.sampled.simulate import exact_tensor
from qdreamer_lab.workload.sampled.weyl import weyl_form
from tests.circuits.drawn import random_circuit, random_labels, random_unitary
from tests.workload.sampled.lowered import dense_values, lowered


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**16), st.sampled_from(["lo", "joint"]), st.booleans())
def test_infinitely_many_shots_give_the_dense_value(seed, cost, general):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(
        seed, int(rng.integers(2, 9)), int(rng.integers(1, 8)), general=general
    )
    labels = random_labels(to_blocks(circuit).pairs, rng)
    letters = "".join(rng.choice(list("IXYZ01+-rl"), circuit.num_qubits))
    mixed = SparseObservable.from_list([(letters, 0.7), ("Z" * circuit.num_qubits, -0.4)])
    observables = [mixed, SparseObservable("X" * circuit.num_qubits)]
    run = lowered(circuit, labels, observables, cost)
    assume(max((f.num_variants for f in run.fragments), default=0) <= 2000)
    values = run.gluing.values([exact_tensor(fragment) for fragment in run.fragments])
    np.testing.assert_allclose(values, dense_values(circuit, observables), atol=1e-8)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**16))
def test_the_weyl_form_is_the_block(seed):
    unitary = random_unitary(np.random.default_rng(seed))
    form = weyl_form(unitary)
    terms = zip(form.coefficients, form.high, form.low, strict=True)
    np.testing.assert_allclose(sum(u * np.kron(a, b) for u, a, b in terms), unitary, atol=1e-12)
    for matrix in (*form.low, *form.high):
        np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(2), atol=1e-12)


def all_glues():
    su4 = weyl_form(random_unitary(np.random.default_rng(5)))
    axis = np.array([0.8, 0.6j])
    yield gate_glue(su4.coefficients, su4.commute)
    yield gate_glue(axis, np.ones((2, 2), dtype=bool))
    yield joint_glue([axis, axis, np.array([1, 1j]) / np.sqrt(2)])
    yield wire_glue()


@pytest.mark.parametrize("glue", list(all_glues()))
def test_operations_are_physical_and_determine_all_coordinates(glue):
    rng = np.random.default_rng(1)
    for side in glue.sides:
        r = side.operations[0].kraus.shape[1]
        psi = rng.normal(size=(r, 6)) + 1j * rng.normal(size=(r, 6))
        gram = psi @ psi.conj().T
        rows, cols = np.triu_indices(r, 1)
        cross = gram[rows, cols]
        coordinates = np.concatenate([np.diag(gram).real, cross.real, cross.imag])
        means = [np.linalg.norm(k @ psi) ** 2 for op in side.operations for k in op.kraus]
        np.testing.assert_allclose(side.dual @ means, coordinates, atol=1e-10)
        assert side.starts[-1] == len(means)


def test_a_cx_takes_four_circuits_a_side_and_two_cuts_sixteen():
    circuit = QuantumCircuit(4)
    for low in (1, 1):
        circuit.cx(0, 1)
        circuit.cx(low, 2)
        circuit.cx(2, 3)
        circuit.ry(0.3, range(4))
    run = lowered(circuit, [[0, 0], [0, 1], [1, 1]] * 2, ["ZZZZ"])
    assert [fragment.num_variants for fragment in run.fragments] == [16, 16]


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from("IXYZ01+-rl"), min_size=4, max_size=4), min_size=1))
def test_every_operator_is_in_one_basis_that_measures_it(words):
    operators = [tuple((q, x) for q, x in enumerate(word) if x != "I") for word in words]
    bases = bases_of(operators)
    assert sorted(np.concatenate([b.operators for b in bases])) == list(range(len(operators)))
    for basis in bases:
        letters = dict(basis.letters)
        for k in basis.operators:
            for qubit, letter in operators[k]:
                pauli = LETTERS[letters[qubit]]
                np.testing.assert_allclose(pauli @ LETTERS[letter], LETTERS[letter] @ pauli)


def test_qubits_without_a_bit_in_shots_are_refused():
    assert bases_of([((62, "Z"),)])[0].parity.tolist() == [1 << 62]
    with pytest.raises(PlanError, match="max_qubits=63"):
        bases_of([((0, "X"),), ((63, "Z"),)])
