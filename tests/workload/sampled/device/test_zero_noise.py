"""Zero-noise extrapolation: folded circuits do the same, and a line through two levels is taken."""

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, Pauli, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from qdreamer_lab import CutEstimator, CutSampler
from qdreamer_lab.errors import DeviceError, PrecisionError, QDreamerError
from qdreamer_lab.workload.sampled.device.folding import folded
from qdreamer_lab.workload.sampled.device.spliced import Spliced

LABELS = ["ZZZZ", "IIZZ", "ZIII", "XIYI"]

pytest.importorskip("qiskit_mitigation", reason="pip install qiskit-mitigation")


def circuit_of(seed):
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(float(rng.uniform(0, 1)), qubit)
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
        circuit.rx(float(rng.uniform(0, 1)), qubit + 1)
    return circuit


def exact(circuit):
    state = Statevector(circuit)
    return np.array([state.expectation_value(Pauli(label)).real for label in LABELS])


def noisy(error):
    """Only CX gates have errors."""
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(depolarizing_error(error, 2), ["cx"])
    return AerSimulator(noise_model=noise, basis_gates=["rz", "sx", "x", "cx"])


def spliced(circuit):
    return Spliced(circuit, 0, (), circuit.num_qubits)


def test_folded_circuits_do_the_same_with_three_times_the_gates():
    circuit = QuantumCircuit(3)
    for k, gate in enumerate(("cx", "cz", "cy", "ecr", "swap")):
        getattr(circuit, gate)(k % 3, (k + 1) % 3)
        circuit.rx(0.3 + k, k % 3)
    backend = AerSimulator()
    assert folded(spliced(circuit), 1, backend).circuit is circuit
    three = folded(spliced(circuit), 3, backend).circuit
    assert Operator(three) == Operator(circuit)
    counts = circuit.count_ops()
    assert three.count_ops() == {
        name: count if name == "rx" else 3 * count for name, count in counts.items()
    }


def test_gates_that_cannot_be_folded_are_named():
    circuit = QuantumCircuit(2)
    circuit.rzz(0.2, 0, 1)
    with pytest.raises(DeviceError, match="folds cx, cy, cz, ecr, swap, and its circuits have rzz"):
        folded(spliced(circuit), 3, AerSimulator())


def test_noise_of_gates_is_taken_out_and_error_bars_are_those_of_shots():
    circuit, backend = circuit_of(3), noisy(0.06)
    truth, found = exact(circuit), {}
    for mitigation in (None, "zne"):
        rows = []
        for seed in range(3):
            cut = CutEstimator(2, backend=backend, shots=40_000, seed=seed, mitigation=mitigation)
            rows.append(cut.run([(circuit, LABELS)]).result()[0])
        evs = np.array([each.data.evs for each in rows])
        stds = np.array([each.data.stds for each in rows])
        found[mitigation] = np.abs(evs.mean(axis=0) - truth).mean(), stds.mean()
        assert all(abs(each.record.shots - 40_000) < 1500 for each in rows)
    # A CX done three times shrinks values by the cube: a line leaves 3 d^2 / 2 of d.
    assert found["zne"][0] < 0.5 * found[None][0]
    assert found["zne"][1] == pytest.approx(2 * found[None][1], rel=0.2)
    assert "two-qubit gates done 1 and 3 times" in rows[0].metadata["notes"][-1]


def test_without_noise_it_changes_nothing_but_error_bars():
    circuit = circuit_of(4)
    cut = CutEstimator(2, backend=noisy(0.0), shots=40_000, seed=1, mitigation="zne")
    result = cut.run([(circuit, LABELS)]).result()[0]
    assert (np.abs(result.data.evs - exact(circuit)) < 5 * result.data.stds).all()


def test_a_precision_is_met_and_a_dry_run_counts_both_levels():
    circuit, seen = circuit_of(5), []
    options = {"backend": noisy(0.01), "seed": 1, "mitigation": "zne"}
    cut = CutEstimator(2, default_precision=0.03, progress=seen.append, **options)
    result = cut.run([(circuit, LABELS)]).result()[0]
    assert result.data.stds.max() < 0.03 * 1.06
    assert [report.over for report in seen].count(True) == 1
    assert seen[-1].over
    assert all(report.evs is None for report in seen)
    said = cut.dry_run([(circuit, LABELS)])
    assert len(said.plans) == 1
    assert 0.3 < said.shots / result.record.shots < 3
    assert said.devices[0].fragments == 2
    assert math.isclose(said.devices[0].variants, result.record.variants)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"default_precision": 1e-6}, "has 7,500,000 and 2,500,000 of max_shots .*can be reached"),
        ({"shots": 40}, "a part of the shots at each level of noise.*too few for"),
    ],
)
def test_a_precision_that_no_budget_reaches(asked, complaint):
    cut = CutEstimator(2, backend=noisy(0.01), seed=1, mitigation="zne", **asked)
    with pytest.raises(PrecisionError, match=complaint):
        cut.run([(circuit_of(5), LABELS)]).result()


def test_a_distribution_takes_none():
    with pytest.raises(QDreamerError, match="mitigation='zne' extrapolates values"):
        CutSampler(2, backend=noisy(0.0), mitigation=["readout", "zne"])
