"""Whole circuits as state vectors, against Qiskit's `Statevector`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import Initialize, UnitaryGate, efficient_su2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Pauli, Statevector, random_unitary

from pilot_kernel.primitive.simulator import state_engines
from pilot_kernel.primitive.simulator.state_engines import StateWork
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.uncut.state import values as state_values
from qdreamer_lab.workload.uncut.state import worth
from qdreamer_lab.workload.uncut.state.lowered import state_program
from qdreamer_lab.workload.uncut.state.simulator import SIMULATOR
from tests.circuits.drawn import random_circuit
from tests.circuits.plain import measured
from tests.primitive.in_process import assert_drawn_from, simulated

NO_VALUES = np.empty((1, 0))


def with_all_kinds(seed, num_qubits):
    """Gates on one to three qubits, some diagonal, a global phase, and qubits left alone."""
    rng = np.random.default_rng(seed)
    circuit = random_circuit(seed, max(2, num_qubits - 1), 6, general=True)
    wide = QuantumCircuit(num_qubits, global_phase=rng.uniform(0, 3))
    wide.compose(circuit, rng.permutation(num_qubits)[: circuit.num_qubits].tolist(), inplace=True)
    for _ in range(3):
        a, b, c = rng.permutation(num_qubits)[:3].tolist()
        (wide.ccx, wide.cswap, wide.ccz)[rng.integers(3)](a, b, c)
        wide.cp(rng.uniform(0, 3), a, b)
        wide.rzz(rng.uniform(0, 3), b, c)
        wide.u(*rng.uniform(0, 3, 3), c)
    wide.barrier()
    return wide


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_values_of_any_strings_are_those_of_the_state(data):
    n = data.draw(st.integers(3, 6))
    circuit = with_all_kinds(data.draw(st.integers(0, 10**4)), n)
    letters = data.draw(st.sampled_from(["IXYZ", "IZ", "IIIIX", "I"]))
    labels = data.draw(st.lists(st.text(letters, min_size=n, max_size=n), min_size=1, max_size=5))
    paulis = [Pauli(label) for label in labels]
    x, z = (np.array([getattr(pauli, side) for pauli in paulis]) for side in "xz")
    found = SIMULATOR.pauli_values(StateWork(circuit, NO_VALUES), x, z)
    state = Statevector(circuit)
    expected = [[state.expectation_value(pauli).real for pauli in paulis]]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.all(found[0, ~(x | z).any(axis=1)] == 1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**4), st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True))
def test_outcomes_of_any_qubits_follow_the_state(seed, qubits):
    circuit = with_all_kinds(seed, 5)
    work = StateWork(circuit, NO_VALUES)
    (drawn,) = SIMULATOR.draws(work, qubits, 4000, seed)
    outcomes, counts = np.unique(drawn, return_counts=True)
    probabilities = Statevector(circuit).probabilities(qubits)
    assert_drawn_from(dict(zip(outcomes.tolist(), counts.tolist(), strict=True)), probabilities)
    assert np.all(probabilities[outcomes] > 1e-15)
    np.testing.assert_array_equal(SIMULATOR.draws(work, qubits, 4000, seed)[0], drawn)
    assert not np.array_equal(SIMULATOR.draws(work, qubits, 4000, seed + 1)[0], drawn) or (
        len(outcomes) == 1
    )


def test_outcomes_of_several_qubits_belong_together_and_are_in_no_order():
    circuit = QuantumCircuit(4)
    circuit.h(1)
    circuit.cx(1, 3)
    (drawn,) = SIMULATOR.draws(StateWork(circuit, NO_VALUES), [3, 0, 1], 1000, 3)
    assert set(drawn.tolist()) == {0b000, 0b101}
    halves = [np.count_nonzero(half) for half in np.split(drawn, 2)]
    assert all(200 < each < 300 for each in halves)


def test_each_set_of_values_has_its_own_state():
    angles = ParameterVector("p", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(angles[0], 0)
    circuit.cx(0, 1)
    circuit.ry(angles[1], 1)
    values = np.random.default_rng(1).uniform(0, 3, (70, 2))
    x, z = np.array([[False, False], [True, False]]), np.array([[False, True], [True, False]])
    found = SIMULATOR.pauli_values(StateWork(circuit, values), x, z)
    for row, mine in zip(values, found, strict=True):
        state = Statevector(circuit.assign_parameters(row))
        expected = [state.expectation_value(Pauli(label)).real for label in ("ZI", "IY")]
        np.testing.assert_allclose(mine, expected, atol=1e-12)
    drawn = SIMULATOR.draws(StateWork(circuit, np.array([[0.0, 0.0], [np.pi, 0.0]])), [1], 50, 1)
    np.testing.assert_array_equal(drawn, np.repeat([[0], [1]], 50, axis=1))


def test_what_nobody_sees_is_not_simulated():
    circuit = random_circuit(3, 6, 10)
    circuit.rzz(0.3, 0, 1)
    circuit.barrier()
    circuit.add_bits(QuantumCircuit(3).qubits)
    circuit.h(8)
    lowered = state_program(circuit, [((8, "X"),)])
    assert (lowered.program.width, len(lowered.program.steps)) == (1, 1)
    plain = QuantumCircuit(3)
    plain.h([0, 1, 2])
    plain.cz(0, 1)  # diagonal, and so is what is looked at
    assert state_program(plain, [((0, "Z"),)]).program.width == 1
    assert state_program(plain, [((0, "X"),)]).program.width == 2


@pytest.fixture
def registered(monkeypatch):
    """The simulator in its place, for circuits of any width."""
    monkeypatch.setattr(state_engines, "registered", lambda: (SIMULATOR,))
    monkeypatch.setattr(worth, "NARROWEST", 0)


def test_primitives_run_on_it(registered):
    circuit = efficient_su2(4, reps=1)
    values = np.random.default_rng(2).random((3, circuit.num_parameters))
    observables = [["ZZZZ"], [{"XIIY": 0.5, "0+-l": 2.0}]]
    (found,) = simulated([EstimatorPub.coerce((circuit, observables, values), 0.0)])
    assert found.metadata["simulator"] == "qdreamer-lab"
    assert found.data.evs.shape == (2, 3)
    for column, row in enumerate(values):
        state = Statevector(circuit.assign_parameters(row))
        assert found.data.evs[0, column] == pytest.approx(state.expectation_value(Pauli("ZZZZ")))
    pub = SamplerPub.coerce((measured(circuit), values, 500))
    first, second = (simulated([pub], seed=7)[0] for _ in range(2))
    assert first.metadata["simulator"] == "qdreamer-lab"
    np.testing.assert_array_equal(first.data.meas.array, second.data.meas.array)
    again = simulated([pub], seed=8)[0]
    assert not np.array_equal(first.data.meas.array, again.data.meas.array)


def test_states_that_do_not_fit_are_refused_before_anything_is_allocated(monkeypatch):
    circuit = efficient_su2(20, reps=1).assign_parameters(np.ones(80))
    monkeypatch.setattr(state_values, "available_bytes", lambda: 10 << 20)
    monkeypatch.setattr(state_values, "final_states", None)
    monkeypatch.setattr(state_values, "run_fragments", None)
    complaint = r"state vector of 20 qubits needs 1\d.* but 10 MiB may be used: .*max_qubits=19\)"
    ones = np.ones((1, 20), bool)
    with pytest.raises(MemoryLimitError, match=complaint):
        SIMULATOR.pauli_values(StateWork(circuit, NO_VALUES), ~ones, ones)
    with pytest.raises(MemoryLimitError, match=complaint):
        SIMULATOR.draws(StateWork(circuit, NO_VALUES), range(20), 10, 1)


def wide(change, num_qubits=16):
    circuit = QuantumCircuit(num_qubits)
    circuit.ry(Parameter("a"), range(num_qubits))
    change(circuit)
    return circuit


def nothing(circuit):
    circuit.barrier()
    circuit.global_phase = 0.3
    circuit.ccx(0, 1, 2)
    circuit.append(UnitaryGate(random_unitary(4, seed=1)), [3, 4])


@pytest.mark.parametrize(
    ("circuit", "reason", "on_gpu"),
    [
        (wide(nothing), None, None),
        (wide(nothing, worth.NARROWEST), None, None),
        (wide(nothing, worth.NARROWEST - 1), "fewer than", None),
        (wide(lambda c: c.mcx([0, 1, 2, 3], 4)), "'mcx' on 5 qubits", None),
        (
            wide(lambda c: c.append(UnitaryGate(random_unitary(8, seed=1)), [0, 1, 2])),
            "'unitary' on 3 qubits",
            None,
        ),
        (wide(lambda c: c.reset(3)), "'reset'", "resets a qubit"),
        (
            wide(lambda c: c.append(Initialize([1, 0]), [3])),
            "'initialize'",
            "resets a qubit",
        ),
    ],
)
def test_what_is_taken_is_said_in_one_place(circuit, reason, on_gpu):
    for device, expected in (("CPU", reason), ("GPU", on_gpu)):
        found = SIMULATOR.refusal(circuit, 1, device, sampled=False)
        assert (found is None) == (expected is None)
        assert expected is None or expected in found
