"""The explorer with real widgets, without a browser: what it is given, and what it shows."""

import gc
import json
import weakref

import pytest
from ipywidgets.widgets.widget import _instances
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2

from qdreamer_lab import CutExplorer
from qdreamer_lab.errors import CircuitError, ObservableError, PlanError, PubError
from qdreamer_lab.widgets.board import FIGURES, Board
from qdreamer_lab.workload.cut.cuts import GateCut
from tests.circuits.plain import uneven_line
from tests.conftest import wait_until
from tests.widgets.conftest import OBSERVABLE, N, hear, press


def test_all_views_are_of_one_plan(seen):
    board = seen._board
    for name in FIGURES:
        assert json.loads(getattr(board, name))["data"]
    assert "fragments of ≤ 5" in board.summary
    assert seen.plan.max_qubits == 5
    assert "<table" in board.numbers
    assert "predicted" in board.alternatives["tradeoff"]


def test_many_fragments_are_counted_in_the_summary(open_explorer):
    explorer = open_explorer(uneven_line(14), max_qubits=2)
    assert len(explorer.plan.fragments) == 7
    assert "6 gate cuts, 7 fragments of up to 2 qubits, " in explorer._board.summary


def test_moving_the_width_changes_everything_in_one_message(explorer):
    board, sent = explorer._board, []
    board.observe(lambda change: sent.append(change["name"]), names=[*FIGURES, "summary", "stamp"])
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    assert {*FIGURES, "summary"} <= set(sent)
    assert explorer.plan.max_qubits == 3
    assert "≤ 3" in board.summary
    assert board.stamp["width"] == 3


@pytest.mark.parametrize(
    ("control", "value", "check"),
    [
        ("kinds", ("wire",), lambda one: not any(isinstance(c, GateCut) for c in one.plan.cuts)),
        ("cost", "joint", lambda one: one.plan.cost == "joint"),
        ("mode", "sampled", lambda one: one.prediction.shots > 0),
        ("workers", 3, lambda one: one.configuration.workers == 3),
        ("time_limit_s", 2.0, lambda one: one.options.time_limit_s == 2.0),
    ],
)
def test_each_control_does_what_it_says(explorer, control, value, check):
    getattr(explorer._panel, control).value = value
    assert explorer.wait(60)
    assert check(explorer.view.selected)


def test_precision_decides_about_shots(open_explorer):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, max_qubits=5)
    explorer._panel.mode.value = "sampled"
    assert explorer.wait(60)
    before = explorer.view.selected.prediction.shots
    explorer._panel.precision.value = explorer._panel.precision.value / 2
    assert explorer.wait(60)
    assert explorer.view.selected.prediction.shots > 2 * before


def test_a_click_on_a_point_moves_the_slider(explorer):
    shown = explorer.view.shown
    index = next(k for k, one in enumerate(shown) if one.configuration.max_qubits not in (5, N))
    hear(explorer, {"click": index})
    assert explorer.view.selected is shown[index]
    assert explorer._panel.width.value == shown[index].configuration.max_qubits


@pytest.mark.parametrize(
    "message",
    [{}, {"click": "x"}, {"click": 999}, {"against": "fate"}, {"graph": 1}, {"dark": None}],
)
def test_nonsense_from_the_page_changes_nothing(seen, message):
    before = seen.view
    hear(seen, message)
    after = seen.view
    assert (after.selected, after.controls, after.against, after.graph) == (
        before.selected,
        before.controls,
        before.against,
        before.graph,
    )


def test_the_page_chooses_axes_and_colours_and_the_form_of_the_circuit(explorer):
    before = explorer._board.circuit
    hear(explorer, {"graph": True})
    assert explorer._board.circuit != before
    hear(explorer, {"against": "plans"})
    assert explorer._board.options["against"] == "plans"
    light = explorer._board.tradeoff
    hear(explorer, {"dark": True})
    assert explorer._board.tradeoff != light


def test_compare_puts_plans_side_by_side(explorer):
    press(explorer, "compare")
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    assert "Pinned: ≤ 5 qubits, exact" in explorer._board.numbers
    assert explorer._board.options["columns"] == 3
    press(explorer, "best")
    assert explorer.view.selected is explorer.view.recommended


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ((None,), CircuitError, "QuantumCircuit, got NoneType"),
        (("OPENQASM 3;",), CircuitError, "got str"),
        ((QuantumCircuit(),), CircuitError, "empty"),
        ((QuantumCircuit(3),), CircuitError, "empty"),
        ((efficient_su2(4),), PubError, "32 unbound parameters.*8"),
        ((uneven_line(N), "ZZ"), ObservableError, "2 qubits"),
        ((uneven_line(N), 7), ObservableError, "observable"),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_no_widget(given, error, words):
    boards = _boards()
    with pytest.raises(error, match=words):
        CutExplorer(*given)
    assert _boards() == boards


def _boards():
    return {key for key, one in _instances.items() if isinstance(one, Board)}


@pytest.mark.parametrize("width", [0, -1, 2.5, "4", True])
def test_a_bad_width_is_one_clear_error(width):
    with pytest.raises(PlanError, match="max_qubits"):
        CutExplorer(uneven_line(N), max_qubits=width)


def test_measurements_at_the_end_are_left_out(open_explorer, steady_planning):
    measured, bare = uneven_line(N), uneven_line(N)
    measured.measure_all()
    plans = [open_explorer(each, OBSERVABLE, max_qubits=5).plan for each in (measured, bare)]
    assert plans[0].summary == plans[1].summary


def test_a_circuit_that_needs_no_cut_says_so(open_explorer, steady_planning):
    explorer = open_explorer(uneven_line(4))
    assert "no cut is needed" in explorer._board.summary
    assert explorer.plan.num_cuts == 0
    assert explorer.view.selected.prediction.makespan_s > 0


def test_the_default_observable_is_named(open_explorer):
    explorer = open_explorer(uneven_line(4))
    assert "mean of Z over all qubits" in repr(explorer)


def test_wide_circuits_begin_with_the_coupling_graph(open_explorer):
    assert open_explorer(uneven_line(60)).view.graph
    assert not open_explorer(uneven_line(12)).view.graph


def test_a_closed_explorer_is_let_go(open_explorer):
    explorer = CutExplorer(uneven_line(6), max_qubits=3)
    assert explorer.wait(60)
    gone = weakref.ref(explorer._planner)
    explorer.close()
    del explorer
    wait_until(lambda: gc.collect() >= 0 and gone() is None, 20)
