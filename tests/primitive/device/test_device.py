"""PUBs on QPU pilots: transpiled for the device, sampled with its noise, repeatable by seed."""

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.idle_qubits import qubits_in_use
from pilot_kernel.primitive.device.backend import backend_here, backend_named
from pilot_kernel.primitive.device.prepare import for_device
from tests.circuits.plain import bell, measured, star
from tests.conftest import wait_until


@pytest.fixture(scope="module", autouse=True)
def devices(session):
    pilots = [session.add_pilot(f"qpu://{name}") for name in ("fake_manila", "aer_simulator")]
    yield
    for pilot in pilots:
        pilot.stop()


def test_a_bell_state_is_noisy_and_repeatable(session):
    runs = [
        session.run(measured(bell()), on="fake_manila", shots=4000, seed=seed) for seed in (1, 1, 2)
    ]
    first, again, other = (run.result()[0].data.meas for run in runs)
    assert np.array_equal(first.array, again.array)
    assert not np.array_equal(first.array, other.array)
    counts = first.get_counts()
    assert 0.02 < (counts["01"] + counts["10"]) / 4000 < 0.2
    assert runs[0].record.pilot == "fake_manila"


def test_an_estimator_takes_the_layout_and_the_noise_into_account(session):
    pub = (star(5), ["ZZIII", "IIZIZ", "XXXXX", {"0IIII": 2.0}])
    data = session.run(pub, on="fake_manila", seed=3).result()[0].data
    assert np.all((data.evs > 0.5) & (data.evs < 1.1))  # 1 each, without noise
    assert data.evs[2] < 0.97
    assert np.all((data.stds > 0) & (data.stds < 0.05))
    job = session.estimator(on="aer_simulator", seed=3).run([pub], precision=0.02)
    assert job.result()[0].data.evs == pytest.approx(np.ones(4), abs=0.1)


def test_a_precision_that_is_not_met_is_said(session):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    pub = (circuit, {"Z": 190.0})
    task = session.run([pub], on="aer_simulator", precision=0.05, seed=1)
    assert task.result()[0].data.stds == pytest.approx(9.5, rel=0.1)
    wait_until(lambda: "PUB 0: precision 0.05 was asked for" in task.output.text())
    job = session.estimator(on="aer_simulator", seed=1).run([pub, (circuit, "Z")], precision=0.05)
    with pytest.warns(UserWarning, match=r"PUB 0: precision 0.05 is not met.* 9\.\d"):
        job.result()


def test_a_sweep_is_spread_and_joined(session):
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.ry(theta, 0)
    circuit.measure(0, 0)
    pub = (circuit, np.linspace(0, np.pi, 600), 50)
    task = session.run([pub], on="aer_simulator", seed=5)
    assert len(task.parts) > 1
    ones = task.result()[0].data.c.array.mean(axis=(1, 2))
    assert ones == pytest.approx(np.sin(np.linspace(0, np.pi / 2, 600)) ** 2, abs=0.35)
    assert ones[::60].mean() == pytest.approx(0.5, abs=0.1)


def test_a_result_that_depends_on_a_measurement(session):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    counts = session.run(circuit, on="aer_simulator", shots=400).result()[0].data.c.get_counts()
    assert set(counts) == {"00", "11"}


def test_a_backend_of_ones_own(session):
    pilot = session.add_pilot("qpu://qiskit_ibm_runtime.fake_provider:FakeManilaV2")
    try:
        assert pilot.name == "FakeManilaV2"
        result = session.run([measured(bell())] * 3, on=pilot.name, shots=300).result()
    finally:
        pilot.stop()
    assert [sum(pub.data.meas.get_counts().values()) for pub in result] == [300] * 3


def test_a_circuit_is_transpiled_once_and_not_at_all_if_it_fits(session):
    backend, pilots = backend_named("fake_manila"), session.candidates("fake_manila")
    circuit = measured(star(4))
    pubs = [SamplerPub.coerce((circuit,), shots) for shots in (10, 20)]
    first, second = for_device(pubs, backend, pilots, None)
    assert first.circuit is second.circuit
    assert set(first.circuit.count_ops()) <= set(backend.target.operation_names) | {"barrier"}
    assert for_device([first], backend, pilots, None)[0].circuit is first.circuit
    assert for_device(pubs, backend, pilots, 0)[0].circuit.size() >= first.circuit.size()


