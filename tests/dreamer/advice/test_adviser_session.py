"""Runs whose pilots come and go, with real workers."""

import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import Statevector

from pilot_kernel import Session
from pilot_kernel.jupyter.cell.circuit_cutter import CutRequest
from pilot_kernel.sessions.pilots import PilotBook
from qdreamer_lab import CutEstimator, QDreamer
from qdreamer_lab.dreamer import cutter
from qdreamer_lab.dreamer.advice.adviser import PlanAdviser
from qdreamer_lab.dreamer.advice.run_prediction import Ran, learn
from qdreamer_lab.dreamer.machine.profile import MachineProfile
from qdreamer_lab.dreamer.model.coefficients import PLACE
from qdreamer_lab.workload.execution import dispatch, watch
from qdreamer_lab.workload.execution.decisions import Course, Decision
from qdreamer_lab.workload.execution.pace import Pace
from tests.circuits.drawn import three_neighbours
from tests.circuits.plain import neighbours, swept_ansatz
from tests.conftest import wait_until, worker_pids

_TIGHT_BYTES = 2**21


class TightSession(Session):
    """A session whose pilots called `small…` say that their workers have little memory."""

    def __init__(self):
        super().__init__()
        self._pilots = TightPilots(self._call)


class TightPilots(PilotBook):
    def _ask(self):
        return [
            replace(one, memory_per_worker_bytes=_TIGHT_BYTES)
            if one.name.startswith("small")
            else one
            for one in super()._ask()
        ]


