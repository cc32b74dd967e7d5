"""What is done with a circuit or with values after `run` returned is of no matter to the job."""

import threading

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator, CutSampler
from qdreamer_lab.errors import CircuitError, PlanError

ANGLE = Parameter("angle")
WAYS = [
    {"max_qubits": 2, "mode": "exact"},
    {"max_qubits": 4, "mode": "exact"},
    {"max_qubits": 2, "mode": "sampled", "seed": 5},
    {"max_qubits": 4, "mode": "exact", "method": "matrix_product_state"},
]


@pytest.fixture
def late(monkeypatch):
    """Jobs that begin when they are let, unless they are done within `run`."""
    gate = threading.Event()

    def waiting(work):
        def waits(self, *args):
            assert threading.current_thread() is threading.main_thread() or gate.wait(120)
            return work(self, *args)

        return waits

    for primitive in (CutEstimator, CutSampler):
        monkeypatch.setattr(primitive, "_run_pub", waiting(primitive._run_pub))
    yield gate
    gate.set()


def line(angle, num_qubits=4):
    circuit = QuantumCircuit(num_qubits)
    circuit.ry(angle, 0)
    for k in range(3):
        circuit.cx(k, k + 1)
        circuit.rx(0.3 * k + 0.2, k + 1)
    return circuit


@pytest.mark.parametrize("way", WAYS)
def test_a_circuit_may_be_changed_after_run(way, late):
    circuit = line(0.7)
    wanted = Statevector(circuit).expectation_value(SparsePauliOp("ZIIZ")).real
    job = CutEstimator(**way).run([(circuit, "ZIIZ")], precision=0.02)
    circuit.x(range(4))
    circuit.data[0] = circuit.data[0].replace(qubits=[circuit.qubits[3]])
    late.set()
    assert job.result()[0].data.evs == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("way", WAYS)
def test_values_may_be_changed_after_run(way, late):
    circuit, angles = line(ANGLE), np.array([[0.1], [0.9], [2.5]])
    wanted = [
        Statevector(line(angle)).expectation_value(SparsePauliOp("ZIIZ")).real
        for angle in angles[:, 0]
    ]
    job = CutEstimator(**way).run([(circuit, "ZIIZ", angles)], precision=0.02)
    angles += 1.0
    late.set()
    result = job.result()[0]
    assert result.data.evs == pytest.approx(wanted, abs=0.1)
    assert result.metadata["parameter_values"].as_array()[:, 0].tolist() == [0.1, 0.9, 2.5]


@pytest.mark.parametrize("mode", ["exact", "sampled"])
@pytest.mark.parametrize("swept", [False, True])
def test_so_it_is_with_distributions(mode, swept, late):
    circuit, angles = line(ANGLE), np.array([[0.4], [1.9]])
    wanted = [Statevector(line(angle)).probabilities() for angle in angles[:, 0]]
    if not swept:
        circuit, wanted = line(0.4), wanted[:1]
    circuit.measure_all()
    pub = (circuit, angles) if swept else (circuit,)
    job = CutSampler(2, mode=mode, seed=5).run([pub], shots=100_000)
    angles += 1.0
    circuit.data[0] = circuit.data[0].replace(qubits=[circuit.qubits[3]])
    circuit.clear()
    late.set()
    result = job.result()[0]
    assert len(result.distributions.ravel()) == len(wanted)
    for found, true in zip(result.distributions.ravel(), wanted, strict=True):
        assert np.abs(found.quasi() - true).max() < 0.03


@pytest.mark.parametrize("way", WAYS[:3])
def test_circuits_that_differ_in_idle_qubits_alone(way):
    estimator, values = CutEstimator(**way), []
    for num_qubits in (4, 6, 5, 4):
        given = [(line(0.7, num_qubits), "I" * (num_qubits - 4) + "ZIIZ")]
        values.append(float(estimator.run(given, precision=0.02).result()[0].data.evs))
    wanted = Statevector(line(0.7)).expectation_value(SparsePauliOp("ZIIZ")).real
    assert values == pytest.approx([wanted] * 4, abs=0.1)


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_a_plan_for_another_number_of_qubits_is_refused(mode):
    plan = CutEstimator(2, mode=mode).run([(line(0.7), "ZIIZ")]).result()[0].metadata["plan"]
    job = CutEstimator(2, mode=mode, plan=plan).run([(line(0.7, 5), "IZIIZ")])
    with pytest.raises(PlanError, match="another circuit, with 4 qubits instead of 5"):
        job.result()


def test_a_circuit_that_came_without_values_is_still_to_be_checked():
    circuit = QuantumCircuit(2, 2)
    circuit.ry(ANGLE, 0)
    circuit.measure(0, 0)
    circuit.h(0)
    estimator = CutEstimator(2, mode="exact")
    assert estimator.run([(circuit, "ZZ", np.zeros((0, 1)))]).result()[0].data.evs.shape == (0,)
    with pytest.raises(CircuitError, match="measure"):
        estimator.run([(circuit, "ZZ", [[0.1], [0.2]])])
