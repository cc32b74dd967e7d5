"""Readout that was put right, against whole matrices inverted, and shots misread on purpose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError

from qdreamer_lab import CutEstimator, CutSampler, QDreamerError
from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.execution import dispatch
from qdreamer_lab.workload.sampled.bases import bases_of, outcome_basis
from qdreamer_lab.workload.sampled.device.confusion import (
    Confusion,
    calibration_shots,
)
from qdreamer_lab.workload.sampled.device.spliced import Spliced
from qdreamer_lab.workload.sampled.work_sizes import GROUPS
from tests.workload.sampled.device.cut_devices import Elsewhere, line

OPERATORS = [
    ((0, "Z"),),
    ((0, "Z"), (2, "Z")),
    ((0, "Z"), (1, "Z"), (2, "1")),
    ((1, "0"), (2, "1")),
    (),
]


def confusion(flips, shots=10**7, seed=1):
    """Of qubits that are misread in just these shares."""
    flips = np.asarray(flips)
    rows = np.arange(shots)[:, None]
    zeros, ones = rows < flips[:, 0] * shots, rows >= flips[:, 1] * shots
    return Confusion.seen("test", range(len(flips)), zeros, ones, (seed,))


def spliced_on(qubits, outcomes, measured, num_local):
    """As `Spliced`, with bits that are read off given qubits."""
    circuit = QuantumCircuit(max(qubits) + 1, len(qubits))
    for bit, qubit in enumerate(qubits):
        circuit.measure(qubit, bit)
    return Spliced(circuit, outcomes, measured, num_local)


def brute_force(spliced, basis, bits, group, inverse):
    """Whole histograms, times the inverse of the whole matrix, read in the usual way."""
    whole = np.ones((1, 1))
    for qubit in spliced.qubits:  # the first bit is the lowest of the index
        whole = np.kron(inverse[qubit], whole)
    count = len(spliced.qubits)
    strings = (np.arange(1 << count)[:, None] >> np.arange(count) & 1).astype(bool)
    index = bits @ (1 << np.arange(count))
    sums = []
    for k in range(group.max() + 1):
        seen = whole @ np.bincount(index[group == k], minlength=1 << count)
        table = np.zeros((1 << spliced.num_outcome_bits, 1 << spliced.num_local))
        np.add.at(table.ravel(), spliced.hits(strings), seen)
        sums.append(basis.means(table))
    return np.array(sums)


@given(seed=st.integers(0, 10**6), outcomes=st.integers(0, 2), whole=st.booleans())
@settings(max_examples=25, deadline=None)
def test_as_brute_force_has_it(seed, outcomes, whole):
    rng = np.random.default_rng(seed)
    found = confusion(rng.uniform(0, 0.3, (5, 2)).round(3), 1000)
    basis = outcome_basis([0, 2, 3]) if whole else bases_of(OPERATORS)[0]
    measured = tuple(qubit for qubit, _ in basis.letters)
    qubits = rng.integers(0, 5, outcomes + len(measured)).tolist()  # one may be read twice
    spliced = spliced_on(qubits, outcomes, measured, 4)
    bits = rng.random((40, len(qubits))) < 0.4
    group = np.arange(40) % 7
    sums, moves = found.corrected(spliced, basis, bits, group)
    truth = brute_force(spliced, basis, bits, group, found.inverse)
    np.testing.assert_allclose(sums, truth, atol=1e-10)
    # By how much the mean moves if one share does: numerical derivatives.
    wanted = np.zeros((GROUPS, *sums.shape[1:]))
    shares = np.stack([-found.inverse[:, 1, 0], -found.inverse[:, 0, 1]], 1)
    shares /= np.linalg.det(found.inverse)[:, None]
    for qubit in set(qubits):
        for j in range(2):
            away = []
            for step in (1e-5, -1e-5):
                moved = shares.copy()
                moved[qubit, j] += step
                matrices = [[[1 - a, b], [a, 1 - b]] for a, b in moved]
                inverse = np.linalg.inv(np.array(matrices))
                sums_there = brute_force(spliced, basis, bits, 0 * group, inverse)[0]
                away.append(sums_there / 40)
            slope = (away[0] - away[1]) / 2e-5
            wanted += np.multiply.outer(
                found.directions[:, qubit, j] * found.spread[qubit, j], slope
            )
    np.testing.assert_allclose(moves, wanted, atol=1e-7)


def test_shares_and_how_well_they_are_known():
    rng = np.random.default_rng(3)
    flips = np.array([[0.02, 0.1], [0.0, 0.05]])
    found = []
    for seed in range(400):
        zeros, ones = rng.random((500, 2)) < flips[:, 0], rng.random((500, 2)) >= flips[:, 1]
        found.append(Confusion.seen("test", [4, 7], zeros, ones, (seed,)))
    assert found[0].place == {4: 0, 7: 1}
    matrices = np.linalg.inv([each.inverse for each in found])
    shares = np.stack([matrices[:, :, 1, 0], matrices[:, :, 0, 1]], axis=2)
    np.testing.assert_allclose(shares.mean(axis=0), flips, atol=0.003)
    spread = np.mean([each.spread for each in found], axis=0)
    np.testing.assert_allclose(spread[flips > 0], shares.std(axis=0)[flips > 0], rtol=0.15)
    assert (spread > 0).all()  # 500 right answers do not prove that all are


def test_directions_add_up_and_are_unlike():
    one = confusion(np.full((6, 2), 0.1), 100).directions.reshape(GROUPS, 12)
    np.testing.assert_allclose(one.T @ one, np.eye(12), atol=1e-12)
    many = confusion(np.full((50, 2), 0.1), 100).directions.reshape(GROUPS, 100)
    np.testing.assert_allclose(np.square(many).sum(axis=0), 1, atol=1e-12)


def test_a_qubit_that_is_a_coin():
    with pytest.raises(DeviceError, match="qubit 1 is misread in 40% of all shots"):
        confusion([[0.1, 0.1], [0.5, 0.3]], 100)


def test_shots_of_calibration():
    for shots in (9000, 10**5, 10**6):
        each = calibration_shots(shots)
        assert each & each - 1 == 0
        assert 0.04 < 2 * each / (shots + 2 * each) <= 0.1
    assert calibration_shots(10) == 32


def misread(flips):
    """A device whose only errors are in its readout."""
    noise = NoiseModel()
    for qubit, (zero, one) in enumerate(flips):
        noise.add_readout_error(ReadoutError([[1 - zero, zero], [one, 1 - one]]), [qubit])
    return AerSimulator(noise_model=noise)


FLIPS = [(0.02, 0.08), (0.05, 0.1), (0.01, 0.05), (0.1, 0.03), (0.04, 0.12), (0.03, 0.07)]


def circuit_of(seed, qubits=4):
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(float(rng.uniform(0, 1)), qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
        circuit.rx(float(rng.uniform(0, 1)), qubit + 1)
    return circuit


@pytest.mark.parametrize("mitigation", ["readout", "twirling", ("readout", "twirling")])
def test_a_seed_means_the_same_on_any_number_of_workers(monkeypatch, mitigation):
    """On a simulator of a device, whose noise is drawn by seeds."""
    found = []
    for workers in (1, 3):

        def run_here(queue, stop, keep, workers=workers):
            while queue:
                chunk = queue.next(workers)
                result = chunk.function(*chunk.args)
                keep(chunk, result, dispatch._row(chunk, result, None))

        monkeypatch.setattr(dispatch, "_run_here", run_here)
        cut = CutEstimator(2, backend=misread([*FLIPS]), shots=3000, seed=4, mitigation=mitigation)
        (result,) = cut.run([(circuit_of(5, 3), LABELS[3])]).result()
        found.append(np.array([result.data.evs, result.data.stds]))
        assert result.record.shots > 2500
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)


LABELS = {3: ["ZZZ", "IIZ", "ZIX", "XYI"], 4: ["ZZZZ", "IIZZ", "ZIII", "XIYI"]}


def exact(circuit):
    state = Statevector(circuit)
    labels = LABELS[circuit.num_qubits]
    return np.array([state.expectation_value(Pauli(label)).real for label in labels])


class Misread(Elsewhere):
    """A device with few jobs, whose only errors are in its readout."""

    def __init__(self, flips):
        super().__init__(line("rz", "sx", "x", "cx").target)
        self._simulator = misread(flips)

    def run(self, run_input, **options):
        self.jobs.append((len(run_input), options["shots"]))
        return self._simulator.run(run_input, **options)


@pytest.mark.parametrize(
    ("flips", "mitigation", "seeds"),
    [
        (FLIPS, "readout", 20),
        (FLIPS, ["readout", "twirling"], 8),
        ([(0, 0)] * 6, ["readout", "twirling"], 8),
    ],
)
def test_values_are_unbiased_and_error_bars_cover(flips, mitigation, seeds):
    device, circuit = Misread(flips), circuit_of(5, 3)
    truth = exact(circuit)
    away = []
    for seed in range(seeds):
        cut = CutEstimator(2, backend=device, shots=3000, seed=seed, mitigation=mitigation)
        (result,) = cut.run([(circuit, LABELS[3])]).result()
        away.append((result.data.evs - truth) / result.data.stds)
        assert 2000 < result.record.shots <= 3100  # 32 of each calibration at least
        assert result.record.shots == sum(row.shots for row in result.record.fragments)
    away = np.array(away)
    assert (np.abs(away.mean(axis=0)) < 4.5 / np.sqrt(len(away))).all()
    assert (np.abs(away) < 1.96).mean() >= 0.85
    assert 0.6 < np.sqrt(np.square(away).mean()) < 1.3


def test_without_it_they_are_not():
    circuit = circuit_of(5)
    cut = CutEstimator(2, backend=misread(FLIPS), shots=60_000, seed=1)
    (result,) = cut.run([(circuit, LABELS[4])]).result()
    assert np.abs((result.data.evs - exact(circuit)) / result.data.stds).max() > 5


def test_distributions_too():
    circuit = circuit_of(2, 5)
    truth = Statevector(circuit).probabilities()
    measured = circuit.measure_all(inplace=False)
    off = {}
    for mitigation in (None, "readout"):
        sampler = CutSampler(3, backend=misread(FLIPS), seed=4, mitigation=mitigation)
        result = sampler.run([measured], shots=100_000).result()[0].distribution
        off[mitigation] = (result.quasi() - truth, result.stds())
    away, stds = off["readout"]
    assert np.sqrt(np.mean(np.square(away / np.maximum(stds, 1e-4)))) < 1.4
    assert np.abs(away).sum() < 0.5 * np.abs(off[None][0]).sum()


def test_outcomes_that_wait_for_the_end_are_put_right_as_well():
    circuit = circuit_of(5)
    cut = CutEstimator(
        2, backend=misread(FLIPS), shots=60_000, seed=1, mitigation="readout", mid_circuit=False
    )
    (result,) = cut.run([(circuit, LABELS[4])]).result()
    assert (np.abs(result.data.evs - exact(circuit)) < 5 * result.data.stds).all()


def test_a_device_gets_few_jobs_and_a_dry_run_counts_them():
    circuit = circuit_of(5)
    for mitigation in (None, "readout", "twirling", ("twirling", "readout")):
        device = Misread([(0, 0)] * 5)
        cut = CutEstimator(3, backend=device, shots=30_000, seed=1, mitigation=mitigation)
        said = cut.dry_run([(circuit, LABELS[4])])
        assert device.jobs == []
        (result,) = cut.run([(circuit, LABELS[4])]).result()
        assert (np.abs(result.data.evs - exact(circuit)) < 5 * result.data.stds).all()
        sent = [circuits * shots for circuits, shots in device.jobs]
        assert sum(sent) <= result.record.shots <= 30_200
        # Later rounds go by what was read, which a rehearsal draws anew.
        assert said.devices[0].circuits == pytest.approx(sum(c for c, _ in device.jobs), rel=0.35)
        assert len(device.jobs) <= 60


def test_bad_input():
    with pytest.raises(QDreamerError, match="unknown mitigation 'luck'; there is 'readout', 'twi"):
        CutEstimator(3, mitigation="luck")
    with pytest.raises(QDreamerError, match="names 'readout' twice"):
        CutSampler(3, mitigation=["readout", "readout"])
    with pytest.raises(QDreamerError, match="mid_circuit='no': True, False, or None"):
        CutEstimator(3, mid_circuit="no")
    with pytest.raises(QDreamerError, match="simulators make none: name a device"):
        CutEstimator(2, mode="sampled", mitigation="readout").run(
            [(circuit_of(1), "ZZZZ")]
        ).result()


def test_a_device_whose_readout_is_beyond_help_is_left():
    bad = misread([(0.5, 0.4)] * 6)
    cut = CutEstimator(2, backend=bad, shots=4000, mitigation="readout")
    with pytest.raises(DeviceError, match="too often to be put right"):
        cut.run([(circuit_of(1), "ZZZZ")]).result()
    helped = CutEstimator(2, backend=bad, shots=4000, mitigation="readout", fallback="cpu")
    (result,) = helped.run([(circuit_of(1), "ZZZZ")]).result()
    assert "ran on a simulator instead" in result.record.notes[0]
