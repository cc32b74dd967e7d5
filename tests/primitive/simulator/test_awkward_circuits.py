"""Awkward circuits through the primitives, against dense simulation by definitions."""

from functools import reduce

import numpy as np
import pytest
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from tests.circuits.awkward import STANDARD, awkward
from tests.primitive.in_process import assert_drawn_from, simulated

_LETTERS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
    "0": np.diag([1, 0]),
    "1": np.diag([0, 1]),
    "+": np.full((2, 2), 0.5),
    "r": np.array([[0.5, -0.5j], [0.5j, 0.5]]),
}
_SHOTS = 500


def _dense(observable):
    return sum(
        weight * reduce(np.kron, [_LETTERS[letter] for letter in label])
        for label, weight in observable.items()
    )


def _observables(width, rng):
    """Observables of a few terms each, some with projectors."""
    return [
        {"".join(rng.choice(list(letters), width)): float(rng.normal()) for _ in range(3)}
        for letters in ("IXYZ", "IXYZ01+r")
    ]


def _expected(case, observables):
    return [
        [np.vdot(state, _dense(observable) @ state).real for observable in observables]
        for state in case.states
    ]


@pytest.mark.parametrize("block", range(10))
def test_values_and_shots_are_those_of_the_definitions(block):
    for seed in range(30 * block, 30 * block + 30):
        case, rng = awkward(seed), np.random.default_rng(seed)
        circuit, values = case.circuit, case.values
        observables = _observables(circuit.num_qubits, rng)
        estimate = EstimatorPub.coerce((circuit, observables, values[:, None, :]), 0.0)
        found = simulated([estimate])[0].data.evs
        assert np.allclose(found, _expected(case, observables), atol=1e-9), seed
        sample = SamplerPub.coerce((circuit.measure_all(inplace=False), values), _SHOTS)
        bits = simulated([sample])[0].data.meas
        for point, state in enumerate(case.states):
            assert_drawn_from(bits.get_int_counts(point), np.abs(state) ** 2)


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state"])
def test_other_methods_agree(method):
    for seed in range(500, 506):
        case, rng = awkward(seed), np.random.default_rng(seed)
        observables = _observables(case.circuit.num_qubits, rng)
        pub = EstimatorPub.coerce((case.circuit, observables, case.values[:, None, :]), 0.0)
        found = simulated([pub], method)[0].data.evs
        assert np.allclose(found, _expected(case, observables), atol=1e-7), seed


def test_a_session_gives_them_too(session):
    cases = [awkward(seed) for seed in range(600, 615)]
    rng = np.random.default_rng(0)
    observables = [_observables(case.circuit.num_qubits, rng) for case in cases]
    pubs = [
        (case.circuit, some, case.values[:, None, :])
        for case, some in zip(cases, observables, strict=True)
    ]
    measured = [(case.circuit.measure_all(inplace=False), case.values) for case in cases]
    estimated = session.estimator().run(pubs)
    sampled = session.sampler(seed=3).run(measured, shots=_SHOTS).result()
    for case, some, values, bits in zip(
        cases, observables, estimated.result(), sampled, strict=True
    ):
        assert np.allclose(values.data.evs, _expected(case, some), atol=1e-9)
        for point, state in enumerate(case.states):
            assert_drawn_from(bits.data.meas.get_int_counts(point), np.abs(state) ** 2)


def test_all_standard_gates_are_among_them():
    assert len(STANDARD) == len(get_standard_gate_name_mapping()) - 4
    assert len(STANDARD) < 300
