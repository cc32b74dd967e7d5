"""The estimator keeps Qiskit's V2 contract, here and on a session, and says no clearly."""

import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit.circuit import Parameter
from qiskit.primitives import BaseEstimatorV2, StatevectorEstimator
from qiskit.providers import JobStatus

from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.errors import CircuitError, MemoryLimitError, PlanError, PubError, QDreamerError
from qdreamer_lab.workload.exact import fold as exact_fold
from tests.circuits.plain import ansatz, bound_ansatz, ising


class PoolSession:
    """What the estimator needs of a session, over an executor."""

    def __init__(self, pool):
        self.pool = pool
        self.tasks = []

    def candidates(self, on=None):
        return [SimpleNamespace(name="p", wanted=1, workers=1, memory_per_worker_bytes=2**33)]

    pilots_for = candidates

    def submit(self, fn, /, *args, name, on=None):
        task = self.pool.submit(fn, *args)
        task.record = SimpleNamespace(name=name, worker=f"worker of {name}", pilot="local")
        self.tasks.append(task)
        return task


SWEEPS = [
    ([["ZIIIIZ"], ["IIZZII"], ["IIIIII"]], (4, 24)),
    ([{"ZZIIII": 0.5, "IIIYYI": -2.0}, "XXXXXX"], (2, 24)),
    ("ZZZZZZ", (2, 3, 24)),
    ("ZZZZZZ", (24,)),
]


@pytest.mark.parametrize(("observables", "shape"), SWEEPS)
def test_sweeps_broadcast_as_qiskit_does(observables, shape):
    values = np.random.default_rng(3).normal(size=shape)
    pub = (ansatz(6), observables, values)
    mine = CutEstimator(3).run([pub]).result()[0]
    theirs = StatevectorEstimator().run([pub]).result()[0]
    assert mine.data.evs.shape == theirs.data.evs.shape == mine.data.stds.shape
    np.testing.assert_allclose(mine.data.evs, theirs.data.evs, atol=1e-11)
    assert not mine.data.stds.any()


def test_a_sweep_through_values_where_blocks_become_separable():
    theta = Parameter("theta")
    pub = (ising(3, 1, theta, 0.4), [["ZZZ"], ["IZY"]], {theta: [0.0, 0.3, np.pi, 2.0]})
    mine = CutEstimator(1).run([pub]).result()[0].data.evs
    theirs = StatevectorEstimator().run([pub]).result()[0].data.evs
    np.testing.assert_allclose(mine, theirs, atol=1e-11)


def test_projector_letters():
    circuit = bound_ansatz(5)
    labels = ["00000", "1Z+-r", "lIXYZ", "0IIII"]
    pauli = {"0": [("I", 0.5), ("Z", 0.5)], "1": [("I", 0.5), ("Z", -0.5)]}
    pauli |= {"+": [("I", 0.5), ("X", 0.5)], "-": [("I", 0.5), ("X", -0.5)]}
    pauli |= {"r": [("I", 0.5), ("Y", 0.5)], "l": [("I", 0.5), ("Y", -0.5)]}

    def expanded(label):
        terms = {"": 1.0}
        for letter in label:
            parts = pauli.get(letter, [(letter, 1.0)])
            terms = {t + p: c * v for t, c in terms.items() for p, v in parts}
        return terms

    mine = CutEstimator(3).run([(circuit, labels)]).result()[0].data.evs
    theirs = StatevectorEstimator().run([(circuit, [expanded(x) for x in labels])]).result()[0]
    np.testing.assert_allclose(mine, theirs.data.evs, atol=1e-11)


def test_metadata_tells_the_story():
    seen = []
    estimator = CutEstimator(3, progress=seen.append)
    assert isinstance(estimator, BaseEstimatorV2)
    job = estimator.run([(bound_ansatz(6), ["ZIIIII", "IIIIIZ"])], precision=0.1)
    metadata = job.result()[0].metadata
    assert job.status() is JobStatus.DONE
    assert metadata["plan"].max_qubits == 3
    assert [row.fragment for row in metadata["fragments"]] == [0, 1]
    assert [(report.done, report.total) for report in seen] == [(1, 2), (2, 2)]
    assert [report.over for report in seen] == [False, True]
    assert all(metadata[phase] > 0 for phase in ("plan_s", "execute_s", "contract_s"))
    assert metadata["target_precision"] == 0.1


