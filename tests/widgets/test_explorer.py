"""The explorer with real widgets, without a browser: what is shown, clicked, saved and run."""

import contextlib
import gc
import io
import json
import re
import weakref
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutExplorer, CutPlan
from qdreamer_lab.errors import CircuitError, ObservableError, PlanError, PubError, QDreamerError
from qdreamer_lab.widgets.board import FIGURES
from qdreamer_lab.widgets.cost_table import sentence
from qdreamer_lab.widgets.python_source import python_source
from qdreamer_lab.widgets.state import advised, moved
from qdreamer_lab.workload.plan.plan import GateCut
from tests.circuits.plain import brickwork, uneven_line
from tests.conftest import wait_until

N = 10


def _exact(circuit, observable):
    return Statevector(circuit).expectation_value(observable).real


OBSERVABLE = SparsePauliOp.from_sparse_list([("ZZ", [k, k + 1], 1.0) for k in range(N - 1)], N)


@pytest.fixture
def open_explorer():
    """Explorers that are closed in the end."""
    opened = []

    def make(*args, **kwargs):
        opened.append(CutExplorer(*args, **kwargs))
        assert opened[-1].wait(60)
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def explorer(open_explorer):
    return open_explorer(uneven_line(N), OBSERVABLE, max_qubits=5)


def _press(explorer, name):
    getattr(explorer._panel, name).click()
    assert explorer.wait(60)


def _hear(explorer, message):
    explorer._board._handle_custom_msg(message, [])
    assert explorer.wait(60)


def _ended(explorer):
    wait_until(lambda: not explorer.view.run.active and explorer.view.run.status != "idle", 60)
    assert explorer.wait(60)


# ---- what is shown


def test_all_views_are_of_one_plan(explorer):
    board = explorer._board
    for name in FIGURES:
        assert json.loads(getattr(board, name))["data"]
    assert "fragments of ≤ 5" in board.summary
    assert explorer.plan.max_qubits == 5
    assert "<table" in board.numbers
    assert "predicted" in board.alternatives["tradeoff"]


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
    _hear(explorer, {"click": index})
    assert explorer.view.selected is shown[index]
    assert explorer._panel.width.value == shown[index].configuration.max_qubits


@pytest.mark.parametrize(
    "message",
    [{}, {"click": "x"}, {"click": 999}, {"against": "fate"}, {"graph": 1}, {"dark": None}],
)
def test_nonsense_from_the_page_changes_nothing(explorer, message):
    before = explorer.view
    _hear(explorer, message)
    after = explorer.view
    assert (after.selected, after.controls, after.against, after.graph) == (
        before.selected,
        before.controls,
        before.against,
        before.graph,
    )


def test_the_page_chooses_axes_and_colours_and_the_form_of_the_circuit(explorer):
    before = explorer._board.circuit
    _hear(explorer, {"graph": True})
    assert explorer._board.circuit != before
    _hear(explorer, {"against": "plans"})
    assert explorer._board.options["against"] == "plans"
    light = explorer._board.tradeoff
    _hear(explorer, {"dark": True})
    assert explorer._board.tradeoff != light


def test_compare_puts_plans_side_by_side(explorer):
    _press(explorer, "compare")
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    assert "Pinned: ≤ 5, exact" in explorer._board.numbers
    assert explorer._board.options["columns"] == 3
    _press(explorer, "best")
    assert explorer.view.selected is explorer.view.recommended


# ---- what is saved and shown elsewhere


def _done_by(code, **given):
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, given)
    return given


@pytest.mark.parametrize("mode", ["exact", "sampled"])
@pytest.mark.parametrize("change", [{}, {"kinds": ("wire",)}, {"cost": "joint"}])
def test_the_code_makes_the_selected_plan(explorer, mode, change):
    explorer._panel.mode.value = mode
    for name, value in change.items():
        getattr(explorer._panel, name).value = value
    _press(explorer, "code")
    done = _done_by(explorer._board.code, circuit=uneven_line(N), observables=OBSERVABLE)
    assert np.array_equal(done["plan"].labels, explorer.plan.labels)
    error = 0.2 if mode == "sampled" else 1e-9
    assert done["result"].data.evs == pytest.approx(_exact(uneven_line(N), OBSERVABLE), abs=error)


def test_the_code_binds_parameters_and_makes_the_default_observable(open_explorer):
    explorer = open_explorer(uneven_line(N, symbols=3), max_qubits=5)
    explorer._panel.mode.value = "exact"
    explorer._panel.values[1].value = 1.2
    _press(explorer, "code")
    done = _done_by(explorer._board.code, circuit=uneven_line(N, symbols=3))
    assert np.array_equal(done["plan"].labels, explorer.plan.labels)
    bound = uneven_line(N, symbols=3).assign_parameters([0.5, 1.2, 0.5])
    mean = SparsePauliOp.from_sparse_list([("Z", [k], 1 / N) for k in range(N)], N)
    assert done["result"].data.evs == pytest.approx(_exact(bound, mean), abs=1e-9)