def test_less_noise_to_hand_over_changes_no_shot():
    backend = backend_named("fake_manila")
    (pub,) = for_device([SamplerPub.coerce((measured(bell()),), 500)], backend, [_ROOM], None)
    assert len(qubits_in_use(pub.circuit)) == 2
    counts = backend.run(pub.circuit, shots=500, seed_simulator=1).result().get_counts()
    whole = AerSimulator.from_backend(FakeManilaV2())
    assert counts == whole.run(pub.circuit, shots=500, seed_simulator=1).result().get_counts()


def test_idle_qubits_of_a_wide_device_cost_nothing(session):
    wide = GenericBackendV2(60, seed=1, noise_info=False)
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    written = transpile(circuit, wide, optimization_level=1, seed_transpiler=1)
    observable = SparsePauliOp("ZI").apply_layout(written.layout)
    estimator = session.estimator(on="aer_simulator", seed=1)
    data = estimator.run([(written, observable)]).result()[0].data
    truth = Statevector(circuit).expectation_value(SparsePauliOp("ZI")).real
    assert abs(data.evs - truth) < 5 * data.stds
    read = transpile(measured(circuit), wide, optimization_level=1, seed_transpiler=1)
    counts = session.run(read, on="aer_simulator", shots=500).result()[0].data.meas.get_counts()
    assert set(counts) == {"00", "11"}


class _ROOM:
    name = "room"
    memory_per_worker_bytes = 2**30


@pytest.mark.parametrize(
    ("pubs", "options", "complaint"),
    [
        (measured(star(6)), {}, "PUB 0 has 6 qubits, and fake_manila has 5; cut it"),
        ([(bell(), "ZZ", None, 0.0)], {}, "PUB 0 asks for exact values.*give precision="),
        ((bell(), "ZZ"), {"precision": 0}, "PUB 0 asks for exact values"),
        (measured(bell()), {"optimization_level": 4}, "optimization_level=4"),
        (measured(bell()), {"method": "statevector"}, "fake_manila is a QPU and has no such"),
    ],
)
def test_what_the_device_cannot_run_is_refused(session, monkeypatch, pubs, options, complaint):
    monkeypatch.setattr(session, "submit_call", lambda *_, **__: pytest.fail("submitted"))
    with pytest.raises(PubError, match=complaint):
        session.run(pubs, on="fake_manila", **options)


def test_what_a_device_has_no_instruction_for_is_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    pubs, plain = [SamplerPub.coerce((circuit,), 10)], GenericBackendV2(2, noise_info=False)
    with pytest.raises(PubError, match=r"cannot be written for generic_backend_2q.*'if_else'"):
        for_device(pubs, plain, [_ROOM], None)


def test_tasks_of_ones_own_run_batches_on_the_device(session):
    backend = session.backend("fake_manila")
    (written,) = for_device([SamplerPub.coerce((measured(bell()),), 1)], backend, [_ROOM], None)

    def batch(circuits):
        job = backend_here().run(circuits, shots=100, seed_simulator=1)
        return [sum(counts.values()) for counts in job.result().get_counts()]

    task = session.submit(batch, [written.circuit] * 10, on="fake_manila")
    assert task.result() == [100] * 10


def test_a_simulated_device_needs_memory_for_the_qubits_in_use(session):
    pubs = [SamplerPub.coerce((measured(star(5)),), 10)]
    backend, room = backend_named("fake_manila"), type("Room", (_ROOM,), {})
    assert for_device(pubs, backend, [room], None)
    room.memory_per_worker_bytes = 16 * 2**3
    with pytest.raises(PubError, match="fake_manila is simulated here: cut it to 3 qubits"):
        for_device(pubs, backend, [room], None)
