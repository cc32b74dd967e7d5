"""Vectors as circuits, against Qiskit's state vectors; sweeps that never make it worse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector

from qdreamer_lab.workflow.pipeline.encoding import as_circuit, encoded, improved, prepared


def drawn(qubits, seed):
    return np.random.default_rng(seed).normal(size=2**qubits)


def overlap(gates, vector, qubits):
    state = Statevector(as_circuit(gates, qubits)).data
    np.testing.assert_allclose(state, prepared(gates, qubits), atol=1e-12)
    return abs(np.vdot(state, vector)) ** 2 / (vector @ vector)


@pytest.mark.parametrize("qubits", [2, 3, 5])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_overlap_is_that_of_the_circuit(qubits, layers):
    vector = drawn(qubits, layers)
    gates, told = encoded(vector, layers)
    assert told == pytest.approx(overlap(gates, vector, qubits), abs=1e-12)
    assert len(gates) == layers * qubits
    gates, told = improved(gates, vector, 3)
    assert told == pytest.approx(overlap(gates, vector, qubits), abs=1e-12)
    for _, unitary in gates:
        np.testing.assert_allclose(unitary.conj().T @ unitary, np.eye(len(unitary)), atol=1e-12)


@given(st.integers(2, 5), st.integers(0, 1000), st.integers(1, 3))
def test_sweeps_never_make_it_worse(qubits, seed, layers):
    vector = drawn(qubits, seed)
    gates, last = encoded(vector, layers)
    for _ in range(3):
        gates, now = improved(gates, vector, 1)
        assert now >= last - 1e-12
        last = now


@pytest.mark.parametrize("qubits", [2, 4, 6])
def test_states_of_bond_two_are_exact(qubits):
    ghz = np.zeros(2**qubits)
    ghz[[0, -1]] = 1, -2
    product = np.array([1.0])
    for k in range(qubits):
        product = np.kron([np.cos(k), np.sin(k)], product)
    one = np.eye(2**qubits)[3]
    for vector in (ghz, product, ghz + 0, one):
        assert encoded(vector, 1)[1] == pytest.approx(1)


def test_two_qubits_are_always_exact_and_more_layers_help():
    assert encoded(drawn(2, 1), 1)[1] == pytest.approx(1)
    vector = drawn(6, 2)
    assert encoded(vector, 1)[1] < encoded(vector, 4)[1] < encoded(vector, 16)[1]
