"""Jobs at a provider: sent once, taken up again, lost, and checked when they come back."""

import os
import traceback
import uuid
from pathlib import Path

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit.library import RYGate
from qiskit.primitives import BackendSamplerV2, PrimitiveResult
from qiskit.primitives.containers import BitArray, DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer import AerSimulator

import pilot_kernel
from pilot_kernel.errors import QpuError, ReadoutError
from pilot_kernel.primitive.device.provider.jobs import estimate, sample
from pilot_kernel.primitive.device.provider.registry import Provider
from pilot_kernel.task.process import job_notes
from pilot_kernel.task.process.streams import emit
from tests.circuits.plain import bell, measured, star
from tests.primitive.device.provider import far_devices
from tests.primitive.device.provider.far_devices import (
    FOLDER,
    GENERIC,
    PROVIDER,
    FarBackend,
    FarJob,
    FarSampler,
    sent_jobs,
)

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def _pub(shots=20):
    return SamplerPub(measured(bell()), shots=shots)


def test_pubs_with_different_shots_go_in_jobs_of_equal_shots(folder):
    found = sample(PROVIDER, FarBackend(), [_pub(30), _pub(10), _pub(30)])
    assert [result.data.meas.num_shots for result in found] == [30, 10, 30]
    sent = sorted((job["shots"], job["circuits"]) for job in sent_jobs(folder).values())
    assert sent == [(10, 1), (30, 2)]


# ---- an earlier attempt at the same task


@pytest.fixture
def attempt(tmp_path):
    """Run something as an attempt at one task."""
    results = tmp_path / "results"
    results.mkdir()
    keep = {"folder": str(results), "key": "sample-1", "writer": "w"}

    def run(work):
        with job_notes.of_task(keep):
            return work()

    return run


def test_a_job_whose_id_is_known_is_not_sent_twice(folder, attempt, capsys):
    def work():
        return sample(PROVIDER, FarBackend(), [_pub(20), _pub(10)])

    first = attempt(work)
    ids = set(sent_jobs(folder))
    second = attempt(work)
    assert set(sent_jobs(folder)) == ids
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.data.meas.array, other.data.meas.array)
    told = capsys.readouterr().err
    assert told.count("is taken up again") == 2
    assert all(f"job {each} was sent to far" in told for each in ids)


def test_equal_jobs_of_one_task_are_two_jobs(folder, attempt):
    def work():
        return [sample(PROVIDER, FarBackend(), [_pub()])[0] for _ in range(2)]

    first = attempt(work)
    assert len(sent_jobs(folder)) == 2
    second = attempt(work)
    assert len(sent_jobs(folder)) == 2
    seen = [{result.data.meas.array.tobytes() for result in each} for each in (first, second)]
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "other",
    [
        SamplerPub(measured(bell()), shots=21),
        SamplerPub(measured(star(3)), shots=20),
    ],
)
def test_other_pubs_get_a_job_of_their_own(folder, attempt, other):
    attempt(lambda: sample(PROVIDER, FarBackend(), [_pub()]))
    attempt(lambda: sample(PROVIDER, FarBackend(), [other]))
    assert len(sent_jobs(folder)) == 2


def _conditional(value):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], value)):
        circuit.x(1)
    circuit.measure(1, 1)
    return circuit


def _switched(value):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.switch(circuit.cregs[0]) as case, case(value):
        circuit.x(1)
    circuit.measure(1, 1)
    return circuit


def _unitary(angle):
    circuit = QuantumCircuit(1)
    circuit.unitary(RYGate(angle).to_matrix(), 0)
    circuit.measure_all()
    return circuit


def _registers(*sizes):
    circuit = QuantumCircuit(3)
    for number, size in enumerate(sizes):
        circuit.add_register(ClassicalRegister(size, f"c{number}"))
    circuit.x(0)
    circuit.measure(range(3), range(3))
    return circuit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_conditional(0), _conditional(1)),
        (_switched(0), _switched(1)),
        (_unitary(0.5), _unitary(0.5 + 1e-11)),
        (_registers(1, 2), _registers(2, 1)),
    ],
    ids=["condition", "case", "matrix", "registers"],
)
def test_circuits_that_differ_in_what_is_easily_overlooked_get_jobs_of_their_own(
    folder, attempt, one, other
):
    def work(circuit):
        return attempt(lambda: sample(PROVIDER, FarBackend(), [SamplerPub(circuit, shots=20)]))

    work(one), work(other), work(one.copy())
    assert len(sent_jobs(folder)) == 2