def test_the_plan_survives_a_file(explorer, tmp_path):
    explorer.save(tmp_path / "plan.json")
    assert np.array_equal(CutPlan.load(tmp_path / "plan.json").labels, explorer.plan.labels)


def test_the_page_needs_no_network(explorer, tmp_path):
    explorer.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("plotly.js v") >= 1
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="https?:', page)
    for word in ("Tradeoff", "Numbers", "Cut explorer"):
        assert word in page


def test_other_files_are_refused(explorer, tmp_path):
    with pytest.raises(QDreamerError, match=r"\.json and \.html"):
        explorer.save(tmp_path / "plan.docx")


def test_saving_sends_files_to_the_browser(explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(explorer._board, "send", lambda *message: sent.append(message))
    for kind in ("json", "html", "png", "svg"):
        explorer._panel.format.value = kind
        _press(explorer, "save")
    names = [message["name"] for message, *_ in sent]
    assert [name.rpartition(".")[2] for name in names] == ["json", "html", "png", "svg"]
    assert json.loads(sent[0][1][0])["format"] == "qdreamer-lab cut plan"


def test_a_saved_notebook_has_a_picture_a_table_and_text(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    html = bundle["text/html"]
    assert 'src="data:image/svg+xml;base64,' in html
    assert "Sampling overhead" in html
    assert "<script" not in html
    text = bundle["text/plain"]
    assert text == repr(explorer)
    assert "Sampling overhead" in text


# ---- running


def test_run_gives_the_value_and_learns(explorer, monkeypatch):
    seen = []
    monkeypatch.setattr(
        explorer._planner.dreamer.engine, "observe", lambda result, one: seen.append((result, one))
    )
    _press(explorer, "run")
    _ended(explorer)
    assert explorer.view.run.status == "done"
    assert explorer.result.data.evs == pytest.approx(_exact(uneven_line(N), OBSERVABLE), abs=1e-9)
    assert seen == [(explorer.result, explorer.view.selected.prediction)]
    assert "Measured time" in explorer._board.numbers
    assert "Value:" in explorer._board.status
    assert b"measured" in explorer._board.timeline


def test_a_sampled_run_is_compared_with_the_exact_value(open_explorer):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, max_qubits=5)
    explorer._panel.mode.value = "auto"
    assert explorer.wait(60)
    index = next(
        k
        for k, one in enumerate(explorer.view.shown)
        if one.configuration.mode == "sampled" and one.seconds < 20
    )
    _hear(explorer, {"click": index})
    _press(explorer, "run")
    wait_until(lambda: explorer.view.run.exact is not None, 60)
    run = explorer.view.run
    assert run.exact.data.evs == pytest.approx(_exact(uneven_line(N), OBSERVABLE), abs=1e-9)
    assert abs(run.result.data.evs - run.exact.data.evs) < 6 * run.result.data.stds + 1e-9
    assert "Exact value" in explorer._board.numbers


def test_stop_ends_a_run(open_explorer):
    explorer = open_explorer(
        efficient_su2(16, reps=3).assign_parameters(np.ones(128)), max_qubits=6
    )
    explorer._panel.mode.value = "exact"
    assert explorer.wait(60)
    _long(explorer)
    explorer._panel.run.click()
    wait_until(lambda: explorer.view.run.status == "running")
    explorer._panel.stop.click()
    _ended(explorer)
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
    _press(explorer, "run")
    _ended(explorer)
    assert explorer.view.run.status == "failed"
    assert "the dog ate it" in explorer._board.status


def test_what_cannot_run_is_not_run(open_explorer):
    explorer = open_explorer(uneven_line(60), "Z" * 60, max_qubits=50)
    _press(explorer, "run")
    assert explorer.view.run.status == "failed"
    assert "may be used" in explorer._board.status
    assert explorer.plan is not None


def test_a_run_on_a_session(open_explorer, session):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, session=session, max_qubits=5)
    assert explorer.view.selected.configuration.workers >= 1
    _press(explorer, "run")
    _ended(explorer)
    assert explorer.view.run.status == "done"
    assert all(row.worker for row in explorer.result.metadata["fragments"])


