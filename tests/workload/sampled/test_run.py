"""The estimator in sampled mode: like Qiskit's, repeatable anywhere, honest when re-routed."""

import math
import queue
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorEstimator
from qiskit.providers import JobStatus
from qiskit_aer import AerSimulator

from pilot_kernel import Session
from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.errors import (
    DeviceError,
    MemoryLimitError,
    ObservableError,
    PlanError,
    PrecisionError,
    PubError,
    QDreamerError,
)
from qdreamer_lab.workload.sampled.device import jobs as device
from tests.circuits.plain import ansatz


def pub(num_qubits=6, seed=3):
    circuit = ansatz(num_qubits)
    values = np.random.default_rng(seed).normal(size=(2, circuit.num_parameters))
    labels = ["Z" * num_qubits, "I" * (num_qubits - 2) + "XX"]
    return circuit, [[label] for label in labels], values


def exact(one):
    return StatevectorEstimator().run([one]).result()[0].data.evs


def test_a_sweep_lies_within_its_error_bars():
    result = CutEstimator(3, mode="sampled", seed=1).run([pub()], precision=0.02).result()[0]
    assert result.data.evs.shape == result.data.stds.shape == (2, 2)
    assert result.data.stds.max() <= 0.02 * 1.05
    assert np.abs(result.data.evs - exact(pub())).max() < 5 * 0.02
    assert result.metadata["mode"] == "sampled"
    assert result.metadata["variants"] == 2 * (2 * 4 + 4)  # bindings; bases times operations
    assert result.metadata["shots"] == sum(row.shots for row in result.metadata["fragments"])
    assert result.metadata["target_precision"] == 0.02


def test_without_a_precision_it_takes_qiskits_default():
    result = CutEstimator(3, mode="sampled", seed=1).run([pub()]).result()[0]
    assert result.metadata["target_precision"] == 1 / 64
    assert 0.5 / 64 < result.data.stds.max() <= 1.05 / 64


def test_a_seed_gives_the_same_shots_here_and_on_a_session(session):
    def values(**options):
        estimator = CutEstimator(3, mode="sampled", shots=4000, **options)
        return estimator.run([pub(), pub()]).result()

    here, there = values(seed=7), values(seed=7, session=session)
    for one, two in zip(here, there, strict=True):
        np.testing.assert_allclose(one.data.evs, two.data.evs, atol=1e-12)
        np.testing.assert_allclose(one.data.stds, two.data.stds, atol=1e-12)
    assert not np.allclose(here[0].data.evs, here[1].data.evs)  # PUBs have shots of their own
    assert not np.allclose(here[0].data.evs, values(seed=8)[0].data.evs)
    assert not np.allclose(values()[0].data.evs, values()[0].data.evs)


def test_progress_counts_variants_and_shots_and_shows_the_estimate():
    reports = []
    CutEstimator(3, mode="sampled", seed=1, shots=5000, progress=reports.append).run(
        [pub()]
    ).result()
    last = reports[-1]
    assert last.done == last.total == 2 * (2 * 4 + 4)
    assert last.shots == last.shots_total == 2 * 5000
    assert last.evs.shape == last.stds.shape == (4,)
    assert "10,000/10,000 shots, ⟨0⟩ = " in str(last)
    assert reports[0].evs is None
    assert [report.over for report in reports] == [False] * (len(reports) - 1) + [True]
    assert [report.shots for report in reports] == sorted(report.shots for report in reports)


def test_auto_is_exact_on_simulators_and_sampled_on_devices():
    one = (*pub()[:2], pub()[2][0])
    assert CutEstimator(3).run([one]).result()[0].metadata["mode"] == "exact"
    on_device = CutEstimator(3, backend=AerSimulator(), shots=2000, seed=1)
    assert on_device.run([one]).result()[0].metadata["mode"] == "sampled"


def test_a_device_transpiles_once_and_agrees(monkeypatch):
    backend = AerSimulator()
    estimator = CutEstimator(3, backend=backend, seed=5, shots=20_000)
    circuit, observables, values = pub()
    estimator.run([(circuit, observables, values)]).result()
    from qdreamer_lab.workload.sampled.device import transpile as transpiling

    monkeypatch.setattr(transpiling, "_transpile", None)  # would fail if it were called again
    other = (circuit, observables, values + 1)
    again = estimator.run([other]).result()[0]
    assert np.abs(again.data.evs - exact(other)).max() < 6 * again.data.stds.max()


class Moody:
    """Stands in for a device's runs: the fragment numbered `bad` fails."""

    def __init__(self, bad):
        self.bad = bad
        self.run = device.run_on_device

    def __call__(self, fragment, template, request, backend):
        if fragment.program.id == self.bad:
            raise DeviceError("moody", "out for calibration")
        return self.run(fragment, template, request, backend)


def test_a_fragment_that_fails_on_a_device_goes_to_a_simulator_if_that_is_allowed(monkeypatch):
    from qdreamer_lab.workload.sampled.device import routes

    monkeypatch.setattr(routes, "run_on_device", Moody(1))
    options = {"backend": AerSimulator(), "seed": 5, "shots": 20_000}
    with pytest.raises(DeviceError, match="moody: out for calibration"):
        CutEstimator(3, **options).run([pub()]).result()
    result = CutEstimator(3, fallback="cpu", **options).run([pub()]).result()[0]
    (note,) = result.metadata["notes"]
    assert note.startswith("fragment 1 ran on a simulator instead: ")
    assert "out for calibration" in note
    assert 0.9 * 2 * 20_000 <= result.metadata["shots"] <= 2 * 20_000
    assert np.abs(result.data.evs - exact(pub())).max() < 6 * result.data.stds.max()