def test_so_do_other_devices(folder, attempt):
    attempt(lambda: sample(PROVIDER, FarBackend(), [_pub()]))
    attempt(lambda: sample(PROVIDER, FarBackend("farther"), [_pub()]))
    assert len(sent_jobs(folder)) == 2


def test_a_job_that_the_provider_has_lost_is_not_sent_again(folder, attempt):
    attempt(lambda: sample(PROVIDER, FarBackend(), [_pub()]))
    (lost,) = sent_jobs(folder)
    (folder / f"{lost}.sent").unlink()
    with pytest.raises(QpuError, match=f"job {lost} was sent to far .*LookupError.*submit the"):
        attempt(lambda: sample(PROVIDER, FarBackend(), [_pub()]))
    assert not sent_jobs(folder)


def test_what_ran_in_a_process_that_is_gone_is_sent_again_and_said(attempt, capsys):
    local = Provider(sampler=GENERIC.sampler)
    backend = AerSimulator()
    attempt(lambda: sample(local, backend, [_pub()]))
    assert "sent again" not in capsys.readouterr().err
    attempt(lambda: sample(local, backend, [_pub()]))
    assert "ran in a process that is gone; it is sent again" in capsys.readouterr().err


def test_notes_may_be_torn_and_nobody_minds(folder, attempt, tmp_path):
    attempt(lambda: sample(PROVIDER, FarBackend(), [_pub()]))
    (notes,) = (tmp_path / "results").iterdir()
    with notes.open("a") as file:
        file.write('["far FarSampler 12')
    attempt(lambda: sample(PROVIDER, FarBackend(), [_pub(5)]))
    attempt(lambda: sample(PROVIDER, FarBackend(), [_pub(5)]))
    assert len(sent_jobs(folder)) == 2


