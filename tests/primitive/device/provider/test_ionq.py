"""Backends like qiskit-ionq's through `qpu://module:function`; a stand-in, never a real one."""

import os
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.primitive.device.self_test import check_device
from qdreamer_lab import CutEstimator, CutSampler
from tests.primitive.device.provider import ionq_stand_in

ROOT = Path(__file__).parents[4]
NAME = f"{ionq_stand_in.__name__}:device"
LABELS = ["ZZZ", "XIY", "IXZ"]


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv(ionq_stand_in.TOKEN, "s3cr3t")
    backend_named.cache_clear()
    yield
    backend_named.cache_clear()


def chain():
    """Three qubits, the last two held together by a gate that is cut."""
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.ry(0.4, 2)
    circuit.cx(0, 1)
    circuit.rx(0.3, 1)
    circuit.rzz(0.8, 1, 2)
    circuit.ry(0.5, range(3))
    return circuit


def test_it_passes_the_self_test_and_cut_circuits_run_there():
    device, circuit = ionq_stand_in.StandIn(), chain()
    check_device(device)
    state = Statevector(circuit)
    truth = [state.expectation_value(Pauli(label)).real for label in LABELS]
    cut = CutEstimator(2, backend=device, shots=20_000, seed=1)
    before = device.circuits
    said = cut.dry_run([(circuit, LABELS)])
    assert device.circuits == before
    assert said.qpu_s is None  # its target tells no durations
    result = cut.run([(circuit, LABELS)]).result()[0]
    assert (np.abs(result.data.evs - truth) < 5 * result.data.stds).all()
    assert any("does not measure on the way" in note for note in result.record.notes)
    sampler = CutSampler(2, backend=device, seed=1)
    found = sampler.run([circuit.measure_all(inplace=False)], shots=20_000).result()[0]
    away = np.abs(found.distribution.quasi() - state.probabilities())
    assert (away < 5 * found.distribution.stds()).all()


def test_credentials_that_are_missing_are_said(monkeypatch):
    monkeypatch.delenv(ionq_stand_in.TOKEN, raising=False)
    backend_named.cache_clear()
    with pytest.raises(DescriptionError, match="RuntimeError: no credentials: set IONQ_API_KEY"):
        backend_named(NAME)


def test_a_pilot_stands_for_it(token, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    circuit = chain()
    with pilot_kernel.Session() as session:
        session.add_pilot(f"qpu://{NAME}", name="ionq")
        bell = QuantumCircuit(2)
        bell.h(0)
        bell.cx(0, 1)
        bell.measure_all()
        counts = session.run(bell, on="ionq", shots=40).result()[0].data.meas.get_counts()
        assert set(counts) <= {"00", "11"}
        cut = CutEstimator(2, session=session, on="ionq", shots=8000, seed=1)
        result = cut.run([(circuit, "ZZZ")]).result()[0]
    truth = Statevector(circuit).expectation_value(Pauli("ZZZ")).real
    assert abs(result.data.evs - truth) < 5 * result.data.stds
