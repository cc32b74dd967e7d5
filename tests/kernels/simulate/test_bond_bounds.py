"""Bounds on bond dimensions: against a plain twin, dense states, and what Aer reports."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp, Statevector, random_unitary

from qdreamer_lab.kernels.simulate.bond_bounds import (
    BYTES,
    ENTRIES,
    SPLITS,
    SVD,
    WIDEST,
    bond_bounds,
)
from qdreamer_lab.workload.circuit.schmidt import rank_of, schmidt_coefficients
from tests.circuits.plain import of_unitaries


def twin(n, pairs, log2_ranks):
    """The same from sets: which gates join the two sides of each bond of the chain as it is."""
    order, bond, sums = list(range(n)), [0.0] * (n + 1), dict.fromkeys(range(5), 0.0)
    done = []

    def sites():
        return sum(32 * 2 ** (bond[p] + bond[p + 1]) for p in range(n))

    def split(at, growth):
        x, y = 2 * 2 ** bond[at - 1], 2 * 2 ** bond[at + 1]
        sums[SPLITS] += 1
        sums[SVD] += x * y * min(x, y)
        sums[ENTRIES] += x * y
        room = 16 * (8 * x * y + 2 * (x * x + y * y))
        sums[BYTES] = max(sums[BYTES], sites() + room)
        left = set(order[:at])
        crossing = sum(rank for pair, rank in done if len(left & set(pair)) == 1)
        bond[at] = min(at, n - at, crossing, bond[at] + growth, bond[at - 1] + 1, bond[at + 1] + 1)
        sums[WIDEST] = max(sums[WIDEST], bond[at])

    for pair, rank in zip(pairs.tolist(), log2_ranks.tolist(), strict=True):
        low, high = sorted(order.index(qubit) for qubit in pair)
        while high > low + 1:
            order[high - 1], order[high] = order[high], order[high - 1]
            split(high, 2.0)
            high -= 1
        done.append((pair, rank))
        split(high, rank)
    sums[BYTES] = max(sums[BYTES], sites())
    return np.array(bond), order, np.array(list(sums.values()))


@st.composite
def chains(draw, most=7):
    n = draw(st.integers(2, most))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    pairs = draw(st.lists(pair, min_size=1, max_size=14))
    kinds = draw(st.lists(st.integers(0, 2), min_size=len(pairs), max_size=len(pairs)))
    seed = draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    cx = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]], complex)
    swap = np.eye(4)[[0, 2, 1, 3]].astype(complex)
    unitaries = []
    for kind in kinds:
        turn = np.kron(random_unitary(2, rng).data, random_unitary(2, rng).data)
        unitaries.append((cx @ turn, swap, random_unitary(4, rng).data)[kind])
    return n, np.array(pairs, np.int64), np.array(unitaries)


def log2_ranks(unitaries):
    return np.log2(rank_of(schmidt_coefficients(unitaries)).astype(float))


@given(chains(12))
@settings(max_examples=60, deadline=None)
def test_the_kernel_is_its_twin(chain):
    n, pairs, unitaries = chain
    ranks = log2_ranks(unitaries)
    bond, order, sums = bond_bounds(n, pairs, ranks, np.inf)
    bond_2, order_2, sums_2 = twin(n, pairs, ranks)
    assert order.tolist() == order_2
    assert bond == pytest.approx(bond_2)
    assert sums == pytest.approx(sums_2)


@given(chains())
@settings(max_examples=60, deadline=None)
def test_no_schmidt_rank_is_above_its_bound(chain):
    n, pairs, unitaries = chain
    bond, order, _ = bond_bounds(n, pairs, log2_ranks(unitaries), np.inf)
    state = Statevector(of_unitaries(n, pairs, unitaries)).data.reshape((2,) * n)
    axes = [n - 1 - qubit for qubit in order]  # Qiskit's last axis is qubit 0
    for at in range(1, n):
        matrix = state.transpose(axes).reshape(1 << at, -1)
        rank = np.linalg.matrix_rank(matrix, tol=1e-9)
        assert rank <= 2 ** bond[at] + 1e-6


@given(chains(6))
@settings(max_examples=25, deadline=None)
def test_aer_s_bonds_are_within_the_bounds_and_its_qubits_where_they_are_expected(chain):
    from qiskit_aer import AerSimulator

    n, pairs, unitaries = chain
    used = sorted(set(pairs.ravel().tolist()))  # Aer leaves the others out
    pairs = np.array([[used.index(a), used.index(b)] for a, b in pairs.tolist()])
    n = len(used)
    bond, _, sums = bond_bounds(n, pairs, log2_ranks(unitaries), np.inf)
    simulator = AerSimulator(
        method="matrix_product_state",
        mps_log_data=True,
        matrix_product_state_truncation_threshold=1e-22,
    )
    circuit = of_unitaries(n, pairs, unitaries)
    circuit.save_expectation_value(SparsePauliOp("Z" * n), list(range(n)))
    gates = []
    for _ in range(2):  # Aer's log goes on from run to run
        result = simulator.run(circuit).result().results[0]
        log = result.metadata["MPS_log_data"]
        gates.append(re.findall(r"(?:unitary|swap) on qubits [\d,]+, BD=\[([\d ]*)\]", log))
    assert len(gates[1]) - len(gates[0]) == sums[SPLITS]
    last = [int(one) for one in gates[1][-1].split()]
    assert (np.array(last) <= 2 ** bond[1:-1] + 1e-6).all()


def test_generic_chains_meet_their_bound():
    pairs = np.array([[k, k + 1] for _ in range(3) for k in range(9)])
    bond, order, sums = bond_bounds(10, pairs, np.ones(27), np.inf)
    assert (2**bond).tolist() == [1, 2, 4, 8, 8, 8, 8, 8, 4, 2, 1]
    assert order.tolist() == list(range(10))
    assert 2 ** sums[WIDEST] == 8


def test_what_is_hopeless_is_given_up():
    rng = np.random.default_rng(0)
    pairs = np.array([rng.choice(60, 2, replace=False) for _ in range(2000)])
    _, _, sums = bond_bounds(60, pairs, np.full(2000, 2.0), 1e15)
    assert np.isnan(sums[BYTES])
    assert sums[SVD] > 1e15