def test_on_a_session_fragments_are_tasks(session):
    pub = (bound_ansatz(6), ["ZIIIII", "IIZZII"])
    result = CutEstimator(3, session=session).run([pub]).result()[0]
    np.testing.assert_allclose(
        result.data.evs, StatevectorEstimator().run([pub]).result()[0].data.evs, atol=1e-11
    )
    assert {"fragment-0", "fragment-1"} <= {task.name for task in session.tasks}
    rows = result.metadata["fragments"]
    assert all(row.worker.startswith("local-") for row in rows)
    assert {row.pilot for row in rows} == {"local"}


class FailingSession:
    """Its first task fails; the others never start."""

    def __init__(self):
        self.tasks = []

    def candidates(self, on=None):
        return [SimpleNamespace(name="p", wanted=1, workers=1, memory_per_worker_bytes=2**33)]

    pilots_for = candidates

    def submit(self, fn, /, *args, name, on=None):
        task = Future()
        if not self.tasks:
            task.set_exception(RuntimeError("worker lost"))
        self.tasks.append(task)
        return task


def test_one_failure_cancels_the_rest():
    session = FailingSession()
    with pytest.raises(RuntimeError, match="worker lost"):
        CutEstimator(3, session=session).run([(bound_ansatz(6), "ZZZZZZ")]).result()
    assert session.tasks[1].cancelled()


def test_cancelling_a_job_cancels_its_tasks():
    with ThreadPoolExecutor(1) as pool:
        release = threading.Event()
        pool.submit(release.wait, 120)
        session = PoolSession(pool)
        job = CutEstimator(3, session=session).run([(bound_ansatz(6), "ZZZZZZ")])
        while len(session.tasks) < 2:
            time.sleep(0.01)
        assert job.running()
        assert job.cancel()
        with pytest.raises(CancelledError):
            job.result()
        release.set()
    assert job.cancelled()
    assert all(task.cancelled() for task in session.tasks)


def test_an_interrupt_cancels_the_job(monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        release = threading.Event()
        pool.submit(release.wait, 120)
        session = PoolSession(pool)
        job = CutEstimator(3, session=session).run([(bound_ansatz(6), "ZZZZZZ")])
        while len(session.tasks) < 2:
            time.sleep(0.01)
        with monkeypatch.context() as patch:
            patch.setattr(job._future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                job.result()
        with pytest.raises(CancelledError):
            job.result()
        release.set()
    assert all(task.cancelled() for task in session.tasks)


def test_a_fragment_over_the_limit_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(exact_fold, "run_fragments", None)
    job = CutEstimator(12, memory_limit_bytes=1000).run([(bound_ansatz(12), "Z" * 12)])
    with pytest.raises(
        MemoryLimitError,
        match=r"fragment 0 needs [0-9.]+ KiB .* but 1000 B may be used: .*max_qubits=4",
    ):
        job.result()
    assert job.status() is JobStatus.ERROR


def measured():
    circuit = bound_ansatz(4)
    circuit.measure_all()
    circuit.x(0)
    return circuit


@pytest.mark.parametrize(
    ("pub", "error", "words"),
    [
        ((measured(), "ZZZZ"), CircuitError, "PUB 0: .*is a mid-circuit measurement"),
        ((ansatz(2), "ZZ"), PubError, "PUB 0: .*parameters"),
        ((bound_ansatz(4), "ZZ"), PubError, "PUB 0: .*qubits"),
        ((bound_ansatz(2), {"ZZ": 1j}), PubError, "PUB 0: .*Hermitian"),
        ((ansatz(2), "ZZ", np.full(8, np.nan)), PubError, "PUB 0: .*finite"),
    ],
)
def test_bad_pubs_are_refused_at_once(pub, error, words):
    with pytest.raises(error, match=words):
        CutEstimator(2).run([pub])


@pytest.mark.parametrize("width", [0, -3, 2.5, True, None])
def test_bad_widths_are_refused(width):
    with pytest.raises(PlanError, match="max_qubits"):
        CutEstimator(width)


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(QDreamerError, match="unknown mode 'fast'; there is 'auto', 'exact'"):
        CutEstimator(2, mode="fast")


def test_a_given_plan_is_used():
    plan = plan_cuts(bound_ansatz(6), 4, observables=["ZIIIII", "IIIIIX"])
    result = CutEstimator(2, plan=plan).run([(bound_ansatz(6), "ZIIIII")]).result()[0]
    assert result.metadata["plan"].max_qubits == 4
    expected = StatevectorEstimator().run([(bound_ansatz(6), "ZIIIII")]).result()[0].data.evs
    assert result.data.evs == pytest.approx(expected, abs=1e-12)


def test_a_plan_for_another_circuit_is_refused():
    job = CutEstimator(2, plan=plan_cuts(bound_ansatz(5), 3)).run([(bound_ansatz(6), "ZIIIII")])
    with pytest.raises(PlanError, match="made for another circuit"):
        job.result()
