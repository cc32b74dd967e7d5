"""Simulated scaling: equal tasks by hand and by brute force, and curves of a small run."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.dreamer.model.makespan import list_schedule
from qdreamer_lab.workflow.characterise import larger
from qdreamer_lab.workflow.characterise.larger import (
    circuits_simulated,
    cut_simulated,
    dealt_out_s,
)
from qdreamer_lab.workflow.characterise.measure import characterise
from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_cutting.cut_run import ansatz, last_z
from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.variational.app import VariationalAlgorithm


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_by_hand():
    assert dealt_out_s(8, 2.0, 0.0, 1) == 16.0
    assert dealt_out_s(8, 2.0, 0.0, 3) == 6.0
    assert dealt_out_s(8, 2.0, 0.0, 1000) == 2.0
    assert dealt_out_s(100, 0.0, 0.01, 7) == pytest.approx(1.0)  # the notebook is what is slow
    assert dealt_out_s(3, 1.0, 5.0, 2) == 16.0


@given(st.integers(1, 30), st.floats(0, 5), st.integers(1, 40))
def test_at_once_it_is_a_list_schedule(tasks, task_s, workers):
    assert dealt_out_s(tasks, task_s, 0.0, workers) == pytest.approx(
        list_schedule([task_s] * tasks, workers)
    )


@given(st.integers(1, 20), st.floats(0, 5), st.floats(0, 2), st.integers(1, 6))
def test_against_a_clock_that_goes_from_event_to_event(tasks, task_s, interval_s, workers):
    events = [((number + 1) * interval_s, 1, number) for number in range(tasks)]
    heapq.heapify(events)
    idle, waiting, end = workers, 0, 0.0
    while events:
        now, what, _ = heapq.heappop(events)
        idle, waiting = (idle, waiting + 1) if what else (idle + 1, waiting)
        end = now
        while idle and waiting:
            idle, waiting = idle - 1, waiting - 1
            heapq.heappush(events, (now + task_s, 0, 0))
    assert dealt_out_s(tasks, task_s, interval_s, workers) == pytest.approx(end)


def test_curves_begin_where_they_were_measured():
    measured = {"strong": {1: 8.0, 2: 4.4}, "weak": {1: 8.0}}
    strong, weak = circuits_simulated("c", 8, 8.0, 0.001, (1, 2, 1000), measured, 2)
    assert strong.wall_s[0] == pytest.approx(8.0, rel=0.01)
    assert strong.off[2] == pytest.approx(4.0 / 4.4 - 1, rel=0.02)
    assert strong.wall_s[2] == pytest.approx(1.0, rel=0.02)
    # 8,000 tasks leave in 8 seconds, and the last takes one more.
    assert weak.wall_s[2] == pytest.approx(9.0, rel=0.02)


def test_a_small_run_is_simulated_on_a_thousand_workers(session, monkeypatch):
    cut = CircuitCutting(qubits=(6,), widths=(4,), reps=2, precision=0.05, recommend=False)
    monkeypatch.setattr(larger, "CUT", cut)
    monkeypatch.setattr("qdreamer_lab.workflow.characterise.measure.CUT", cut)
    small = {
        "circuit-cutting": cut,
        "circuit-execution": CircuitExecution(circuits=4, qubits=2),
        "variational": VariationalAlgorithm(qubits=2, layers=1, starts=1, iterations=2),
    }
    found = characterise(
        session,
        (1,),
        names=["circuit-execution", "circuit-cutting", "variational"],
        simulate=(1, 1000),
        calibrate_s=0,
        change=lambda made: small.get(made.name, made),
    )
    strong, weak, fragments, loop = found.simulated
    assert loop.wall_s[1] == pytest.approx(loop.wall_s[0])  # it has one start
    (left_out,) = found.not_simulated
    assert left_out.startswith("variational: weak scaling, since ")
    assert strong.workers == weak.workers == fragments.workers == (1, 1000)
    for curve in found.simulated:
        assert set(curve.measured_s) == {1}
        assert min(curve.wall_s) > 0
        assert "SIMULATED" in curve.text()
    assert strong.wall_s[1] <= strong.wall_s[0]
    assert "never measured" in fragments.assumptions  # the profile is nominal


def test_where_there_are_as_many_workers_it_is_the_prediction(
    session, lone_worker, monkeypatch, steady_planning
):
    cut = CircuitCutting(
        qubits=(8,), widths=(5,), reps=2, precision=0.02, recommend=False, angle=0.4
    )
    monkeypatch.setattr(larger, "CUT", cut)
    curve = cut_simulated(session, lone_worker, (1, 64), {1: 2.0}, 2)
    way = QDreamer(session).predict(
        *(ansatz(8, cut.reps, cut.seed, 0.4), last_z(8)),
        max_qubits=5,
        mode="sampled",
        precision=0.02,
        on=lone_worker,
    )
    assert way.configuration.workers == 1
    assert curve.wall_s[0] == pytest.approx(way.makespan_s)
    assert curve.off == {1: pytest.approx(curve.wall_s[0] / 2 - 1)}


def test_more_workers_are_faster_until_handing_out_takes_longest(
    session, lone_worker, steady_planning
):
    curve = cut_simulated(session, lone_worker, (1, 2, 4, 8, 1000), {}, 2)
    assert sorted(curve.wall_s[:4], reverse=True) == list(curve.wall_s[:4])
    assert curve.wall_s[0] > 1.2 * curve.wall_s[1] > 0
    assert curve.wall_s[4] > curve.wall_s[0] / 20