@pytest.fixture(autouse=True)
def at_once(monkeypatch, tmp_path):
    """Changes of workers count at once; nothing is learned for good."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    monkeypatch.setattr(watch, "_SETTLE_S", 0.0)


@pytest.fixture
def small_tasks(monkeypatch):
    monkeypatch.setattr(dispatch, "Pace", lambda: Pace(target_s=0.001))


@pytest.fixture
def tight(registry_home):
    with TightSession() as opened:
        opened.add_pilot("local://", name="small", cores_per_node=1)
        up(opened, "small")  # a run would take note of it if that took long
        yield opened


def sweep(points=200):
    circuit, values = swept_ansatz(8, points)
    return circuit, "ZIZIZIZX", values


class Once:
    """Calls a function at the first report, which comes in the middle of a run."""

    def __init__(self, function):
        self.function = function
        self.called = False
        self.decisions = ()

    def __call__(self, report):
        self.decisions = report.decisions
        if not self.called:
            self.called = True
            assert report.done < report.total
            self.function()


def up(session, name, workers=1):
    """Wait until a pilot has its workers."""
    wait_until(
        lambda: any(p.name == name and p.workers == workers for p in session.pilot_statuses())
    )


def test_a_pilot_that_comes_takes_its_share(tight, small_tasks):
    def grow():
        tight.add_pilot("local://", name="small2", cores_per_node=1)
        up(tight, "small2")

    progress = Once(grow)
    estimator = CutEstimator(4, mode="exact", session=tight, progress=progress)
    result = estimator.run([sweep()]).result()[0]
    expected = StatevectorEstimator().run([sweep()]).result()[0].data.evs
    assert result.data.evs == pytest.approx(expected, abs=1e-12)
    pilots = {row.pilot for row in result.metadata["fragments"]}
    assert pilots == {"small", "small2"}
    (decision,) = result.metadata["decisions"]
    assert (decision.workers_before, decision.workers_after) == (1, 2)
    assert not decision.replanned
    assert progress.decisions == (decision,)


def told(caplog):
    """What was logged of runs; what other tests have left in this process may log, too."""
    return [one.getMessage() for one in caplog.records if one.name.startswith("qdreamer_lab")]


def test_a_pilot_that_is_lost_is_done_without(tight, small_tasks, caplog):
    lost = tight.add_pilot("local://", name="lost", cores_per_node=1)
    up(tight, "lost")
    process = worker_pids(tight)["lost-0"]

    def lose():
        os.kill(process, signal.SIGKILL)
        lost.stop()

    estimator = CutEstimator(4, mode="exact", session=tight, progress=Once(lose))
    with caplog.at_level(logging.INFO, "qdreamer_lab"):
        result = estimator.run([sweep()]).result()[0]
    expected = StatevectorEstimator().run([sweep()]).result()[0].data.evs
    assert result.data.evs == pytest.approx(expected, abs=1e-12)
    (decision,) = result.metadata["decisions"]
    assert (decision.workers_before, decision.workers_after) == (2, 1)
    assert told(caplog) == [decision.reason]
    assert decision.reason.endswith("the rest is dealt out to one worker")


def test_without_any_pilot_it_waits_for_the_next(tight, small_tasks, caplog):
    (only,) = tight.pilots
    estimator = CutEstimator(4, mode="exact", session=tight, progress=Once(only.stop))
    with caplog.at_level(logging.INFO, "qdreamer_lab"):
        job = estimator.run([sweep(60)])
        wait_until(lambda: told(caplog))
        assert "add a pilot" in told(caplog)[0]
        assert tight.pilot_statuses() == []  # none was added by itself
        tight.add_pilot("local://", name="small2", cores_per_node=1)
        result = job.result()[0]
    expected = StatevectorEstimator().run([sweep(60)]).result()[0].data.evs
    assert result.data.evs == pytest.approx(expected, abs=1e-12)
    assert [one.workers_after for one in result.metadata["decisions"]] == [0, 1]
    assert {row.pilot for row in result.metadata["fragments"]} == {"small", "small2"}


def test_memory_that_comes_makes_the_uncut_run_possible(tight, caplog, tmp_path, monkeypatch):
    gate, submit = tmp_path / "gate", tight.submit

    def gated(fn, /, *args, **options):  # the run cannot be over before memory has come
        return submit(_after, gate, fn, *args, **options)

    monkeypatch.setattr(tight, "submit", gated)
    circuit = three_neighbours(18, 3)
    dreamer = QDreamer(tight, profile=MachineProfile.nominal())
    found = dreamer.recommend(circuit, neighbours(18))
    assert found.best.cut
    assert found.best.makespan_s > 10  # it would take too long to wait for
    with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.INFO, "qdreamer_lab"):
        running = pool.submit(found.run)
        wait_until(lambda: any(task.running() for task in tight.tasks))
        tight.add_pilot("local://", name="big", cores_per_node=1)
        wait_until(lambda: told(caplog))
        gate.touch()
        result = running.result(120)
    expected = Statevector(circuit).expectation_value(neighbours(18)).real
    assert result.data.evs == pytest.approx(expected, abs=1e-9)
    (decision,) = result.metadata["decisions"]
    assert decision.replanned
    assert decision.course.on == "big"
    assert decision.anew_s < 0.8 * decision.continue_s
    assert decision.reason.startswith("worker count went from 1 to 2 at ")
    assert "running uncut on big anew" in decision.reason
    assert decision.reason.endswith(": planned anew")
    assert told(caplog) == [decision.reason]
    assert {row.pilot for row in result.metadata["fragments"]} == {"big"}
    assert not result.metadata["plan"].num_cuts
    assert dreamer.profile("big").belief.observations > 0


def _after(gate, function, *args):
    while not gate.exists():
        time.sleep(0.01)
    return function(*args)


class Gated:
    """A session whose tasks do nothing until a file is there."""

    def __init__(self, session, gate):
        self.session, self.gate = session, gate
        self.candidates, self.pilots_for = session.candidates, session.pilots_for

    def submit(self, fn, /, *args, name, on=None):
        return self.session.submit(_after, self.gate, fn, *args, name=name, on=on)


def test_a_plan_that_is_the_best_stays(tight, tmp_path):
    circuit = three_neighbours(18, 2)
    dreamer = QDreamer(tight, profile=MachineProfile.nominal())
    prediction = dreamer.predict(circuit, neighbours(18), max_qubits=12)
    decided = threading.Event()

    class Telling(PlanAdviser):
        def changed(self, standing):
            decision = super().changed(standing)
            decided.set()
            return decision

    gated = Gated(tight, tmp_path / "gate")  # the run cannot be over before it is decided
    adviser = Telling(dreamer.engine, circuit, neighbours(18), prediction)
    estimator = CutEstimator(12, mode="exact", session=gated, adviser=adviser)
    job = estimator.run([(circuit, neighbours(18))])
    wait_until(lambda: any(task.running() for task in tight.tasks))
    tight.add_pilot("local://", name="small2", cores_per_node=1)
    assert decided.wait(60)
    gated.gate.touch()
    result = job.result()[0]
    expected = Statevector(circuit).expectation_value(neighbours(18)).real
    assert result.data.evs == pytest.approx(expected, abs=1e-9)
    (decision,) = result.metadata["decisions"]
    assert not decision.replanned
    assert decision.continue_s is not None
    assert "the plan stays" in decision.reason
    assert result.metadata["plan"].max_qubits == 12
    # It tells nothing of the number of workers that it was predicted for.
    assert learn(dreamer.engine, Ran(result, adviser.prediction))
    before, after = MachineProfile.nominal().belief.values, dreamer.profile().belief.values
    assert after[PLACE["planning"]] != before[PLACE["planning"]]


class Orders:
    """Advises one way after the other."""

    def __init__(self, *places):
        self.places = list(places)
        self.asked = []

    def changed(self, standing):
        self.asked.append(standing)
        course = Course(4, "exact", self.places.pop(0))
        counts = standing.before.count, standing.after.count
        return Decision(standing.at_s, *counts, f"go to {course.on}", None, None, course)


def test_a_run_that_moved_to_a_pilot_comes_back_when_that_is_lost(tight, small_tasks):
    adviser = Orders("small2", None)
    moved = []

    def progress(report):
        if not moved:
            moved.append(tight.add_pilot("local://", name="small2", cores_per_node=1))
            up(tight, "small2")
        elif len(report.decisions) == 1 and len(moved) == 1:
            moved[0].stop()
            moved.append(None)

    estimator = CutEstimator(4, mode="exact", session=tight, progress=progress, adviser=adviser)
    result = estimator.run([sweep()]).result()[0]
    expected = StatevectorEstimator().run([sweep()]).result()[0].data.evs
    assert result.data.evs == pytest.approx(expected, abs=1e-12)
    first, lost, back = result.metadata["decisions"]
    assert (first.course.on, lost.workers_after, back.course.on) == ("small2", 0, None)
    assert [standing.stranded for standing in adviser.asked] == [False, True]
    assert {row.pilot for row in result.metadata["fragments"]} == {"small"}


def test_a_cell_says_what_was_decided(tight, small_tasks):
    said, told = [], []

    def tell(done, parts):
        told.append((done, parts))
        if len(told) == 1:
            tight.add_pilot("local://", name="small2", cores_per_node=1)
            up(tight, "small2")

    options = {"width": 4, "precision": None, "shots": None, "seed": None, "on": None}
    request = CutRequest(
        tight, [sweep()], stop=threading.Event(), say=said.append, tell=tell, **options
    )
    result = cutter.cut(request)
    (decision,) = result[0].metadata["decisions"]
    assert said.count(decision.reason) == 1
    assert said[0] == decision.reason
