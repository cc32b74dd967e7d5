"""Runs that the explorer starts: what becomes of them, and what is shown of it."""

import contextlib
import re
import threading
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2

from qdreamer_lab.dreamer.predict.prediction import FIRST_RUN
from qdreamer_lab.widgets import runner
from qdreamer_lab.widgets.python_export import python_source
from qdreamer_lab.widgets.saved_output import static_html
from qdreamer_lab.workload.execution import first_runs
from tests.circuits.plain import brickwork, uneven_line
from tests.conftest import wait_until
from tests.widgets.conftest import ENDS, OBSERVABLE, N, done_by, ended, exact, hear, press


def test_run_gives_the_value_and_learns(explorer, monkeypatch):
    monkeypatch.setattr(first_runs, "_here", {"here"})
    seen = []
    monkeypatch.setattr(
        explorer._planner.dreamer.engine, "observe", lambda result, one: seen.append((result, one))
    )
    press(explorer, "run")
    ended(explorer)
    assert explorer.view.run.status == "done"
    assert explorer.result.data.evs == pytest.approx(exact(uneven_line(N), OBSERVABLE), abs=1e-9)
    [(result, prediction)] = seen
    assert result is explorer.result
    assert prediction.accounts == explorer.view.selected.prediction.accounts
    assert "Measured time" in explorer._board.numbers
    assert "Value:" in explorer._board.status
    assert b"measured" in explorer._board.timeline


def test_the_first_run_here_is_told_of_until_there_was_one(open_explorer, monkeypatch):
    monkeypatch.setattr(first_runs, "_here", set())
    explorer = open_explorer(uneven_line(N), OBSERVABLE, max_qubits=5)
    assert FIRST_RUN in explorer._board.explained
    assert FIRST_RUN in static_html(explorer._problem, explorer.view)
    press(explorer, "run")
    ended(explorer)
    assert "more the first time" in explorer._board.status
    assert FIRST_RUN not in explorer._board.explained
    press(explorer, "run")
    ended(explorer)
    assert explorer._board.status.startswith("Done")
    assert "the first time" not in explorer._board.status


def test_a_sampled_run_is_compared_with_the_exact_value(open_explorer):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, max_qubits=5)
    explorer._panel.mode.value = "auto"
    assert explorer.wait(60)
    index = next(
        k
        for k, one in enumerate(explorer.view.shown)
        if one.configuration.mode == "sampled" and one.seconds < 20
    )
    hear(explorer, {"click": index})
    press(explorer, "run")
    wait_until(lambda: explorer.view.run.exact is not None, 60)
    run = explorer.view.run
    assert run.exact.data.evs == pytest.approx(exact(uneven_line(N), OBSERVABLE), abs=1e-9)
    assert abs(run.result.data.evs - run.exact.data.evs) < 6 * run.result.data.stds + 1e-9
    assert "Exact value" in explorer._board.numbers


def test_stop_ends_a_run(open_explorer):
    explorer = open_explorer(
        efficient_su2(16, reps=3).assign_parameters(np.ones(128)), max_qubits=6
    )
    explorer._panel.mode.value = "exact"
    assert explorer.wait(60)
    _long(explorer)
    press(explorer, "run")
    if explorer.view.asked is not None:  # it is predicted to take long
        press(explorer, "run")
    wait_until(lambda: explorer.view.run.status == "running")
    explorer._panel.stop.click()
    ended(explorer)
    assert explorer.view.run.status == "stopped"
    assert explorer._board.status.startswith("Stopped")
    assert not explorer._panel.run.disabled
    assert explorer._panel.stop.disabled


def _long(explorer):
    """Let the next run wait until it is stopped."""
    from concurrent.futures import CancelledError

    def run(one, controls, stop, teller):
        assert stop.wait(60)
        raise CancelledError

    explorer._runner._run = run


def test_a_run_that_fails_says_why(explorer, monkeypatch):
    def broken(*_):
        raise RuntimeError("the dog ate it")

    monkeypatch.setattr(explorer._runner, "_run", broken)
    press(explorer, "run")
    ended(explorer)
    assert explorer.view.run.status == "failed"
    assert "the dog ate it" in explorer._board.status


def test_what_cannot_run_is_not_run(open_explorer):
    explorer = open_explorer(uneven_line(60), "Z" * 60, max_qubits=50)
    press(explorer, "run")
    assert explorer.view.run.status == "failed"
    assert "may be used" in explorer._board.status
    assert explorer.plan is not None


def test_runs_can_be_placed_by_kind_of_worker_and_by_pilot(open_explorer, session):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, session=session, max_qubits=5)
    statuses = session.pilot_statuses()
    kinds = {offer.lower() for status in statuses for offer in status.offers}
    offered = [value for _, value in explorer._panel.on.options]
    assert "cpu" in kinds
    assert sorted(offered) == sorted(["", *kinds, *(status.name for status in statuses)])


def test_a_run_on_a_session(open_explorer, session):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, session=session, max_qubits=5)
    assert explorer.view.selected.configuration.workers >= 1
    press(explorer, "run")
    ended(explorer)
    assert explorer.view.run.status == "done"
    assert all(row.worker for row in explorer.result.metadata["fragments"])


