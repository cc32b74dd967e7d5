"""What Aer may be given at run time: proven gate by gate, for sweeps of 1, 2 and many points."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp, Statevector

from pilot_kernel.primitive.simulator.aer import BOUND_LATE
from pilot_kernel.primitive.simulator.parameter_binding import binds_late
from pilot_kernel.primitive.simulator.prepare import for_simulator
from tests.circuits.awkward import STANDARD
from tests.primitive.in_process import assert_drawn_from, simulated

_TURNING = [gate for gate in STANDARD if gate.params]
_OBSERVABLES = ["IIIZ", "IIXY", "ZYXZ", "YIIX"]


def _circuits(gate):
    """The gate with parameters, with expressions of them, controlled and openly controlled."""
    names = [Parameter(f"p{place}") for place in range(len(gate.params))]
    mixed = [2 * name - names[0] ** 2 / 3 for name in names]
    plain, clever = gate.base_class(*names), gate.base_class(*mixed)
    for turned in (plain, clever, plain.control(1), clever.control(1, ctrl_state=0)):
        circuit = QuantumCircuit(4)
        for qubit in range(4):
            circuit.u(0.3 + qubit, 0.5, 0.7, qubit)
        circuit.append(turned, range(turned.num_qubits))
        circuit.barrier()
        circuit.cx(0, 1)
        circuit.append(plain, range(3, 3 - plain.num_qubits, -1))
        circuit.h([0, 1, 2, 3])
        yield circuit


def _expected(circuit, values):
    operators = [SparsePauliOp(label) for label in _OBSERVABLES]
    states = [Statevector(circuit.assign_parameters(row)) for row in values]
    return [[state.expectation_value(op).real for op in operators] for state in states]


@pytest.mark.parametrize("gate", _TURNING, ids=lambda gate: gate.name)
def test_sweeps_give_what_bound_circuits_give(gate):
    rng = np.random.default_rng(len(gate.name))
    for points, circuit in zip((1, 2, 7, 3), _circuits(gate), strict=True):
        values = rng.uniform(-5, 5, (points, circuit.num_parameters))
        pub = EstimatorPub.coerce((circuit, _OBSERVABLES, values[:, None, :]), 0.0)
        assert np.allclose(simulated([pub])[0].data.evs, _expected(circuit, values), atol=1e-9)


@pytest.mark.parametrize("kind", sorted(BOUND_LATE, key=lambda kind: kind.__name__))
@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state"])
def test_aer_binds_these_at_run_time_with_every_method(kind, method):
    gate = next(gate for gate in STANDARD if gate.base_class is kind)
    circuit = next(_circuits(gate))
    values = np.random.default_rng(3).uniform(-5, 5, (3, circuit.num_parameters))
    pub = EstimatorPub.coerce((circuit, _OBSERVABLES, values[:, None, :]), 0.0)
    assert binds_late(for_simulator([pub], method)[0].circuit)
    assert np.allclose(simulated([pub], method)[0].data.evs, _expected(circuit, values), atol=1e-7)


def test_a_sweep_of_clifford_angles_and_others_takes_the_right_method_for_each():
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.rz(angle, 0)
    circuit.cx(0, 1)
    circuit.h([0, 1])
    values = np.array([[0.0], [np.pi / 2], [0.3], [np.pi], [1.1]])
    pub = SamplerPub.coerce((circuit.measure_all(inplace=False), values), 4000)
    bits = simulated([pub])[0].data.meas
    for point, row in enumerate(values):
        exact = Statevector(circuit.assign_parameters(row)).probabilities()
        assert_drawn_from(bits.get_int_counts(point), exact)


def test_parameters_without_effect_keep_the_shape_of_the_sweep():
    length = Parameter("length")
    circuit = QuantumCircuit(1, global_phase=Parameter("phase"))
    circuit.x(0)
    circuit.delay(length, 0, "ns")
    values = np.arange(6.0).reshape(3, 2)
    estimate = EstimatorPub.coerce((circuit, ["Z", "X"], values[:, None, :]), 0.0)
    sample = SamplerPub.coerce((circuit.measure_all(inplace=False), values), 9)
    assert np.allclose(simulated([estimate])[0].data.evs, [[-1, 0]] * 3)
    bits = simulated([sample])[0].data.meas
    assert bits.shape == (3,)
    assert bits.get_counts(2) == {"1": 9}
