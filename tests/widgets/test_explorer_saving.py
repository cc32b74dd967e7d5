"""What the explorer saves, and the code it writes, which makes the same plan."""

import dataclasses
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import CouplingMap

from qdreamer_lab import CutPlan, plan_cuts
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.board import FIGURES
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.python_export import python_source
from qdreamer_lab.widgets.state import Candidate, Controls
from qdreamer_lab.workload.cut.options import SearchOptions
from qdreamer_lab.workload.cut.partition import Partition
from tests.circuits.plain import brickwork, uneven_line
from tests.conftest import wait_until
from tests.widgets.conftest import ENDS, OBSERVABLE, N, done_by, exact, press


@pytest.mark.parametrize("change", [{}, {"kinds": ("wire",)}, {"cost": "joint"}])
def test_the_code_makes_the_selected_plan(explorer, change):
    for name, value in change.items():
        getattr(explorer._panel, name).value = value
    expected = exact(uneven_line(N), OBSERVABLE)
    press(explorer, "code")  # shown from now on
    for mode, error in (("exact", 1e-9), ("sampled", 0.2)):
        explorer._panel.mode.value = mode
        assert explorer.wait(60)
        done = done_by(explorer._board.code, circuit=uneven_line(N), observables=OBSERVABLE)
        assert np.array_equal(done["plan"].labels, explorer.plan.labels)
        assert done["result"].data.evs == pytest.approx(expected, abs=error)


def test_the_code_binds_parameters_and_makes_the_default_observable(open_explorer):
    explorer = open_explorer(uneven_line(N, symbols=3), max_qubits=5)
    explorer._panel.mode.value = "exact"
    explorer._panel.values[1].value = 1.2
    press(explorer, "code")
    done = done_by(explorer._board.code, circuit=uneven_line(N, symbols=3))
    assert np.array_equal(done["plan"].labels, explorer.plan.labels)
    bound = uneven_line(N, symbols=3).assign_parameters([0.5, 1.2, 0.5])
    mean = SparsePauliOp.from_sparse_list([("Z", [k], 1 / N) for k in range(N)], N)
    assert done["result"].data.evs == pytest.approx(exact(bound, mean), abs=1e-9)


def test_the_plan_survives_a_file(seen, tmp_path):
    seen.save(tmp_path / "plan.json")
    assert np.array_equal(CutPlan.load(tmp_path / "plan.json").labels, seen.plan.labels)


def test_the_page_needs_no_network(seen, tmp_path):
    seen.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("plotly.js v") >= 1
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="https?:', page)
    for word in ("Tradeoff", "Numbers", "Cut explorer"):
        assert word in page


def test_other_files_are_refused(seen, tmp_path):
    with pytest.raises(QDreamerError, match=r"\.json and \.html"):
        seen.save(tmp_path / "plan.docx")


def test_saving_sends_files_to_the_browser(explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(explorer._board, "send", lambda *message: sent.append(message))
    for kind in ("json", "html", "png", "svg"):
        explorer._panel.format.value = kind
        press(explorer, "save")
    names = [message["name"] for message, *_ in sent]
    assert [name.rpartition(".")[2] for name in names] == ["json", "html", "png", "svg"]
    assert json.loads(sent[0][1][0])["format"] == "qdreamer-lab cut plan"


def test_a_saved_notebook_has_a_picture_a_table_and_text(seen):
    bundle = seen._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    html = bundle["text/html"]
    assert 'src="data:image/svg+xml;base64,' in html
    assert "Sampling overhead" in html
    assert "<script" not in html
    text = bundle["text/plain"]
    assert text == repr(seen)
    assert "Sampling overhead" in text


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
        done = done_by(code, circuit=brickwork(), observables=ENDS)
        assert np.array_equal(done["plan"].labels, one.plan.labels)
        assert np.array_equal(done["plan"].lone_labels, one.plan.lone_labels)
        assert done["plan"].summary == one.plan.summary


@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize(
    ("width", "more"),
    [
        (4, {"coupling_map": CouplingMap.from_line(4), "swap_price": 3.0}),
        (12, {"coupling_map": CouplingMap.from_line(12), "swap_price": 0.25}),
        ([7, 5], {}),
        (5, {"cost": "joint"}),
    ],
)
def test_the_code_makes_plans_for_devices_and_with_swaps(width, more, repeatable):
    circuit = brickwork()
    circuit.cz(0, 11)  # so that a line needs swaps
    plan = plan_cuts(circuit, width, observables=ENDS, rounds=1, **more)
    assert (plan.swaps is not None) == ("coupling_map" in more)
    assert (plan.devices is not None) == isinstance(width, list)
    options = SearchOptions(cost=plan.cost, rounds=1)
    way = Configuration(plan.max_qubits, "sampled")
    one = Candidate(way, plan, options=options, repeatable=repeatable)
    code = python_source(problem_of(circuit, ENDS), one, Controls(plan.max_qubits), workers=None)
    made = done_by(code.partition("estimator = ")[0], circuit=circuit, observables=ENDS)["plan"]
    for field in dataclasses.fields(Partition):
        if field.init and field.name != "blocks":
            assert np.array_equal(getattr(made, field.name), getattr(plan, field.name)), field.name
    assert made.log2_total == plan.log2_total


def test_a_notebook_keeps_the_last_state(explorer, monkeypatch):
    shown = {}

    class Handle:
        def update(self, bundle, raw):
            shown["static"] = bundle

    def display(bundle, raw, display_id=None):
        shown["static" if display_id else "live"] = bundle
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    explorer._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown["live"]
    assert "application/vnd.jupyter.widget-view+json" not in shown["static"]
    first = shown["static"]["text/html"]
    explorer._panel.width.value = 3
    assert explorer.wait(60)
    last = shown["static"]["text/html"]
    assert last != first
    assert "fragments of ≤ 3" in last
    assert 'src="data:image/svg+xml;base64,' in last
    assert shown["static"]["text/plain"] == repr(explorer)
    press(explorer, "run")
    wait_until(lambda: explorer.view.run.status == "done", 60)
    assert explorer.wait(60)
    assert "Measured time" in shown["static"]["text/html"]


def test_nothing_is_offered_to_a_cloud(seen, tmp_path):
    for name in FIGURES:
        layout = json.loads(getattr(seen._board, name))["layout"]
        assert "sendChartToCloud" in layout["modebar"]["remove"]
    seen.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count('"showSendToCloud": false') == len(FIGURES)