def test_everything_that_is_recommended_runs_as_predicted(open_explorer, session):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, session=session, max_qubits=5)
    advised = explorer._planner.advised(explorer.view.controls)
    some = [one for one in advised if one.configuration.mode == "exact"]
    kinds = {(c.method, c.in_process, c.cost): one for one in some if (c := one.configuration)}
    assert {in_process for _, in_process, _ in kinds} == {True, False}
    assert {method for method, *_ in kinds} == {"statevector", "matrix_product_state"}
    assert {cost for *_, cost in kinds} == {"lo", "work"}
    for (method, in_process, _), one in kinds.items():
        _select(explorer, one)
        press(explorer, "run")
        ended(explorer)
        assert explorer.view.run.status == "done"
        code = python_source(explorer._problem, one, explorer.view.controls, workers=9)
        given = {"circuit": uneven_line(N), "observables": OBSERVABLE, "session": session}
        for result in (explorer.result, done_by(code, **given)["result"]):
            told = result.metadata
            assert result.data.evs == pytest.approx(exact(uneven_line(N), OBSERVABLE), abs=1e-9)
            assert told["method"] == method
            assert told["plan"].num_cuts == one.plan.num_cuts
            assert all(bool(row.worker) is not in_process for row in told["fragments"])


def _select(explorer, one):
    def change(view):
        candidates = (*view.candidates, one)
        return replace(view, candidates=candidates, selected=one, fixed=one.key)

    explorer._engine.post(change)
    assert explorer.wait(60)


def test_a_session_that_is_closed_leaves_a_planner(open_explorer):
    import pilot_kernel

    with pilot_kernel.Session() as own:
        own.add_pilot("local://", cores_per_node=1)
        explorer = open_explorer(uneven_line(N), OBSERVABLE, session=own, max_qubits=5)
    explorer._planner._places.clear()
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    assert explorer.plan.max_qubits == 3
    press(explorer, "run")
    ended(explorer)
    assert explorer.view.run.status == "failed"
    assert "session is" in explorer._board.status


def test_one_qubit_is_enough(open_explorer):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    explorer = open_explorer(circuit, "X")
    press(explorer, "run")
    ended(explorer)
    assert explorer.result.data.evs == pytest.approx(1.0)


def test_values_have_the_names_of_their_observables(open_explorer):
    explorer = open_explorer(brickwork(), ENDS, max_qubits=6)
    press(explorer, "run")
    ended(explorer)
    assert "X₀ " in explorer.view.run.text
    assert "[0]" not in explorer.view.run.text


def test_a_value_is_shown_for_its_own_parameters_alone(open_explorer):
    explorer = open_explorer(uneven_line(4, symbols=1), max_qubits=4)
    press(explorer, "run")
    assert explorer._engine.wait_for(lambda view: view.run.status == "done", 60)
    assert explorer.wait(60)
    value = re.compile(r"Value</th><td>[-+]\d")
    assert value.search(explorer._board.numbers)
    explorer._panel.values[0].value += 0.5
    assert explorer.wait(60)
    assert not value.search(explorer._board.numbers)


@contextlib.contextmanager
def _busy(explorer):
    """What is done in the block is heard of all at once, in the end."""
    entered, over = threading.Event(), threading.Event()

    def hold(view):
        entered.set()
        over.wait(60)
        return view

    explorer._engine.post(hold)
    entered.wait(60)
    try:
        yield
    finally:
        over.set()
    assert explorer.wait(60)


def test_a_click_while_the_explorer_is_busy_is_for_what_was_chosen_before_it(explorer, monkeypatch):
    monkeypatch.setattr(runner, "LONG_S", 0.0)  # every run is asked about
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    with _busy(explorer):
        explorer._panel.best.click()
        explorer._panel.run.click()
    assert explorer.view.selected.key == explorer.view.recommended.key
    assert explorer.view.asked is explorer.view.selected
    assert "is predicted to take" in explorer._board.status


def test_a_click_while_the_explorer_is_busy_is_for_where_the_controls_are(explorer, monkeypatch):
    monkeypatch.setattr(runner, "LONG_S", 0.0)
    asked = []
    start = explorer._runner.start
    monkeypatch.setattr(
        explorer._runner, "start", lambda view: asked.append(view.selected) or start(view)
    )
    with _busy(explorer):
        explorer._panel.mode.value = "sampled"
        explorer._panel.width.value = 4
        explorer._panel.run.click()
    (one,) = asked
    assert one.configuration.mode == "sampled"
    assert one.configuration.max_qubits == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"makespan_s": 1560.0, "interval": (900.0, 2700.0)}, "predicted to take 26 min"),
        ({"memory_bytes": 55 << 40}, "may need up to 55 TiB of memory"),
    ],
)
def test_a_run_that_asks_for_much_is_asked_about(explorer, change, words):
    """It starts only if it is asked for again, and not if another plan was selected meanwhile."""
    costly = replace(explorer.view.selected, prediction=_with(explorer, change), precision=0.5)
    _long(explorer)
    _select(explorer, costly)
    press(explorer, "run")
    assert explorer.view.run.status == "idle"
    assert words in explorer._board.status
    assert explorer._panel.run.description == "Run anyway"
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    assert explorer._panel.run.description == "Run"
    assert words not in explorer._board.status
    _select(explorer, costly)
    press(explorer, "run")
    assert explorer.view.run.status == "idle"
    explorer._panel.run.click()
    wait_until(lambda: explorer.view.run.status == "running")
    explorer._panel.stop.click()
    ended(explorer)


def _with(explorer, change):
    return replace(explorer.view.selected.prediction, **change)