def test_a_cancelled_job_stops():
    jobs = queue.SimpleQueue()

    def stop(_):  # may be called before `run` has returned
        if not stopped.is_set():
            stopped.set()
            jobs.get().cancel()

    stopped = threading.Event()
    job = CutEstimator(3, mode="sampled", seed=1, progress=stop).run([pub()], precision=1e-3)
    jobs.put(job)
    with pytest.raises(BaseException):  # noqa: B017, PT011 CancelledError is one
        job.result()
    assert job.status() is JobStatus.CANCELLED


def test_identities_and_lone_qubits_need_no_shots():
    circuit = QuantumCircuit(3)
    circuit.ry(0.4, 2)
    circuit.cx(0, 1)
    run = CutEstimator(1, mode="sampled").run([(circuit, ["III", "ZII"])]).result()[0]
    np.testing.assert_allclose(run.data.evs, [1, math.cos(0.4)], atol=1e-12)
    assert not run.data.stds.any()


def test_bad_input_is_refused_early():
    one = (*pub()[:2], pub()[2][0])
    sampled = CutEstimator(3, mode="sampled")
    with pytest.raises(PubError, match=r"PUB 0: precision=0: .*mode='exact'"):
        sampled.run([one], precision=0)
    with pytest.raises(PrecisionError, match=r"precision 1e-05 needs about .* can be reached"):
        sampled.run([one], precision=1e-5).result()
    with pytest.raises(PrecisionError, match="shots=3: too few for 12 different circuits"):
        CutEstimator(3, mode="sampled", shots=3).run([one]).result()
    with pytest.raises(MemoryLimitError, match=r"fragment 0 needs .* 2 states of 3 qubits .* may"):
        CutEstimator(3, mode="sampled", memory_limit_bytes=1000).run([one]).result()
    plan = plan_cuts(ansatz(5).assign_parameters(np.ones(20)), 3)
    with pytest.raises(PlanError, match="made for another circuit"):
        CutEstimator(3, mode="sampled", plan=plan).run([one]).result()
    with pytest.raises((ObservableError, PubError), match="Hermitian"):
        sampled.run([(one[0], {"ZZZZZZ": 1j}, one[2])])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shots": 0}, "shots=0"),
        ({"shots": 2.5}, "shots=2.5"),
        ({"max_shots": True}, "max_shots=True"),
        ({"default_precision": 0}, "default_precision=0"),
        ({"mode": "exact", "shots": 5}, "mode='exact' takes no shots"),
        (
            {"backend": AerSimulator(), "session": SimpleNamespace(candidates=None)},
            "give one of them",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    with pytest.raises(QDreamerError, match=words):
        CutEstimator(3, **options)


def test_on_a_qpu_pilot_variants_run_on_its_device_or_fall_back_to_workers():
    one = (*pub()[:2], pub()[2][0])
    with Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        session.add_pilot("qpu://fake_manila")
        options = {"session": session, "on": "fake_manila", "shots": 3000, "seed": 1}
        narrow = CutEstimator(3, **options).run([one]).result()[0]
        assert narrow.metadata["mode"] == "sampled"
        assert {row.pilot for row in narrow.metadata["fragments"]} == {"fake_manila"}
        assert np.abs(narrow.data.evs - exact(one).ravel()).max() < 0.5  # it is a noisy device
        with pytest.raises(DeviceError, match="fake_manila: fragment 0 needs 6 qubits and it has"):
            CutEstimator(6, **options).run([one]).result()
        wide = CutEstimator(6, fallback="cpu", **options).run([one]).result()[0]
        assert {row.pilot for row in wide.metadata["fragments"]} == {"local"}
        assert len(wide.metadata["notes"]) == 1
        assert np.abs(wide.data.evs - exact(one).ravel()).max() < 6 * wide.data.stds.max()


def test_a_plan_from_one_mode_serves_the_other():
    circuit = QuantumCircuit(6)
    circuit.ry(0.6, range(6))
    for low in range(5):
        circuit.rzz(0.3 + 0.1 * low, low, low + 1)
    circuit.rx(0.8, range(6))
    for low in range(5):
        circuit.rzz(0.4, low, low + 1)  # commutes with the observable, so it is left out
    one = (circuit, ["ZZZZZZ", "IIZZII"])
    first = CutEstimator(3).run([one]).result()[0]
    plan = first.metadata["plan"]
    assert plan.blocks.num_blocks == 5
    for mode in ("sampled", "exact"):
        again = CutEstimator(3, mode=mode, plan=plan, seed=2).run([one], precision=0.02).result()[0]
        assert again.metadata["plan"].blocks.num_blocks == 5
        assert np.abs(again.data.evs - exact(one)).max() < 0.1
    back = CutEstimator(3, mode="sampled", seed=2).run([one]).result()[0].metadata["plan"]
    np.testing.assert_allclose(
        CutEstimator(3, plan=back).run([one]).result()[0].data.evs, exact(one), atol=1e-10
    )