def test_everything_that_is_recommended_runs_as_predicted(open_explorer, session):
    explorer = open_explorer(uneven_line(N), OBSERVABLE, session=session, max_qubits=5)
    advised = explorer._planner.advised(explorer.view.controls)
    exact = [one for one in advised if one.configuration.mode == "exact"]
    kinds = {(c.method, c.in_process, c.cost): one for one in exact if (c := one.configuration)}
    assert {in_process for _, in_process, _ in kinds} == {True, False}
    assert {method for method, *_ in kinds} == {"statevector", "matrix_product_state"}
    assert {cost for *_, cost in kinds} == {"lo", "work"}
    for (method, in_process, _), one in kinds.items():
        _select(explorer, one)
        _press(explorer, "run")
        _ended(explorer)
        assert explorer.view.run.status == "done"
        code = python_source(explorer._problem, one, explorer.view.controls, workers=9)
        given = {"circuit": uneven_line(N), "observables": OBSERVABLE, "session": session}
        for result in (explorer.result, _done_by(code, **given)["result"]):
            told = result.metadata
            assert result.data.evs == pytest.approx(_exact(uneven_line(N), OBSERVABLE), abs=1e-9)
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
    _press(explorer, "run")
    _ended(explorer)
    assert explorer.view.run.status == "failed"
    assert "session is" in explorer._board.status


# ---- what is given


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
def test_bad_input_is_one_clear_error(given, error, words):
    with pytest.raises(error, match=words):
        CutExplorer(*given)


@pytest.mark.parametrize("width", [0, -1, 2.5, "4", True])
def test_a_bad_width_is_one_clear_error(width):
    with pytest.raises(PlanError, match="max_qubits"):
        CutExplorer(uneven_line(N), max_qubits=width)


def test_measurements_are_refused():
    circuit = uneven_line(N)
    circuit.measure_all()
    with pytest.raises(CircuitError, match="measure"):
        CutExplorer(circuit)


def test_a_circuit_that_needs_no_cut_says_so(open_explorer):
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


def test_one_qubit_is_enough(open_explorer):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    explorer = open_explorer(circuit, "X")
    _press(explorer, "run")
    _ended(explorer)
    assert explorer.result.data.evs == pytest.approx(1.0)


# ---- many moves


def test_a_hundred_moves_leave_one_consistent_state(explorer):
    rng = np.random.default_rng(0)
    for width in rng.integers(2, N + 1, 100).tolist():
        explorer._panel.width.value = width
    assert explorer.wait(120)
    width = explorer._panel.width.value
    assert explorer.view.controls.width == width
    assert f"≤ {width}" in explorer._board.summary or "no cut" in explorer._board.summary
    fragments = {one.width for one in explorer.plan.fragments}
    assert max(fragments) <= width
    assert not explorer.view.working


def test_a_closed_explorer_is_let_go(open_explorer):
    explorer = CutExplorer(uneven_line(6), max_qubits=3)
    assert explorer.wait(60)
    gone = weakref.ref(explorer._planner)
    explorer.close()
    del explorer
    wait_until(lambda: gc.collect() >= 0 and gone() is None, 20)


# ---- one truth in all places


ENDS = ["Z" + "I" * 10 + "Z", "I" * 11 + "X", "IIIIZZIIIIII"]


@pytest.mark.parametrize(
    ("against", "mode"), [("overhead", "auto"), ("width", "exact"), ("plans", "sampled")]
)
def test_the_marked_point_is_the_plan_that_is_described(open_explorer, against, mode):
    explorer = open_explorer(brickwork(), ENDS, max_qubits=6)
    explorer._panel.mode.value = mode
    explorer._heard({"against": against})
    assert explorer.wait(60)
    for index in range(len(explorer.view.shown)):
        explorer._heard({"click": index})
        assert explorer.wait(60)
        one = explorer.view.selected
        figure = json.loads(explorer._board.tradeoff)
        (ring,) = [trace for trace in figure["data"] if trace.get("name") == "selected"]
        bits = one.plan.log2_overhead
        place = ring["y"] if explorer.view.axes == "plans" else ring["x"]
        if explorer.view.axes != "width":
            assert place == pytest.approx([bits])
        if one.plan.num_cuts:
            assert f"2^{bits:.1f}" in explorer._board.summary
            points = [trace for trace in figure["data"] if trace.get("hovertext")]
            said = [
                t
                for trace in points
                for k, t in zip(trace["customdata"], trace["hovertext"], strict=True)
                if k == index
            ]
            assert one.plan.summary.partition(",")[0].split()[0] in said[0]


