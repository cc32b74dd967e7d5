"""Devices that take so many shots in a job get as many jobs as that takes, no shot twice."""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer import AerSimulator

from pilot_kernel.primitive.device.measure import measure
from pilot_kernel.primitive.device.shot_limit import most_shots, shot_parts
from qdreamer_lab import CutEstimator
from tests.circuits.plain import neighbours, tilted_ghz
from tests.workload.sampled.device.cut_devices import Elsewhere


class Limited(Elsewhere):
    """A device that refuses jobs of more shots than it says."""

    def __init__(self, most):
        super().__init__()
        self.max_shots = most

    def run(self, run_input, **options):
        assert options["shots"] <= self.max_shots
        return super().run(run_input, **options)


def fair_coins(count):
    circuit = QuantumCircuit(count, count)
    circuit.h(range(count))
    circuit.measure(range(count), range(count))
    return circuit


def test_shots_over_the_limit_are_several_jobs():
    device = Limited(100)
    ((found),) = measure(device, [fair_coins(20)], 250, seed=7)
    assert [shots for _, shots in device.jobs] == [100, 100, 50]
    assert found.bits.shape == (250, 20)
    assert found.shots == 250
    firsts = found.bits[:100], found.bits[100:200]
    assert not np.array_equal(*firsts)  # a million outcomes: each job has shots of its own
    ((whole),) = measure(Limited(250), [fair_coins(20)], 250, seed=7)
    assert whole.bits.shape == (250, 20)


def test_values_of_cut_circuits_are_right_in_small_jobs():
    circuit, device = tilted_ghz(4), Limited(64)
    observables = [neighbours(4), SparsePauliOp("XZZX")]
    cut = CutEstimator(2, backend=device, mode="sampled", seed=3)
    result = cut.run([(circuit, observables)], precision=0.05).result()[0]
    state = Statevector(circuit)
    truth = [state.expectation_value(each).real for each in observables]
    assert max(shots for _, shots in device.jobs) <= 64
    assert np.all(np.abs(result.data.evs - truth) < 5 * result.data.stds)


@pytest.mark.parametrize(
    ("told", "most"),
    [
        ({"max_shots": 500}, 500),
        ({"configuration": lambda: SimpleNamespace(max_shots=100_000)}, 100_000),
        ({"_max_shots": 10_000}, 10_000),
        ({"_max_shots": 1}, None),  # as qiskit-ionq has it of simulators
        ({"max_shots": True}, None),
        ({"max_shots": "many"}, None),
        ({"configuration": SimpleNamespace(max_shots=3)}, None),
        ({}, None),
    ],
)
def test_limits_are_read_where_providers_have_them(told, most):
    device = Elsewhere()
    for name, value in told.items():
        setattr(device, name, value)
    assert most_shots(device) == most
    assert sum(shot_parts(120_001, device)) == 120_001
    assert max(shot_parts(120_001, device)) == min(120_001, most or 120_001)


def test_simulators_here_run_what_they_are_asked_for():
    assert most_shots(AerSimulator()) is None
    assert shot_parts(3_000_000, AerSimulator()) == [3_000_000]
