"""All places of the explorer tell of one plan, whatever was moved or clicked before."""

import json
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qdreamer_lab.widgets.changes import advised, moved
from qdreamer_lab.widgets.cost_table import sentence
from tests.circuits.plain import brickwork, uneven_line
from tests.conftest import wait_until
from tests.widgets.conftest import ENDS, OBSERVABLE, N, hear, press


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


def test_a_plan_of_some_of_the_blocks_says_so(open_explorer):
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
        assert ("blocks: the others affect no observable" in sentence(one, 12)) == (one in parts)
        assert (one.partial or one.given) == (one in parts or one.given)


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
    hear(explorer, {"click": index, "serial": serial})
    assert explorer.view.selected.sameness == points[index].sameness
    was = explorer.view.selected
    hear(explorer, {"click": 0, "serial": 10**6})
    assert explorer.view.selected is was


@pytest.mark.parametrize(
    ("control", "there"), [("cost", "joint"), ("values", 1.5), ("precision", 0.1)]
)
def test_the_same_cuts_under_other_controls_stand_beside_each_other(open_explorer, control, there):
    explorer = open_explorer(uneven_line(N, symbols=1), OBSERVABLE, max_qubits=5)
    explorer._panel.mode.value = "sampled"
    assert explorer.wait(60)
    press(explorer, "compare")
    pin = explorer.view.pinned[0]
    widget = getattr(explorer._panel, control)
    (widget[0] if control == "values" else widget).value = there
    assert explorer.wait(60)
    assert explorer.view.pinned == (pin,)
    assert explorer.view.selected.sameness != pin.sameness
    assert "Pinned: " in explorer._board.numbers


def test_a_click_may_name_a_later_message_without_points(explorer):
    explorer._panel.mode.value = "exact"
    assert explorer.wait(60)
    before = explorer._board.stamp["serial"]
    explorer._heard({"graph": not explorer.view.graph})  # another figure alone is drawn anew
    assert explorer.wait(60)
    serial = explorer._board.stamp["serial"]
    assert serial > before
    points = explorer.view.shown
    index = next(k for k, one in enumerate(points) if one is not explorer.view.selected)
    hear(explorer, {"click": index, "serial": serial})
    assert explorer.view.selected.sameness == points[index].sameness
