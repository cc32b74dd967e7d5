"""Circuits planned over ranks, against Qiskit's dense vector."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import PauliList, Statevector

from qdreamer_lab.errors import CircuitError, MotifError, ObservableError
from qdreamer_lab.workflow.state_vector.app import StateVector, largest_error, observables
from qdreamer_lab.workflow.state_vector.circuits import FAMILIES, circuit_of
from qdreamer_lab.workflow.state_vector.program import planned_state
from qdreamer_lab.workflow.state_vector.rank import run_rank
from qdreamer_lab.workflow.state_vector.stages import PLANNERS
from tests.workflow.state_vector.thread_ranks import in_ranks

STRINGS = PauliList(["ZIIIIII", "XIIIIIX", "YZIIXIY", "-IIIIIIY", "IIIIIII", "ZZZZZZZ"])


@pytest.mark.parametrize("planner", sorted(PLANNERS))
@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_every_family_on_any_number_of_ranks(family, ranks, planner):
    circuit = circuit_of(family, 7, 2, 5)
    planned = planned_state(circuit, STRINGS, ranks, planner, chunk=8, whole_state=True)
    (outcome, *_), _ = in_ranks(ranks, run_rank, planned.program)
    expected = Statevector(circuit)
    np.testing.assert_allclose(planned.by_qubits(outcome.state), expected.data, atol=1e-12)
    plain = PauliList.from_symplectic(STRINGS.z, STRINGS.x)
    values = [expected.expectation_value(pauli).real for pauli in plain]
    np.testing.assert_allclose(outcome.values, values, atol=1e-12)


def test_a_fourier_transform_needs_few_exchanges_and_its_swaps_none():
    circuit = circuit_of("qft", 10, 1, 0)
    stages = planned_state(circuit, observables(10).paulis, 4).program.stages
    naive = planned_state(circuit, observables(10).paulis, 4, "swap_each_gate").program.stages
    assert sum(bool(stage.swaps) for stage in stages) == 2
    assert sum(bool(stage.swaps) for stage in naive) == 8  # a rotation and an H on two qubits


def test_what_the_app_compares_with_notices_a_wrong_value():
    app = StateVector(qubits=6, ranks=4, layers=3)
    circuit = circuit_of(app.circuit, 6, 3, app.seed)
    observable = observables(6)
    (outcome, *_), _ = in_ranks(4, run_rank, app.planned(circuit, observable.paulis).program)
    assert largest_error(circuit, observable, outcome) < 1e-12
    outcome.values[3] += 0.25
    assert largest_error(circuit, observable, outcome) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("ranks", "qubits", "error", "told"),
    [
        (3, 7, MotifError, "ranks=3: a power of two"),
        (0, 7, MotifError, "ranks=0: a power of two"),
        (64, 7, MotifError, r"7 qubits over 64 ranks leave 1 .* 32 ranks at most"),
        (2, 6, ObservableError, "observables on 7 qubits for a circuit on 6"),
    ],
)
def test_what_cannot_be_shared_out(ranks, qubits, error, told):
    with pytest.raises(error, match=told):
        planned_state(QuantumCircuit(qubits), STRINGS, ranks)


def test_circuits_that_are_no_states():
    free = QuantumCircuit(7)
    free.rx(Parameter("t"), 0)
    with pytest.raises(CircuitError, match="unbound parameters: t"):
        planned_state(free, STRINGS, 2)
    measured = QuantumCircuit(7, 1)
    measured.measure(0, 0)
    measured.h(0)
    with pytest.raises(CircuitError, match="measure"):
        planned_state(measured, STRINGS, 2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ranks": 3}, "ranks=3: a power of two"),
        ({"qubits": 3, "ranks": 4}, "qubits=3, ranks=4: each rank needs two .* at most 2 ranks"),
        ({"circuit": "ghz"}, "circuit=ghz: one of random, qft, ising, efficient-su2"),
        ({"device": "TPU"}, "device=TPU: one of CPU, GPU"),
        ({"planner": "x"}, "planner=x: one of look_ahead"),
        ({"layers": 0}, "layers=0: at least 1"),
        ({"ranks": -1}, "ranks=-1: at least 0"),
    ],
)
def test_parameters_out_of_range(given, told):
    with pytest.raises(MotifError, match=told):
        StateVector(**given)


def test_what_it_needs_of_a_pilot():
    assert StateVector(ranks=4).cores() == 4
    assert StateVector(ranks=4, oversubscribe=True).cores() == 1
    assert StateVector(qubits=30).memory_bytes() > 16 << 30
    assert StateVector(qubits=30, device="GPU").memory_bytes() < 16 << 30
    assert StateVector(device="GPU").places() == ("gpu",)
    assert StateVector(device="GPU", on="mine").places() == ("mine",)
    assert StateVector.paper().qubits == 30
