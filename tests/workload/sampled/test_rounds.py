"""Sampled mode: right on average for any cuts, honest about its error, repeatable."""

from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparseObservable, SparsePauliOp

from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut
from qdreamer_lab.workload.sampled import work_sizes as sizes
from qdreamer_lab.workload.sampled.allocation import most
from qdreamer_lab.workload.sampled.rounds import ShotRounds
from qdreamer_lab.workload.sampled.shot_goal import Goal
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import Batch, exact_tensor, sample_fragment
from qdreamer_lab.workload.sampled.variance import variances
from tests.circuits.plain import ghz
from tests.workload.sampled.lowered import CUTS, dense_values, lowered, sampled

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
    run = lowered(circuit, labels, ["YYYY"])  # measured in Z, one cut would be settled
    assert [fragment.num_variants for fragment in run.fragments] == [16, 16]
    truth = dense_values(circuit, ["YYYY"])
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


@pytest.mark.parametrize("angle", [0.12, 0.4])
def test_shots_that_all_read_the_same_do_not_make_a_value_certain(angle):
    """A value close to 1 is told with as few errors as any, however little its shots vary."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rx(angle, 1)
    circuit.cx(1, 2)
    run = lowered(circuit, np.array([[0, 0], [0, 1]]), ["IZZ"])
    (truth,) = dense_values(circuit, ["IZZ"])
    runs = [sampled(run, seed, Goal(1 / 64, None, 10**7)) for seed in range(80)]
    off = np.array([one.evs[0] - truth for one in runs])
    assert np.mean(np.abs(off) < 1.96 * np.array([one.stds[0] for one in runs])) >= 0.9
    assert np.sqrt(np.mean(off**2)) < 1.2 / 64


def test_a_precision_out_of_reach_is_refused_with_what_can_be_had():
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["ZZZZ"])
    with pytest.raises(PrecisionError, match=r"needs about .* shots, more than max_shots=50,000"):
        sampled(run, 3, Goal(1e-4, None, 50_000))


def test_too_few_shots_are_refused_with_how_many_it_takes():
    circuit, labels, _ = CUTS["gate"]
    run = lowered(circuit, labels, ["YYYY"])
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
    seen = np.mean([variances(fragment, everything, one, gradient)[0] for one in samples], axis=0)
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