def test_in_real_processes_too(tmp_path, monkeypatch):
    """A task whose process is killed after it has sent a job takes it up in its next process."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with pilot_kernel.Session() as session:
        session.add_pilot(f"qpu://{far_devices.__name__}:far", name="far")
        tested = session.run(measured(bell()), on="far", shots=10)
        assert tested.result()[0].data.meas.num_shots == 10
        assert tested.record.jobs[0].startswith("far ")
        before = set(sent_jobs(tmp_path))
        assert len(before) == 2  # the self-test is one of them
        (tmp_path / "die").touch()
        task = session.run(measured(bell()), on="far", shots=25)
        assert task.result()[0].data.meas.num_shots == 25
        (job,) = set(sent_jobs(tmp_path)) - before
        assert task.record.jobs == (f"far {job}",)
        assert task.record.deaths == 1
        told = task.output.text()
        assert f"job {job} was sent to far" in told
        assert f"job {job} at far is taken up again" in told


# ---- failures


class _Answers(BackendSamplerV2):
    """A sampler whose job gives this."""

    def __init__(self, answer):
        super().__init__(backend=AerSimulator())
        self._answer = answer

    def run(self, pubs, *, shots=None):
        if isinstance(self._answer, str):
            raise RuntimeError(self._answer)
        answer = self._answer

        class Job(FarJob):
            def result(self):
                if isinstance(answer, BaseException):
                    raise answer
                return PrimitiveResult(answer)

        return Job("j1")


def _sampled(answer):
    provider = Provider(sampler=lambda backend, seed: _Answers(answer))
    return sample(provider, FarBackend(), [_pub()])


def _bits(bits=2, shots=20, name="meas", shape=()):
    array = np.zeros((*shape, shots, 1), dtype=np.uint8)
    return PubResult(DataBin(**{name: BitArray(array, bits)}, shape=shape))


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ([], "job j1 of 1 PUBs brought 0 results"),
        (["?"], "or results without data"),
        ([_bits(), _bits()], "job j1 of 1 PUBs brought 2 results"),
        ([_bits(shots=19)], "2 bits, 19 shots and the shape .* 2 bits, 20 shots"),
        ([_bits(bits=3)], "3 bits, 20 shots"),
        ([_bits(name="c")], "lacks the register 'meas'"),
        ([_bits(shape=(1,))], r"the shape \(1,\)"),
    ],
)
def test_what_was_not_asked_for_is_refused(answer, complaint):
    with pytest.raises(ReadoutError, match=f"device far.*{complaint}"):
        _sampled(answer)


def test_a_job_that_is_not_taken_or_fails_says_so_and_hides_credentials(monkeypatch):
    token = uuid.uuid4().hex  # a traceback quotes the lines of this test, too
    monkeypatch.setenv("QISKIT_IBM_TOKEN", token)
    with pytest.raises(
        QpuError, match=r"device far did not accept the job: RuntimeError: bad \*\*\*$"
    ):
        _sampled(f"bad {token}")
    with pytest.raises(QpuError) as caught:
        _sampled(ValueError(f"gone {token}"))
    assert token not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(QpuError, match="job j1 at far has failed, or was lost: ValueError: gone"):
        _sampled(ValueError("gone"))


def test_a_job_that_nobody_will_ask_for_is_canceled(folder, monkeypatch):
    def stopped(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(FarJob, "result", stopped)
    with pytest.raises(KeyboardInterrupt):
        sample(PROVIDER, FarBackend(), [_pub(20), _pub(10)])
    jobs = sent_jobs(folder)
    assert len(jobs) == 2
    assert all((folder / f"{job}.canceled").exists() for job in jobs)


def test_so_are_those_that_were_sent_before_one_was_refused(folder, monkeypatch):
    run = FarSampler.run

    def choosy(self, pubs, *, shots=None):
        if pubs[0].shots == 20:
            raise RuntimeError("too many shots")
        return run(self, pubs)

    monkeypatch.setattr(FarSampler, "run", choosy)
    with pytest.raises(QpuError, match="did not accept the job: RuntimeError: too many shots"):
        sample(PROVIDER, FarBackend(), [_pub(20), _pub(10)])
    (job,) = sent_jobs(folder)
    assert (folder / f"{job}.canceled").exists()


def test_one_that_cannot_be_had_now_goes_on(folder, monkeypatch):
    def unreachable(self):
        raise ConnectionError("no route")

    monkeypatch.setattr(FarJob, "result", unreachable)
    with pytest.raises(QpuError, match="ConnectionError: no route"):
        sample(PROVIDER, FarBackend(), [_pub()])
    assert not list(folder.glob("*.canceled"))


# ---- a provider's own estimator


def test_values_of_a_providers_estimator():
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    pubs = [
        EstimatorPub.coerce((circuit, ["ZZ", "IZ"]), 0.05),
        EstimatorPub.coerce((circuit, {"ZI": 90.0}), 0.1),
    ]
    first, second = estimate(GENERIC, AerSimulator(), pubs, seed=3)
    assert np.abs(first.data.evs - [1, np.cos(0.7)]).max() < 5 * 0.05
    assert "precision_met" not in first.metadata
    assert second.metadata["precision_met"] is False
    assert second.metadata["target_precision"] == 0.1


@pytest.mark.parametrize(
    ("evs", "stds", "complaint"),
    [
        ([0.5, 0.5], [0.1, 0.1], "has the shape"),
        (np.nan, 0.1, "no numbers"),
        (0.5, -0.1, "no numbers"),
    ],
)
def test_values_that_are_none_are_refused(evs, stds, complaint):
    evs, stds = np.asarray(evs), np.asarray(stds)

    class Estimator:
        def run(self, pubs):
            class Job(FarJob):
                def result(self):
                    return [PubResult(DataBin(evs=evs, stds=stds, shape=evs.shape))]

            return Job("j2")

    provider = Provider(sampler=None, estimator=lambda backend, seed: Estimator())
    with pytest.raises(ReadoutError, match=complaint):
        estimate(provider, FarBackend(), [EstimatorPub.coerce((bell(), "ZZ"), 0.1)])


def test_outside_of_tasks_nothing_is_noted():
    assert job_notes.earlier("anything") is None
    with pytest.raises(pilot_kernel.errors.PilotError):
        emit("job", "x")
    job_notes.note("anything", "j", "far")
    assert job_notes.earlier("anything") is None
