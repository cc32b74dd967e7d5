"""Expectation values behind measurements and resets, against density matrices."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import DensityMatrix, Kraus, SparsePauliOp

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.simulator.prepare import for_simulator, is_mixed
from tests.primitive.in_process import simulated

_LABELS = ["IIZ", "ZXI", "YYX", "XIZ", "ZZZ", "IXI"]
_DEPHASING = Kraus([np.diag([1, 0]), np.diag([0, 1])])


def _random(seed, length):
    """A random circuit with measurements and resets, and its density matrix."""
    rng = np.random.default_rng(seed)
    circuit, state = QuantumCircuit(3, 3), DensityMatrix.from_label("000")
    for _ in range(length):
        step = QuantumCircuit(3)
        kind, (first, second) = rng.integers(5), rng.permutation(3)[:2].tolist()
        if kind == 0:
            circuit.measure(first, second)
            state = state.evolve(_DEPHASING, [first])
        elif kind == 1:
            circuit.reset(first)
            state = state.reset([first])
        elif kind == 2:
            amplitudes = rng.normal(size=2) / 1
            circuit.initialize(amplitudes, [first], normalize=True)
            state = state.reset([first])
            angle = 2 * np.arctan2(amplitudes[1], amplitudes[0])
            step.ry(angle, first)
            state = state.evolve(step)
        else:
            step.u(*rng.uniform(0, 3, 3), first)
            step.cx(first, second)
            circuit.compose(step, inplace=True)
            state = state.evolve(step)
    return circuit, state


@pytest.mark.parametrize("method", ["automatic", "density_matrix", "matrix_product_state"])
def test_values_behind_measurements_and_resets_are_exact(method):
    for seed in range(20):
        circuit, state = _random(seed, 5 + seed // 2)
        result = simulated([EstimatorPub.coerce((circuit, _LABELS), 0.0)], method)[0]
        exact = [state.expectation_value(SparsePauliOp(label)).real for label in _LABELS]
        assert np.allclose(result.data.evs, exact, atol=1e-7), seed
        assert not np.any(result.data.stds)


def test_shots_behind_measurements_and_resets_follow_the_density_matrix():
    for seed in range(8):
        circuit, state = _random(seed, 5 + seed)
        circuit = circuit.copy()
        circuit.add_register(ClassicalRegister(3, "end"))
        circuit.measure(range(3), range(3, 6))
        counts = simulated([SamplerPub.coerce(circuit, 800)])[0].data.end.get_int_counts()
        found = [counts.get(outcome, 0) / 800 for outcome in range(8)]
        assert np.allclose(found, state.probabilities(), atol=0.1), seed


def test_many_resets_take_a_density_matrix_rather_than_many_qubits():
    circuit, state = QuantumCircuit(2), DensityMatrix.from_label("00")
    angle = Parameter("angle")
    step = QuantumCircuit(2)
    step.ry(angle, 0)
    step.crx(angle, 0, 1)
    for _ in range(9):
        circuit.compose(step, inplace=True)
        circuit.reset(0)
        state = state.evolve(step.assign_parameters([0.4])).reset([0])
    pub = EstimatorPub.coerce((circuit, ["ZI", "YI"], [0.4]), 0.0)
    (written,) = for_simulator([pub], "automatic")
    assert is_mixed(written.circuit)
    assert written.circuit.num_qubits == 2
    exact = [state.expectation_value(SparsePauliOp(label)).real for label in ("ZI", "YI")]
    assert np.allclose(simulated([pub])[0].data.evs, exact)


def test_a_measured_circuit_has_no_other_precision_than_the_one_asked_for():
    circuit = QuantumCircuit(1, 1)
    circuit.ry(0.7, 0)
    circuit.measure(0, 0)
    pub = EstimatorPub.coerce((circuit, ["Z", "X"]), 0.001)
    found = np.array([simulated([pub], seed=seed)[0].data.evs for seed in range(200)])
    assert np.allclose(found.mean(axis=0), [np.cos(0.7), 0], atol=5 * 0.001 / np.sqrt(200))
    assert np.allclose(found.std(axis=0), 0.001, rtol=0.25)


def test_values_of_circuits_with_feed_forward_are_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    with pytest.raises(PubError, match="control flow that depends on measurements"):
        for_simulator([EstimatorPub.coerce((circuit, "Z"), 0.0)], "automatic")
