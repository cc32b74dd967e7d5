"""QPUs that a batch job was given through QRMI: a stand-in for its resources, over Aer."""

import os
from pathlib import Path

import pytest

qrmi = pytest.importorskip("qrmi")
pytest.importorskip("qrmi.primitives.ibm")

from qiskit.primitives.containers.estimator_pub import EstimatorPub  # noqa: E402
from qiskit.primitives.containers.sampler_pub import SamplerPub  # noqa: E402

import pilot_kernel  # noqa: E402
from pilot_kernel.errors import DescriptionError, QpuError  # noqa: E402
from pilot_kernel.primitive.device.backend import backend_named  # noqa: E402
from pilot_kernel.primitive.device.prepare import for_device  # noqa: E402
from pilot_kernel.primitive.device.provider.registry import provider_of  # noqa: E402
from pilot_kernel.primitive.device.run import run_pubs  # noqa: E402
from pilot_kernel.primitive.device.self_test import check_device  # noqa: E402
from qdreamer_lab import CutEstimator  # noqa: E402
from tests.circuits.plain import bell, measured, star  # noqa: E402
from tests.primitive.device.provider import qrmi_stand_in  # noqa: E402
from tests.primitive.device.provider.qrmi_stand_in import (  # noqa: E402
    GIVEN,
    TOLD,
    StandIn,
    StandInService,
)

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What the resource has been asked, so far."""
    file = tmp_path / "told"
    monkeypatch.setenv(TOLD, str(file))
    return lambda: file.read_text().split() if file.exists() else []


@pytest.fixture
def job(told, monkeypatch):
    """Be a batch job that was given these resources."""

    def be(*resources, **given):
        for name, value in {**GIVEN, **given}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(StandInService, "known", resources)
        monkeypatch.setattr(qrmi.primitives, "QRMIService", StandInService)
        backend_named.cache_clear()

    yield be
    backend_named.cache_clear()


@pytest.fixture
def without_job(monkeypatch):
    for name in ("QRMI_JOB_QPU_RESOURCES", "SLURM_JOB_QPU_RESOURCES"):
        monkeypatch.delenv(name, raising=False)
    backend_named.cache_clear()


def test_it_is_acquired_around_a_workload_and_released(job, told):
    job(StandIn())
    backend = backend_named("qrmi")
    assert provider_of(backend) is not None
    check_device(backend)
    assert told() == ["acquire", "task_start", "release"]
    pubs = [SamplerPub.coerce((measured(bell()),), shots) for shots in (30, 20)]
    found = run_pubs(for_device(pubs, backend, (), None), backend)
    assert [result.data.meas.num_shots for result in found] == [30, 20]
    assert {outcome for result in found for outcome in result.data.meas.get_counts()} <= {
        "00",
        "11",
    }
    assert told()[3:] == ["acquire", "task_start", "release"] * 2


def test_values_are_right_and_cut_runs_take_the_same_way(job, told):
    job(StandIn())
    backend = backend_named("qrmi/fake_manila")
    pub = EstimatorPub.coerce((star(3), ["ZZI", "XXX", "ZII"]), 0.05)
    (result,) = run_pubs(for_device([pub], backend, (), None), backend)
    assert abs(result.data.evs - [1, 1, 0]).max() < 0.25
    found = CutEstimator(2, backend=backend, mode="sampled").run([(star(3), "ZZI")], precision=0.3)
    values = found.result()[0].data
    assert abs(values.evs - 1) < 5 * values.stds + 0.01
    assert told().count("acquire") == told().count("release") >= 2


def test_it_is_released_when_a_task_fails(job, told):
    class Failing(StandIn):
        def task_result(self, job):
            raise RuntimeError("the task has failed")

    job(Failing())
    backend = backend_named("qrmi")
    with pytest.raises(QpuError, match=r"job .* at fake_manila has failed.*the task has failed"):
        run_pubs(for_device([SamplerPub(measured(bell()), shots=5)], backend, (), None), backend)
    assert told() == ["acquire", "task_start", "release"]


def test_what_cannot_be_acquired_is_said(job):
    job(StandIn(refuses=True))
    with pytest.raises(QpuError, match="cannot be acquired through QRMI: somebody else has it"):
        check_device(backend_named("qrmi"))


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        ("qrmi/other", {}, "not given QPU 'other', but fake_manila"),
        (
            "qrmi",
            {"QRMI_JOB_QPU_RESOURCES": "a,b", "QRMI_JOB_QPU_TYPES": "ibm-x,ibm-x"},
            "given a, b: write qpu://qrmi/NAME",
        ),
        ("qrmi", {"QRMI_JOB_QPU_TYPES": "pasqal-cloud"}, "is a pasqal-cloud, and qpu://qrmi opens"),
        ("qrmi", {"QRMI_PLUGIN_ERROR": "no such QPU"}, "given no QPU: no such QPU"),
    ],
)
def test_what_the_job_was_not_given_is_refused(job, name, given, complaint):
    job(StandIn(), **given)
    with pytest.raises(DescriptionError, match=complaint):
        backend_named(name)


def test_one_that_is_offline_is_said(job):
    job(StandIn(accessible=False))
    with pytest.raises(DescriptionError, match="QPU 'fake_manila' is offline"):
        backend_named("qrmi")


def test_outside_of_a_batch_job_it_is_said_what_to_do(without_job):
    with pytest.raises(DescriptionError, match=r"QRMI_JOB_QPU_RESOURCES is not set.*qpu=\['NAME'"):
        backend_named("qrmi")


def test_a_pilot_stands_for_it(told, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    for name in GIVEN:
        monkeypatch.setenv(name, "")  # set here alone, and put back
    with pilot_kernel.Session() as session:
        session.add_pilot(f"qpu://{qrmi_stand_in.__name__}:given", name="given")
        result = session.run(measured(bell()), on="given", shots=40).result()
        assert set(result[0].data.meas.get_counts()) <= {"00", "11"}
        sampler = session.sampler(on="given", default_shots=30)
        assert sampler.run([measured(bell())]).result()[0].data.meas.num_shots == 30
    words = told()
    assert words[:6] == ["acquire", "task_start", "release"] * 2
    assert words.count("acquire") == words.count("release") == 3