def test_a_plan_of_some_of_the_terms_says_so(open_explorer):
    circuit = QuantumCircuit(12)
    for _ in range(2):
        for first in (0, 4, 8):
            circuit.compose(uneven_line(4), range(first, first + 4), inplace=True)
        circuit.rzz(0.4, 3, 4)
        circuit.rzz(0.4, 7, 8)
    explorer = open_explorer(circuit)
    _, blocks = explorer._problem.bound(())
    cut = [one for one in explorer.view.candidates if one.plan and one.plan.num_cuts]
    parts = [one for one in cut if one.plan.blocks.num_blocks < blocks.num_blocks]
    assert parts
    for one in cut:
        assert ("groups of terms" in sentence(one, 12)) == (one in parts)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1.0])
def test_the_code_makes_every_candidate_s_plan_however_it_was_found(open_explorer, seconds):
    explorer = open_explorer(brickwork(), ENDS, max_qubits=6)
    explorer._panel.time_limit_s.value = seconds
    assert explorer.wait(60)
    handed = [one for one in explorer.view.candidates if one.handed and one.prediction]
    assert handed
    advised = [one for one in explorer._planner.advised(explorer.view.controls) if one.handed]
    cut = [replace(one, repeatable=False) for one in handed if one.plan.num_cuts][:1]
    for one in (*handed, *advised, *cut):
        code = python_source(explorer._problem, one, explorer.view.controls, workers=None)
        code = code.partition("estimator = ")[0]
        done = _done_by(code, circuit=brickwork(), observables=ENDS)
        assert np.array_equal(done["plan"].labels, one.plan.labels)
        assert np.array_equal(done["plan"].lone_labels, one.plan.lone_labels)
        assert done["plan"].summary == one.plan.summary


def test_values_have_the_names_of_their_observables(open_explorer):
    explorer = open_explorer(brickwork(), ENDS, max_qubits=6)
    _press(explorer, "run")
    _ended(explorer)
    assert "X₀ " in explorer.view.run.text
    assert "[0]" not in explorer.view.run.text


@pytest.mark.parametrize(
    ("away", "back"), [({"cost": "joint"}, {"cost": "lo"}), ({"width": 3}, {"width": 5})]
)
def test_a_control_that_comes_back_before_anything_was_drawn_leaves_all_as_it_was(
    explorer, away, back
):
    before = [one.sameness for one in explorer.view.candidates]
    explorer._engine.post(lambda view: moved(moved(view, **away), **back))
    assert explorer.wait(20)
    assert [one.sameness for one in explorer.view.candidates] == before


def test_a_recommendation_for_other_controls_is_not_selected(explorer):
    explorer._engine.post(lambda view: advised(moved(view, mode="sampled")))
    assert explorer.wait(20)
    assert explorer.view.candidates
    assert explorer.view.selected.configuration.mode == "sampled"


def test_a_click_means_the_point_that_was_drawn(explorer):
    explorer._panel.mode.value = "exact"
    assert explorer.wait(60)
    serial = explorer._board.stamp["serial"]
    points = explorer.view.shown
    index = next(k for k, one in enumerate(points) if one is not explorer.view.selected)
    # Other points have come before it, and the page has not drawn them yet.
    explorer._engine.post(lambda view: replace(view, candidates=view.candidates[::-1]))
    wait_until(lambda: explorer.view.shown[index].sameness != points[index].sameness)
    _hear(explorer, {"click": index, "serial": serial})
    assert explorer.view.selected.sameness == points[index].sameness
    was = explorer.view.selected
    _hear(explorer, {"click": 0, "serial": 10**6})
    assert explorer.view.selected is was


def test_a_value_is_shown_for_its_own_parameters_alone(open_explorer):
    explorer = open_explorer(uneven_line(4, symbols=1), max_qubits=4)
    _press(explorer, "run")
    assert explorer._engine.wait_for(lambda view: view.run.status == "done", 60)
    assert explorer.wait(60)
    value = re.compile(r"Value</th><td>[-+]\d")
    assert value.search(explorer._board.numbers)
    explorer._panel.values[0].value += 0.5
    assert explorer.wait(60)
    assert not value.search(explorer._board.numbers)


@pytest.mark.parametrize(
    ("control", "there"), [("cost", "joint"), ("values", 1.5), ("precision", 0.1)]
)
def test_the_same_cuts_under_other_controls_stand_beside_each_other(open_explorer, control, there):
    explorer = open_explorer(uneven_line(N, symbols=1), OBSERVABLE, max_qubits=5)
    explorer._panel.mode.value = "sampled"
    assert explorer.wait(60)
    _press(explorer, "compare")
    pin = explorer.view.pinned[0]
    widget = getattr(explorer._panel, control)
    (widget[0] if control == "values" else widget).value = there
    assert explorer.wait(60)
    assert explorer.view.pinned == (pin,)
    assert explorer.view.selected.sameness != pin.sameness
    assert "Pinned: " in explorer._board.numbers
