"""What is said of PUBs that do not fit, and that nothing is refused which Qiskit takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.pub.check import estimator_pubs, sampler_pubs

VECTOR, ALONE = ParameterVector("v", 2), Parameter("a")


def _circuit():
    circuit = QuantumCircuit(2)
    circuit.ry(VECTOR[0], 0)
    circuit.ry(VECTOR[1], 1)
    circuit.rx(ALONE, 0)
    return circuit


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({VECTOR: [1, 2, 3], ALONE: 1}, r"v\[0\], v\[1\] are 2 parameters.* have 3 in a row"),
        ({VECTOR: [1, 2]}, r"no value for a; the circuit's parameters are a, v\[0\], v\[1\]"),
        ({"v": [1, 2], "a": 3}, "'v' names a ParameterVector; the key is the vector itself"),
        ({VECTOR: [1, 2], "b": 3}, "given for b and there is no value for a"),
        ([[1, 2]], r"3 parameters.* have 2 in a row.* \(points, 3\) for a sweep"),
        ("abc", "parameter values are numbers, and these are 'abc'; an observable is"),
        ([1j, 2, 3], "parameter values are numbers"),
    ],
)
def test_values_that_do_not_fit(values, said):
    with pytest.raises(PubError, match=said):
        estimator_pubs([(_circuit(), "ZZ", values)], 0.0)
    measured = _circuit().measure_all(inplace=False)
    with pytest.raises(PubError, match=said):
        sampler_pubs([(measured, values)], 10)


@pytest.mark.parametrize(
    ("observables", "said"),
    [
        ("Z", "'Z' is of 1 qubit and the circuit has 2"),
        ([["ZZ", "XX"], ["ZZZ", "ZZ"]], "'ZZZ' is of 3 qubits"),
        ({"ZZ": 1, "ZQ": 2}, "'ZQ' holds 'Q'"),
        (np.array(["ZZ", "Z"]), "observable 'Z' is of 1 qubit"),
        (3.0, "3.0 is no observable; write a Pauli string such as 'IZ'"),
    ],
)
def test_observables_that_do_not_fit(observables, said):
    with pytest.raises(PubError, match=said):
        estimator_pubs([(_circuit(), observables, [1, 2, 3])], 0.0)


@pytest.mark.parametrize("wrong", [-1, "low"])
def test_a_precision_of_a_pub_s_own(wrong):
    with pytest.raises(PubError, match=f"precision={wrong!r}: a finite number, zero or more"):
        estimator_pubs([(_circuit(), "ZZ", [1, 2, 3], wrong)], 0.0)


NUMBERS = st.floats(-9, 9)
ARRAYS = st.integers(0, 4).flatmap(lambda size: st.lists(NUMBERS, min_size=size, max_size=size))
KEYS = st.sampled_from([VECTOR, ALONE, "a", "b", "v", "v[0]", (VECTOR[1], ALONE)])
VALUES = st.one_of(ARRAYS, st.lists(ARRAYS, max_size=2), st.dictionaries(KEYS, ARRAYS | NUMBERS))
LABELS = st.text("IXYZQ", min_size=1, max_size=3)


@given(VALUES, st.one_of(LABELS, st.lists(LABELS, min_size=1, max_size=2)))
def test_what_qiskit_takes_is_taken_and_all_else_is_a_pub_error(values, observables):
    circuit = _circuit()
    try:
        theirs = EstimatorPub.coerce((circuit, observables, values), 0.5)
        theirs.parameter_values.bind_all(circuit)
    except (ValueError, TypeError, QiskitError):
        with pytest.raises(PubError):
            estimator_pubs([(circuit, observables, values)], 0.5)
        return
    (ours,) = estimator_pubs([(circuit, observables, values)], 0.5)
    assert ours.shape == theirs.shape
    assert ours.parameter_values.data.keys() == theirs.parameter_values.data.keys()
