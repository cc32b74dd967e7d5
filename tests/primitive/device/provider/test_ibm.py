"""IBM's devices and their snapshots go through the public sampler of qiskit-ibm-runtime."""

import sys
from collections import Counter

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.transpiler import Target
from qiskit_ibm_runtime import IBMBackend, executor_sampler
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.measure import measure
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.provider.ibm import PROVIDER
from pilot_kernel.primitive.device.readout import read_out
from pilot_kernel.primitive.device.run import run_pubs
from pilot_kernel.primitive.device.self_test import check_device
from pilot_kernel.primitive.device.snapshot import NoisySnapshot
from qdreamer_lab import CutEstimator
from tests.circuits.plain import bell, measured, star


def _noiseless(kind=FakeManilaV2):
    """A fake whose target tells of no errors."""
    plain, own = kind(), kind().target
    target = Target(num_qubits=own.num_qubits, qubit_properties=own.qubit_properties)
    for name in own.operation_names:
        places = {at: None for at in own[name] if at is not None}
        target.add_instruction(own.operation_from_name(name), places or None, name=name)
    plain._target = target
    return plain


@pytest.fixture
def calls(monkeypatch):
    """The PUBs of each call of the sampler's public `run`: (circuits, shots)."""
    told = []
    run = executor_sampler.SamplerV2.run

    def counted(self, pubs, **options):
        told.append((len(pubs), {pub.shots for pub in pubs}))
        return run(self, pubs, **options)

    monkeypatch.setattr(executor_sampler.SamplerV2, "run", counted)
    return told


@pytest.fixture
def run_by(monkeypatch):
    """Which packages have called `run` of a fake or a snapshot."""
    told = Counter()

    def noted(kind):
        run = kind.run

        def counted(self, *args, **options):
            told[sys._getframe(1).f_globals["__name__"]] += 1
            return run(self, *args, **options)

        monkeypatch.setattr(kind, "run", counted)

    noted(FakeManilaV2)
    noted(NoisySnapshot)
    return told


def test_every_call_goes_through_the_sampler_and_none_through_the_backends_run(calls, run_by):
    backend = FakeManilaV2()
    sampled = for_device([SamplerPub.coerce((measured(bell()),), 50)], backend, (), None)
    run_pubs(sampled, backend, seed=1)
    valued = for_device([EstimatorPub.coerce((star(3), ["ZZI", "XXX"]), 0.1)], backend, (), None)
    run_pubs(valued, backend, seed=1)
    check_device(backend)
    assert calls == [(1, {50}), (2, {100}), (2, {200})]
    before = len(calls)
    CutEstimator(2, backend=backend, mode="sampled", seed=1).run(
        [(star(3), "ZZZ")], precision=0.3
    ).result()
    assert len(calls) > before
    assert not run_by


def test_pubs_with_different_shots_go_in_jobs_of_equal_shots(calls):
    backend = FakeManilaV2()
    shots = (30, 20, 30, 10, 20)
    pubs = for_device(
        [SamplerPub.coerce((measured(bell()),), each) for each in shots], backend, (), None
    )
    found = run_pubs(pubs, backend)
    assert calls == [(1, {10}), (2, {20}), (2, {30})]
    assert [result.data.meas.num_shots for result in found] == list(shots)


def test_values_are_those_of_dense_simulation():
    theta = Parameter("theta")
    circuit = QuantumCircuit(3)
    circuit.ry(theta, 0)
    circuit.cx(0, 1)
    circuit.rx(0.4, 1)
    circuit.cx(1, 2)
    angles = np.linspace(0.2, 2.8, 5)
    observables = [SparsePauliOp("ZZI"), SparsePauliOp.from_list([("XXY", 1.5), ("IZI", -0.5)])]
    backend = _noiseless()
    pub = EstimatorPub.coerce((circuit, [[o] for o in observables], angles), 0.02)
    (result,) = run_pubs(for_device([pub], backend, (), None), backend, seed=3)
    states = [Statevector(circuit.assign_parameters([angle])) for angle in angles]
    truth = np.array([[s.expectation_value(o).real for s in states] for o in observables])
    assert (np.abs(result.data.evs - truth) < 5 * result.data.stds + 1e-12).all()
    assert (result.data.stds > 0).any()


