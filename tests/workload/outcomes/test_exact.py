"""Exact distributions of randomly cut circuits against dense states."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qdreamer_lab import CutSampler
from qdreamer_lab.errors import MemoryLimitError, QDreamerError
from qdreamer_lab.workload.outcomes.distribution import Heaviest
from qdreamer_lab.workload.outcomes.heaviest import heaviest
from qdreamer_lab.workload.outcomes.network import Network
from qdreamer_lab.workload.outcomes.piece import Piece, compressed
from tests.workload.outcomes.cut_states import case, dense_table, joint_choices

SEEDS = st.integers(0, 10**6)


def exact(circuit, plan, shots=1, seed=0):
    return (
        CutSampler(99, plan=plan, mode="exact", seed=seed).run([circuit], shots=shots).result()[0]
    )


def small(plan):
    assume(joint_choices(plan) <= 512)


@settings(max_examples=40)
@given(SEEDS)
def test_any_bits_of_any_plan_read_as_the_dense_state_says(seed):
    circuit, plan, rng = case(seed)
    small(plan)
    found = exact(circuit, plan).distribution
    np.testing.assert_allclose(found.quasi(), dense_table(circuit, found.bits), atol=1e-10)
    some = rng.permutation(found.bits)[: rng.integers(1, len(found.bits) + 1)].tolist()
    np.testing.assert_allclose(found.probabilities(some), dense_table(circuit, some), atol=1e-10)
    assert not found.stds(some).any()


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 20))
def test_the_heaviest_outcomes_are_those_of_a_full_table(seed, count):
    circuit, plan, rng = case(seed)
    small(plan)
    found = exact(circuit, plan).distribution
    some = rng.permutation(found.bits)[: rng.integers(1, len(found.bits) + 1)].tolist()
    table = dense_table(circuit, some)
    top = found.top(count, some)
    listed = [table[int(bits, 2)] for bits in top.probabilities]
    np.testing.assert_allclose(list(top.probabilities.values()), listed, atol=1e-10)
    best = np.sort(table)[::-1][:count]
    best = best[best > 1e-12]
    np.testing.assert_allclose(listed[: len(best)], best, atol=1e-10)
    assert max(listed[len(best) :], default=0) < 1e-12
    others = np.delete(table, [int(bits, 2) for bits in top.probabilities])
    assert others.max(initial=0) <= top.others_at_most + 1e-12
    assert top.proven or len(top.probabilities) < count


@settings(max_examples=25)
@given(SEEDS)
def test_samples_are_drawn_from_the_distribution(seed):
    circuit, plan, _ = case(seed)
    small(plan)
    shots = 4000
    result = exact(circuit, plan, shots, seed)
    found = result.distribution
    bits = np.concatenate(
        [result.data[name].to_bool_array("little") for name in ("a", "b")], axis=-1
    )
    silent = [bit for bit in range(bits.shape[1]) if bit not in found.bits]
    assert not bits[:, silent].any()
    table = dense_table(circuit, found.bits)
    read = bits[:, list(found.bits)] @ (1 << np.arange(len(found.bits)))
    counts = np.bincount(read, minlength=len(table))
    assert not counts[table < 1e-12].any()
    spread = np.sqrt(np.clip(table * (1 - table), 0, None) / shots)  # 1 may be rounded up
    assert (np.abs(counts / shots - table) <= 6 * spread + 3 / shots).all()


def random_network(rng, bits=(10, 11), choices=3):
    """Two pieces of more bits than are asked at once, joined by one cut; not normalised."""
    pieces = []
    for number, count in enumerate(bits):
        shape = (2, choices, 1 << count)
        amplitudes = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        amplitudes *= rng.exponential(size=1 << count) ** 2
        first = sum(bits[:number])
        qubits = tuple(range(first, first + count))
        pieces.append(
            Piece(qubits, ((0, choices),), amplitudes / np.sqrt((np.abs(amplitudes) ** 2).sum()))
        )
    return pieces


def joint_table(pieces):
    """(outcomes of the second, of the first) by plain einsum."""
    grams = [np.einsum("uax,ubx->xab", p.amplitudes.conj(), p.amplitudes) for p in pieces]
    return np.einsum("xab,yab->yx", *grams).real


def test_pieces_of_many_outcomes_are_searched_and_asked_in_blocks():
    rng = np.random.default_rng(5)
    pieces = random_network(rng)
    network = Network(pieces)
    table = joint_table(pieces)
    ordered = table if network.pieces[0] is pieces[0] else table.T
    np.testing.assert_allclose(network.table(1 << 30), ordered.ravel(), atol=1e-15)
    found = heaviest(network, 50)
    best = np.sort(table.ravel())[::-1][:50]
    np.testing.assert_allclose([p for _, p in found.outcomes], best, rtol=1e-9)
    assert found.others_at_most == pytest.approx(best[-1])
    for (first, second), probability in found.outcomes:
        assert ordered[second, first] == pytest.approx(probability, rel=1e-9)


def test_a_search_that_is_stopped_says_what_it_may_have_missed():
    rng = np.random.default_rng(6)
    pieces = random_network(rng)
    table = joint_table(pieces)
    found = heaviest(Network(pieces), 50, most_work=2e6)
    assert found.others_at_most > found.outcomes[-1][1] if found.outcomes else True
    missed = np.sort(table.ravel())[::-1][len(found.outcomes)]
    assert found.others_at_most >= missed * (1 - 1e-9)


def test_draws_in_blocks_follow_the_distribution():
    from qdreamer_lab.workload.outcomes.draws import drawn_outcomes

    rng = np.random.default_rng(7)
    pieces = random_network(rng)
    network = Network(pieces)
    table = joint_table(pieces)
    share = table / table.sum()
    shots = 20_000
    first, second = drawn_outcomes(network, shots, rng)
    if network.pieces[0] is not pieces[0]:
        first, second = second, first
    for axis, drawn in ((0, first), (1, second)):
        marginal = share.sum(axis=axis)
        counts = np.bincount(drawn, minlength=len(marginal))
        used = marginal * shots > 5
        chi = np.square(counts - marginal * shots)[used] / (marginal * shots)[used]
        assert chi.sum() < used.sum() + 6 * np.sqrt(2 * used.sum())
    # Pairs belong together: their probability is that of drawn pairs, not of shuffled ones.
    expected = np.square(share).sum()
    seen = share[second, first].mean()
    assert seen == pytest.approx(expected, rel=0.1)


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 4), st.integers(0, 4), st.integers(1, 5))
def test_what_is_summed_over_leaves_the_same_gram_matrices(seed, kept, gone, choices):
    rng = np.random.default_rng(seed)
    bits = kept + gone
    amplitudes = rng.normal(size=(2, choices, 1 << bits)) + 1j * rng.normal(
        size=(2, choices, 1 << bits)
    )
    chosen = rng.permutation(bits)[:kept].tolist()
    found = compressed(amplitudes, bits, chosen)
    grams = np.einsum("uax,ubx->xab", found.conj(), found)
    expected = np.zeros_like(grams)
    for state in range(1 << bits):
        read = sum((state >> bit & 1) << k for k, bit in enumerate(chosen))
        each = amplitudes[:, :, state]
        expected[read] += np.einsum("ua,ub->ab", each.conj(), each)
    np.testing.assert_allclose(grams, expected, atol=1e-9)
    assert len(found) <= max(choices, 2)


def test_more_outcomes_than_memory_are_refused_with_what_else_there_is():
    circuit, plan, _ = case(3, num_qubits=8)
    found = exact(circuit, plan).distribution
    network = found._outcomes._whole
    with pytest.raises(MemoryLimitError, match=r"bits need .* may be used.*top\(16\)"):
        network.table(16 << len(network.qubits))


def test_the_heaviest_say_what_may_be_missing():
    top = Heaviest({"10": 0.5, "01": 0.25}, 0.125)
    assert str(top) == "10  0.5\n01  0.25\nno other outcome has more than 0.125"
    assert "stopped before it was certain" in str(Heaviest({"10": 0.5}, 0.75))
    assert str(Heaviest({"1": 1.0}, 0.0)).endswith("no other outcome is possible")


@settings(max_examples=5)
@given(SEEDS)
def test_what_is_no_list_of_bits_is_refused(seed):
    circuit, plan, _ = case(seed)
    small(plan)
    found = exact(circuit, plan).distribution
    for wrong in ([0.5], 3, ["a"]):
        with pytest.raises(QDreamerError, match="a list of numbers of bits"):
            found.probabilities(wrong)


def test_errors_of_more_outcomes_than_memory_are_refused_like_the_outcomes():
    circuit = QuantumCircuit(60)
    circuit.h(range(60))
    circuit.measure_all()
    found = CutSampler(5).run([circuit], shots=5).result()[0].distribution
    with pytest.raises(MemoryLimitError, match=r"60 bits.*top\(16\)"):
        found.stds()
