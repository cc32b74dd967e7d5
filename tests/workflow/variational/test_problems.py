"""Hamiltonians and their minima, against matrices, integrals, and trying all."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector

from qdreamer_lab.workflow.variational.problems import (
    H2_REPULSION,
    cut_sizes,
    h2,
    ising_chain,
    max_cut,
    random_graph,
)
from tests.workflow.variational.hydrogen import BOHR, singlet_levels


def chain_matrix(qubits, field):
    """The Hamiltonian by Kronecker products."""
    x, z = np.array([[0, 1], [1, 0]]), np.diag([1, -1])

    def on(factors):
        found = np.eye(1)
        for k in range(qubits):
            found = np.kron(factors.get(k, np.eye(2)), found)
        return found

    bonds = sum(on({k: z, k + 1: z}) for k in range(qubits - 1))
    return -bonds - field * sum(on({k: x}) for k in range(qubits))


@pytest.mark.parametrize("field", [0.0, 0.3, 1.0, 1.7, -0.8])
@pytest.mark.parametrize("qubits", [2, 3, 6, 8])
def test_the_ground_energy_of_a_chain(qubits, field):
    problem = ising_chain(qubits, field, 1)
    matrix = chain_matrix(qubits, field)
    np.testing.assert_allclose(problem.hamiltonian.to_matrix(), matrix, atol=1e-12)
    assert problem.minimum == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-10)


def test_trial_states_of_a_chain_are_evolutions_under_its_parts():
    problem = ising_chain(4, 0.7, 1)
    a, b = 0.3, -0.45
    bonds, fields = chain_matrix(4, 0.0), chain_matrix(4, 1.0) - chain_matrix(4, 0.0)

    def evolved(matrix, time, state):
        energies, states = np.linalg.eigh(matrix)
        return states @ (np.exp(-1j * time * energies) * (states.conj().T @ state))

    expected = evolved(fields, b, evolved(bonds, a, np.full(16, 0.25)))
    found = Statevector(problem.ansatz.assign_parameters([a, b])).data
    assert abs(np.vdot(found, expected)) == pytest.approx(1)


def test_hydrogen_has_the_levels_that_its_integrals_give():
    levels = np.linalg.eigvalsh(h2().hamiltonian.to_matrix())
    expected = singlet_levels(0.735)
    assert levels[0] == pytest.approx(expected[0], abs=2e-6)
    assert levels[-1] == pytest.approx(expected[1], abs=2e-6)
    assert pytest.approx(BOHR / 0.735, abs=1e-9) == H2_REPULSION
    assert h2().minimum + H2_REPULSION == pytest.approx(-1.137306, abs=1e-6)


@settings(max_examples=30)
@given(st.integers(2, 8), st.integers(0, 1000))
def test_the_greatest_cut(nodes, seed):
    edges = tuple((a, b, w + 0.5 * a) for a, b, w in random_graph(nodes, seed))
    problem = max_cut(nodes, edges, 1)
    sides = list(itertools.product((0, 1), repeat=nodes))
    sizes = [sum(w for a, b, w in edges if side[a] != side[b]) for side in sides]
    assert problem.minimum == pytest.approx(-max(sizes))
    diagonal = problem.hamiltonian.to_matrix().diagonal().real
    np.testing.assert_allclose(diagonal, -cut_sizes(nodes, edges), atol=1e-12)
    for side, size in zip(sides, sizes, strict=True):
        string = sum(bit << node for node, bit in enumerate(side))
        assert cut_sizes(nodes, edges)[string] == pytest.approx(size)


@given(st.integers(2, 12), st.integers(0, 100))
def test_graphs_are_connected_and_simple(nodes, seed):
    edges = random_graph(nodes, seed)
    assert all(0 <= a < b < nodes for a, b, _ in edges)
    assert len({(a, b) for a, b, _ in edges}) == len(edges)
    reached = {0}
    for _ in range(nodes):
        reached |= {n for a, b, _ in edges if {a, b} & reached for n in (a, b)}
    assert len(reached) == nodes
    assert random_graph(nodes, seed) == edges