def test_circuits_of_a_job_draw_numbers_of_their_own_and_those_of_a_job_of_one():
    """IBM's local mode gives all circuits of a job the same seed: equal circuits, equal shots."""
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    backend = FakeManilaV2()
    (pub,) = for_device([SamplerPub.coerce((circuit,), 200)], backend, (), None)
    through = measure(backend, [pub.circuit] * 4, 200, seed=7)
    again = measure(backend, [pub.circuit] * 4, 200, seed=7)
    direct = read_out(NoisySnapshot("m", backend.target), [pub.circuit] * 4, 200, seed=7)
    bits = [readout.bits[:, 0] for readout in through]
    for left in range(4):
        np.testing.assert_array_equal(bits[left], again[left].bits[:, 0])
        np.testing.assert_array_equal(bits[left], direct[left].bits[:, 0])
        for right in range(left):
            agreeing = (bits[left] == bits[right]).mean()
            assert 0.3 < agreeing < 0.7  # 200 coins: 0.5, with a standard deviation of 0.035


def test_a_seed_of_zero_is_a_seed():
    circuit = measured(star(3))
    backend = FakeManilaV2()
    (pub,) = for_device([SamplerPub.coerce((circuit,), 300)], backend, (), None)
    runs = [measure(backend, [pub.circuit], 300, seed=seed)[0].bits for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_bits_that_registers_share_or_none_has_are_read_right():
    bits = [Clbit() for _ in range(4)]
    crossed = ClassicalRegister(bits=[bits[3], bits[0], bits[2]], name="crossed")
    part = ClassicalRegister(bits=bits[2:], name="part")
    circuit = QuantumCircuit(QuantumRegister(4), bits, crossed, part)
    circuit.x([0, 3])
    circuit.measure(range(4), range(4))
    backend = _noiseless()
    (pub,) = for_device([SamplerPub.coerce((circuit,), 10)], backend, (), None)
    (result,) = run_pubs([pub], backend)
    assert result.data.crossed.get_int_counts() == {3: 10}
    assert result.data.part.get_int_counts() == {2: 10}


def test_where_bits_would_be_mistaken_in_a_condition_it_is_refused():
    register = ClassicalRegister(1, "a")
    circuit = QuantumCircuit(QuantumRegister(1), [Clbit()], register)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.measure(0, 1)
    with pytest.raises(QpuError, match="give every bit one register"):
        measure(FakeManilaV2(), [circuit], 10)


def test_a_circuit_without_bits_is_not_sent(calls):
    (readout,) = measure(FakeManilaV2(), [QuantumCircuit(5)], 7)
    assert (readout.shots, readout.bits.shape, calls) == (7, (7, 0), [])


def test_a_real_device_goes_the_same_way_as_far_as_its_service():
    """What is sent to IBM's service, and taken up from it; the service itself is a stand-in."""
    sent = []

    class Service:
        is_local = False

        def _run(self, **asked):
            sent.append(asked)
            return "sent"

        def job(self, job_id):
            return f"job {job_id}"

    fake = FakeManilaV2()
    backend = IBMBackend(configuration=fake.configuration(), service=Service(), api_client=None)
    backend._target, backend._properties = fake.target, fake.properties()
    (pub,) = for_device([SamplerPub(measured(bell()), shots=20)], fake, (), None)
    assert PROVIDER.sampler(backend, 5).run([pub]) == "sent"
    (asked,) = sent
    assert asked["inputs"]["quantum_program"]["shots"] == 20
    assert PROVIDER.job(backend, "j1") == "job j1"
    assert PROVIDER.job(fake, "j1") is None
