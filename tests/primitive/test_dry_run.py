"""What PUBs would take on a QPU, against what they take; and nothing is sent."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.device import backend as backends
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.run import run_pubs
from pilot_kernel.primitive.device.shot_time import _length_s
from pilot_kernel.primitive.estimator import PilotEstimator
from pilot_kernel.primitive.pub.check import estimator_pubs, sampler_pubs
from pilot_kernel.primitive.sampler import PilotSampler
from tests.circuits.plain import bell, measured, star
from tests.primitive.vendor_devices import FORMATS, Vendor


class _Pilot:
    name = "there"
    backend = "mine"
    wanted = 1
    memory_per_worker_bytes = 2**30


class _Session:
    """Has one pilot, and takes nothing."""

    def candidates(self, on=None):
        return [_Pilot()]

    def submit_call(self, *args, **options):
        raise AssertionError("something was sent")


@pytest.fixture
def device(monkeypatch):
    """Have the session's pilot stand for this."""

    def be(backend):
        monkeypatch.setattr(backends, "backend_named", lambda name: backend)
        return backend

    return be


@pytest.mark.parametrize("most", [None, 2])
def test_a_sampler_would_send_what_it_sends(device, most):
    backend = device(Vendor(FORMATS["bits"], max_circuits=most))
    theta = Parameter("theta")
    sweep = QuantumCircuit(1, 1)
    sweep.ry(theta, 0)
    sweep.measure(0, 0)
    pubs = [(sweep, np.linspace(0, 1, 3), 50), (measured(bell()),), (measured(star(3)), None, 50)]
    told = PilotSampler(_Session(), default_shots=70).dry_run(pubs)
    assert backend.jobs == []
    run_pubs(for_device(sampler_pubs(pubs, 70), backend, (), None), backend)
    assert (told.circuits, told.jobs) == (sum(backend.jobs), len(backend.jobs))
    assert told.shots == 4 * 50 + 70
    assert (told.qpu_s, told.pending_jobs) == (None, None)  # an ideal device has no durations


@pytest.mark.parametrize("most", [None, 2])
def test_shots_beyond_those_of_a_job_are_counted_as_more_jobs(device, most):
    backend = device(Vendor(FORMATS["bits"], max_circuits=most))
    backend.max_shots = 50
    pubs = [(measured(bell()), None, 120)] * 3
    told = PilotSampler(_Session()).dry_run(pubs)
    run_pubs(for_device(sampler_pubs(pubs, 1), backend, (), None), backend)
    assert told.jobs == len(backend.jobs) == (3 if most is None else 6)


def test_an_estimator_would_send_what_it_sends(device):
    backend = device(Vendor(FORMATS["bits"]))
    pubs = [(star(3), ["ZZI", "XXX", "IZZ"], None, 0.1), (bell(), "XX")]
    told = PilotEstimator(_Session(), default_precision=0.05).dry_run(pubs)
    run_pubs(for_device(estimator_pubs(pubs, 0.05), backend, (), None), backend)
    assert (told.circuits, told.jobs) == (sum(backend.jobs), len(backend.jobs)) == (3, 2)
    assert told.shots == 2 * 100 + 400


def test_seconds_are_those_of_gates_readout_and_pauses(device):
    backend = device(FakeManilaV2())
    target = backend.target
    circuit = QuantumCircuit(5, 2)
    circuit.sx(0)
    circuit.x(1)
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    (told,) = (PilotSampler(_Session()).dry_run([(circuit, None, 100)]),)
    path = (
        max(target["sx"][0,].duration, target["x"][1,].duration)
        + target["cx"][0, 1].duration
        + max(target["measure"][0,].duration, target["measure"][1,].duration)
    )
    assert _length_s(circuit, target) == pytest.approx(path)
    pause = backend.default_rep_delay if hasattr(backend, "default_rep_delay") else 2.5e-4
    assert told.qpu_s == pytest.approx(100 * (path + pause))
    assert "1 circuits in 1 jobs, 100 shots" in str(told)
    assert str(told).endswith("nothing was sent")


def test_the_queue_is_told_where_the_device_tells(device):
    class Busy(Vendor):
        def status(self):
            return type("Status", (), {"operational": True, "pending_jobs": 17})()

    device(Busy(FORMATS["bits"]))
    told = PilotSampler(_Session()).dry_run([measured(bell())])
    assert told.pending_jobs == 17
    assert "17 jobs wait there now" in str(told)


def test_what_a_run_would_refuse_is_refused(device):
    device(FakeManilaV2())
    with pytest.raises(PubError, match="PUB 0 has 6 qubits"):
        PilotSampler(_Session()).dry_run([measured(star(6))])


def test_simulators_cost_nothing(session):
    with pytest.raises(PubError, match="means simulators, which cost nothing"):
        session.sampler().dry_run([measured(bell())])
