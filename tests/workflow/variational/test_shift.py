"""Gradients by shifted parameters, against differences of dense expectation values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.library import CRXGate, PauliEvolutionGate, efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workflow.variational.shift import shifted_circuit

OBSERVABLE = SparsePauliOp(["ZZI", "XIY", "IYX", "IIZ"], [0.7, -0.4, 0.9, 0.3])
ONE, TWO = ("rx", "ry", "rz", "p"), ("rxx", "ryy", "rzz", "rzx", "crx", "cry", "crz", "cp")


def value_at(circuit, values):
    bound = circuit.assign_parameters(values)
    return Statevector(bound).expectation_value(OBSERVABLE).real


def by_differences(circuit, values, step=1e-5):
    """Central differences: good to about 1e-9."""
    found = []
    for k in range(len(values)):
        up, down = values.copy(), values.copy()
        up[k] += step
        down[k] -= step
        found.append((value_at(circuit, up) - value_at(circuit, down)) / (2 * step))
    return np.array(found)


def by_shifts(circuit, values):
    shifted = shifted_circuit(circuit)
    points = shifted.points(values, gradient=True)
    found = np.array([value_at(shifted.circuit, point) for point in points])
    assert shifted.points(values, gradient=False).tolist() == points[:1].tolist()
    return found[0], shifted.gradient(values, found)


def check(circuit, values):
    value, gradient = by_shifts(circuit, values)
    assert value == pytest.approx(value_at(circuit, values), abs=1e-12)
    np.testing.assert_allclose(gradient, by_differences(circuit, values), atol=1e-7)


@st.composite
def circuits(draw):
    """Three parameters, each of which may occur anywhere, alone, scaled, and in sums."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    free = ParameterVector("p", 3)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.u(*random.uniform(-3, 3, 3), qubit)
    for name in draw(st.lists(st.sampled_from(ONE + TWO), min_size=1, max_size=8)):
        a, b = random.choice(3, 2, replace=False).tolist()
        first, second = (free[k] for k in random.choice(3, 2, replace=False).tolist())
        factor = float(random.uniform(-2, 2))
        angle = draw(
            st.sampled_from([first, factor * first, first + factor * second + 0.3, second - first])
        )
        getattr(circuit, name)(angle, *([a] if name in ONE else [a, b]))
        circuit.cx(a, b)
    return circuit, random.uniform(-3, 3, circuit.num_parameters)


@settings(max_examples=60)
@given(circuits())
def test_any_gates_with_parameters_that_occur_again_and_with_coefficients(case):
    check(*case)


def test_one_parameter_in_many_places_and_in_products():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    for k in range(3):
        circuit.rx(2 * a, k)
        circuit.rzz(-0.5 * a * b, k, (k + 1) % 3)
    circuit.ry(a * a + b.sin(), 1)
    check(circuit, np.array([0.4, -1.1]))


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_gates_without_a_rule_become_what_defines_them():
    a, b, c = (Parameter(name) for name in "abc")
    circuit = QuantumCircuit(3)
    circuit.u(a, b, 2 * c, 0)
    circuit.h(1)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XXI", "ZZI"], [0.5, -1.5]), b), [0, 1, 2])
    circuit.append(CRXGate(a, ctrl_state=0), [0, 2])
    circuit.compose(efficient_su2(3, reps=1), inplace=True)
    inner = QuantumCircuit(2, name="rx")  # a name that says something else
    inner.rzx(c, 0, 1)
    inner.ry(3 * c, 1)
    circuit.append(inner.to_gate(), [2, 0])
    check(circuit, np.random.default_rng(0).uniform(-2, 2, circuit.num_parameters))


def test_points_of_a_gradient_are_one_batch():
    a = Parameter("a")
    circuit = QuantumCircuit(3)
    for k in range(3):
        circuit.rx(a, k)
    circuit.crz(2 * a, 0, 1)
    shifted = shifted_circuit(circuit)
    points = shifted.points(np.array([0.5]), gradient=True)
    assert points.shape == (1 + 2 * 3 + 4, 4)
    assert (np.count_nonzero(points - points[0], axis=1)[1:] == 1).all()
    assert points[0].tolist() == [0.5, 0.5, 0.5, 1.0]


def test_what_has_no_rule_is_named():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.append(Gate("mystery", 1, [Parameter("a")]), [1])
    with pytest.raises(CircuitError, match=r"instruction 1: there is no shift rule .* 'mystery'"):
        shifted_circuit(circuit)
