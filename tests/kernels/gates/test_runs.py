"""Runs of gates: what they come to is what the gates come to, one after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import random_unitary

from qdreamer_lab.kernels.gates.runs import run_products, runs_of, unitarity_gap
from tests.kernels.gates.test_light_cones import embedded

NUM_QUBITS = 4


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(0, 14), st.booleans())
def test_runs_multiply_out_to_the_circuit(seed, num_gates, merge):
    rng = np.random.default_rng(seed)
    places, stack = np.full((num_gates, 2), -1), np.zeros((num_gates, 4, 4), complex)
    whole = np.eye(2**NUM_QUBITS)
    for gate in range(num_gates):
        count = int(rng.integers(1, 3))
        on = rng.permutation(NUM_QUBITS - 1)[:count]  # the last qubit has none
        matrix = random_unitary(2**count, seed=int(rng.integers(1 << 30))).data
        places[gate, :count], stack[gate, : 2**count, : 2**count] = on, matrix
        whole = embedded(matrix, places[gate], NUM_QUBITS) @ whole
    run_of, pairs, count = runs_of(places, NUM_QUBITS, merge)
    pairs = pairs[:count].copy()
    runs, alone = (np.tile(np.eye(4) + 0j, (number, 1, 1)) for number in (count, NUM_QUBITS))
    run_products(places, stack, run_of, pairs, runs, alone)
    found = np.eye(2**NUM_QUBITS)
    for qubit, matrix in enumerate(alone[:, :2, :2]):
        found = embedded(matrix, (qubit, -1), NUM_QUBITS) @ found
    for pair, matrix in zip(pairs, runs, strict=True):
        assert pair[0] < pair[1]
        found = embedded(matrix, pair, NUM_QUBITS) @ found
    np.testing.assert_allclose(found, whole, atol=1e-12)
    np.testing.assert_array_equal(alone[-1], np.eye(4))
    two = places[places[:, 1] >= 0]
    assert len(pairs) == (_merged(np.sort(two, axis=1).tolist()) if merge else len(two))


def _merged(pairs):
    """How many runs there are: a pair goes on until another takes one of its qubits."""
    running, count = {}, 0
    for low, high in pairs:
        if not running.get(low) == running.get(high) == (low, high):
            count += 1
        running[low] = running[high] = (low, high)
    return count


def test_how_far_a_matrix_is_from_a_unitary():
    assert unitarity_gap(random_unitary(4, seed=1).data.copy()) == pytest.approx(0, abs=1e-14)
    assert unitarity_gap(np.diag([1.0, 1.1]) + 0j) == pytest.approx(0.21)
    assert unitarity_gap(np.array([[1, 0.5], [0, 1]]) + 0j) == pytest.approx(0.5)
    assert unitarity_gap(np.full((2, 2), np.inf + 0j)) == 0
