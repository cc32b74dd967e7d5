"""Sampled mode: right on average for any cuts, honest about its error, repeatable."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparseObservable, SparsePauliOp, Statevector

from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.kernels.simulate.shot_counts import combined, read_all, squared, tally
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.circuit.terms import LETTERS
from qdreamer_lab.workload.plan.plan import CutPlan, GateCut, WireCut
from qdreamer_lab.workload.sampled import sizes
from qdreamer_lab.workload.sampled.allocation import most, neyman, rounded
from qdreamer_lab.workload.sampled.bases import bases_of
from qdreamer_lab.workload.sampled.glue import gate_glue, joint_glue, wire_glue
from qdreamer_lab.workload.sampled.goal import Goal
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.rounds import ShotRounds
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import Batch, exact_tensor, sample_fragment
from qdreamer_lab.workload.sampled.variance import variances
from qdreamer_lab.workload.sampled.weyl import weyl_form
from tests.circuits.drawn import random_circuit, random_labels, random_unitary
from tests.circuits.plain import ghz, layered_cx_line, parallel_rotations


def lowered(circuit, labels, observables, cost="lo"):
    blocks = to_blocks(circuit)
    _, labels = np.unique(np.asarray(labels), return_inverse=True)
    labels = labels.reshape(-1, 2)
    lone = np.full(len(blocks.lone), labels.max(initial=-1) + 1)
    plan = CutPlan(blocks, labels, lone, max_qubits=99, cost=cost)
    sparse = as_sparse(observables, circuit.num_qubits)
    return lower(plan, [product_terms(one) for one in sparse])


def dense_values(circuit, observables):
    state = Statevector(circuit)
    operators = [SparsePauliOp.from_sparse_observable(SparseObservable(o)) for o in observables]
    return np.array([float(np.real(state.expectation_value(o))) for o in operators])


def sampled(run, seed, goal):
    rounds = ShotRounds(run, goal, (seed,))
    while requests := rounds.requests():
        results = map(sample_fragment, run.fragments, requests)
        rounds.take([(result.tensor, result.samples) for result in results])
    return rounds


# ---- mathematics


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


# ---- kernels and bases


def test_tally_and_read_all_count_as_plain_python_does():
    rng = np.random.default_rng(2)
    letters = ["IXYZ01+-rl"[k] for k in rng.integers(0, 10, size=200)]
    operators = [
        tuple((q, x) for q, x in enumerate(letters[k : k + 5]) if x != "I")
        for k in range(0, 200, 5)
    ]
    for basis in bases_of(operators):
        hits = rng.integers(0, 2 << 5, size=300)
        sums = np.zeros((7, 2, len(basis.operators)))
        tally(hits, 5, basis.parity, basis.care, basis.value, sums)
        expected = np.zeros_like(sums)
        probabilities = np.zeros((2, 32))
        for shot, hit in enumerate(hits.tolist()):
            probabilities[hit >> 5, hit & 31] += 1
            for k, operator in enumerate(basis.operators.tolist()):
                read = 1
                for qubit, letter in operators[operator]:
                    bit = hit >> qubit & 1
                    read *= (
                        (1 - bit if letter in "0+r" else bit) if letter in "01+-rl" else 1 - 2 * bit
                    )
                expected[shot % 7, hit >> 5, k] += read
        np.testing.assert_array_equal(sums, expected)
        means = np.zeros((2, len(basis.operators)))
        read_all(probabilities, basis.parity, basis.care, basis.value, means)
        np.testing.assert_array_equal(means, expected.sum(axis=0))


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


@given(
    st.lists(st.floats(0, 1e3), min_size=1, max_size=20), st.integers(1, 9), st.integers(0, 10_000)
)
def test_shots_are_all_dealt_out_and_nobody_gets_less_than_the_floor(spread, floor, more):
    floors = np.full(len(spread), floor)
    total = floor * len(spread) + more
    shots = neyman(np.array(spread), total, floors)
    assert shots.sum() == total
    assert shots.min() >= floor


@given(st.lists(st.integers(2, 10**6), min_size=1, max_size=60))
def test_rounded_shots_are_few_numbers_and_no_more_in_all(shots):
    shots = np.array(shots)
    found = rounded(shots)
    assert found.sum() <= max(shots.sum(), 2 * len(shots))
    assert found.min() >= 2
    assert len(set(found.tolist())) <= 2 + np.log2(shots.max())


def test_shots_go_where_the_spread_is():
    assert neyman(np.array([3.0, 1.0, 0.0]), 402, np.full(3, 2)).tolist() == [300, 100, 2]


# ---- error bars


CUTS = {
    "gate": (layered_cx_line(), [[0, 0], [0, 1], [1, 1]] * 2, "lo"),
    "wire": (layered_cx_line(5, layers=1), [[0, 0], [0, 0], [1, 1], [1, 1]], "lo"),
    "mixed": (layered_cx_line(), [[0, 0], [0, 1], [1, 1], [0, 0], [1, 1], [1, 1]], "lo"),
    "joint": (parallel_rotations(), [[0, 0], [1, 1], [0, 1], [0, 1], [0, 0], [1, 1]], "joint"),
}
"""Circuit, labels and cost model for each kind of cut."""


@pytest.mark.parametrize("kind", CUTS)
def test_error_bars_cover_the_truth_as_often_as_they_say(kind):
    circuit, labels, cost = CUTS[kind]
    observables = ["Z" * circuit.num_qubits, "I" * (circuit.num_qubits - 2) + "ZZ"]
    run = lowered(circuit, labels, observables, cost)
    kinds = {type(cut) for cut in run.plan.cuts}
    assert kinds == {"gate": {GateCut}, "joint": {GateCut}, "wire": {WireCut}}.get(
        kind, {GateCut, WireCut}
    )
    assert (len(run.glues) < run.plan.num_cuts) == (kind == "joint")
    truth = dense_values(circuit, observables)
    runs = [sampled(run, seed, Goal(1, 4000, 0)) for seed in range(300)]
    off = np.array([(one.evs - truth) / one.stds for one in runs])
    covered = np.mean(np.abs(off) < 1.96, axis=0)
    assert (covered >= 0.91).all(), covered
    assert (covered <= 0.98).all(), covered
    assert np.abs(off.mean(axis=0)).max() < 4 / np.sqrt(300)


def test_a_selection_of_variants_is_unbiased_and_says_how_wrong_it_is(monkeypatch):
    monkeypatch.setattr(sizes, "MOST_VARIANTS", 10)
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["ZZZZ"])
    assert [fragment.num_variants for fragment in run.fragments] == [16, 16]
    truth = dense_values(circuit, ["ZZZZ"])
    runs = [sampled(run, seed, Goal(1, 4000, 0)) for seed in range(100)]
    off = np.array([(one.evs - truth) / one.stds for one in runs])
    assert abs(off.mean()) < 4 / np.sqrt(100)
    assert 0.88 <= np.mean(np.abs(off) < 1.96) <= 0.99


def test_a_precision_is_reached():
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["ZZZZ", "IIXX"])
    loose, tight = (sampled(run, 3, Goal(p, None, 10**7)) for p in (0.05, 0.01))
    assert loose.stds.max() <= 1.05 * 0.05
    assert tight.stds.max() <= 1.05 * 0.01
    assert tight.shots > 10 * loose.shots


def test_a_precision_out_of_reach_is_refused_with_what_can_be_had():
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["ZZZZ"])
    with pytest.raises(PrecisionError, match=r"needs about .* shots, more than max_shots=50,000"):
        sampled(run, 3, Goal(1e-4, None, 50_000))


def test_too_few_shots_are_refused_with_how_many_it_takes():
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["ZZZZ"])
    with pytest.raises(PrecisionError, match=r"shots=63: .* 32 different circuits: .* least 64"):
        ShotRounds(run, Goal(1, 63, 0), (0,))
    with pytest.raises(PrecisionError, match="max_shots=63: too few"):
        ShotRounds(run, Goal(0.1, None, 63), (0,))
    assert sampled(run, 0, Goal(1, 64, 0)).shots == 64


def test_all_shots_are_spent_and_no_more():
    circuit, labels, _ = CUTS["mixed"]
    run = lowered(circuit, labels, ["ZZZZ"])
    for shots in (1000, 12_345):
        assert sampled(run, 1, Goal(1, shots, 0)).shots == shots


def test_branches_are_what_numpy_makes_of_them():
    rng = np.random.default_rng(3)
    states = rng.normal(size=(3, 2, 8)) + 1j * rng.normal(size=(3, 2, 8))
    kraus = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    kraus[1, 1] = 0
    out = combined(states, kraus)
    np.testing.assert_allclose(out, (kraus @ states).reshape(6, 8), atol=1e-12)
    np.testing.assert_allclose(squared(out), np.abs(out) ** 2, atol=1e-12)


def test_the_order_of_variants_does_not_change_their_probabilities():
    circuit, labels, _ = CUTS["mixed"]
    run = lowered(circuit, labels, ["ZZZZ", "XXXX"])
    for fragment in run.fragments:
        orderly, anyhow = Batch(fragment), Batch(fragment)
        expected = [orderly.probabilities(k) for k in range(fragment.num_variants)]
        for k in np.random.default_rng(1).permutation(fragment.num_variants).tolist():
            np.testing.assert_allclose(anyhow.probabilities(k), expected[k], atol=1e-14)
            assert expected[k].sum() == pytest.approx(1)


def test_a_sum_of_correlated_operators_reaches_its_precision():
    """All ZZ of a state near GHZ go up and down together: their variances alone say little."""
    circuit = ghz(6)
    circuit.ry(0.4, range(6))
    pairs = [(one, two) for one in range(6) for two in range(one)]
    energy = SparsePauliOp.from_sparse_list([("ZZ", pair, 1.0) for pair in pairs], 6)
    observable = SparseObservable.from_sparse_pauli_op(energy)
    run = lowered(circuit, [[0, 0], [0, 0], [0, 1], [1, 1], [1, 1]], [observable])
    truth = dense_values(circuit, [observable])
    for seed in range(3):
        rounds = sampled(run, seed, Goal(0.05, None, 10**7))
        assert rounds.stds.max() <= 1.05 * 0.05
        assert np.abs(rounds.evs - truth).max() < 5 * 0.05


def test_the_spread_of_a_variant_is_seen_from_its_own_shots():
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["ZZZZ", "IIZZ", "ZZII"])
    fragment = run.fragments[0]
    gradient = run.gluing.gradients([exact_tensor(f) for f in run.fragments])[0]
    everything = np.arange(fragment.num_variants)
    many = ShotRequest(everything, np.full(len(everything), 4000), (1,), report=True)
    samples = [sample_fragment(fragment, replace(many, seed=(k,))).samples for k in range(8)]
    seen = np.mean([variances(fragment, everything, one, gradient) for one in samples], axis=0)
    batch = Batch(fragment)
    for variant in everything.tolist():
        basis, probabilities = fragment.basis(variant), batch.probabilities(variant)
        weights = gradient[:, basis.operators] @ fragment.readout(variant)
        signs = np.array(
            [
                [1 - 2 * (int(x & p).bit_count() & 1) for x in range(probabilities.shape[1])]
                for p in basis.parity
            ]
        )
        read = np.einsum("nko,kx->nox", weights, signs)
        mean = (read * probabilities).sum(axis=(1, 2))
        true = (np.square(read) * probabilities).sum(axis=(1, 2)) - mean**2
        expected = (15 * true + 2 * most(weights)) / 17  # 16 groups, and what was believed before
        np.testing.assert_allclose(seen[:, variant], expected, rtol=0.4, atol=1e-4)
