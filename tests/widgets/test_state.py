"""How the explorer's state changes: nothing is planned here, candidates are made up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.predict.prediction import Prediction
from qdreamer_lab.errors import PlanError, QDreamerError
from qdreamer_lab.widgets.changes import advised, answered, clicked, moved, pinned
from qdreamer_lab.widgets.state import Candidate, Controls, View
from qdreamer_lab.workload.plan.find import plan_cuts
from tests.circuits.plain import rzz_line

N = 8


PLANS = {width: plan_cuts(rzz_line(N, 0.1, 0.1), width) for width in range(2, N + 1)}


def candidate(width, seconds=1.0, mode="exact", given=True):
    way = Configuration(width, mode)
    made = None
    if seconds is not None:
        made = Prediction(
            way,
            seconds,
            (seconds / 2, 2 * seconds),
            (),
            1,
            0,
            0.0,
            0.0,
            PLANS[width],
            1,
            1,
            (),
            N,
            1,
            (),
        )
    return Candidate(way, PLANS[width], made, "" if made else "too much", given=given)


def view(width=4, **more):
    return View(Controls(width), fresh=False, **more)


def test_the_selection_follows_the_width():
    shown = answered(view(4), [candidate(4), candidate(6, 0.1)], working=False)
    assert shown.selected.configuration.max_qubits == 4
    assert shown.recommended.configuration.max_qubits == 6
    shown = answered(moved(shown, width=6), [], working=False)
    assert shown.selected.configuration.max_qubits == 6


def test_what_is_recommended_is_selected_as_long_as_nobody_touched_anything():
    fresh = View(Controls(4))
    early = answered(fresh, [candidate(4), candidate(6, 0.1)], working=True)
    assert early.selected.configuration.max_qubits == 4
    late = answered(early, [candidate(5, 0.01)], working=False)
    assert late.selected.configuration.max_qubits == late.controls.width == 5
    touched = answered(moved(fresh, width=3), [candidate(3), candidate(5, 0.01)], working=False)
    assert touched.selected.configuration.max_qubits == 3


def test_a_click_selects_and_moves_the_width():
    shown = answered(view(4), [candidate(4), candidate(6), candidate(7)], working=False)
    index = next(k for k, one in enumerate(shown.shown) if one.configuration.max_qubits == 7)
    shown = clicked(shown, index)
    assert shown.controls.width == 7
    better = candidate(7, 0.5)
    again = answered(shown, [better], working=False)
    assert again.selected is better


def test_what_was_clicked_stays_when_others_know_of_a_run_that_it_does_not():
    """Prices that a run was learned from may come while another search still goes on."""
    shown = answered(view(4), [candidate(4), candidate(6), candidate(7, 0.1)], working=True)
    shown = advised(shown)
    ran = shown.selected
    assert ran.configuration.max_qubits == 7
    later = replace(candidate(7, 0.3, given=False), era=1)
    other = replace(candidate(6, 0.2), era=1)
    shown = answered(shown, [other], working=True)
    assert shown.selected is ran
    assert shown.recommended is other  # the old price is held against no new one
    assert {one.configuration.max_qubits for one in shown.candidates} == {6, 7}
    shown = answered(pinned(shown), [later], working=False)
    assert shown.selected.sameness == ran.sameness
    again = replace(candidate(7, 0.15), era=1)
    assert answered(shown, [again], working=False).selected is again


@pytest.mark.parametrize("index", [-1, 2, 10**9])
def test_a_click_on_nothing_changes_nothing(index):
    shown = answered(view(4), [candidate(4), candidate(6)], working=False)
    assert clicked(shown, index) is shown


def test_candidates_of_other_controls_are_dropped():
    shown = answered(view(4), [candidate(4)], working=False)
    assert moved(shown, width=5).candidates
    for change in ({"cost": "joint"}, {"mode": "sampled"}, {"precision": 0.5}, {"workers": 3}):
        assert moved(shown, **change).candidates == ()


def test_a_control_that_is_where_it_was_changes_nothing():
    shown = answered(view(4), [candidate(4)], working=False)
    assert moved(shown, width=4) is shown


def test_pins_come_and_go_and_the_oldest_makes_room():
    shown = answered(view(2), [candidate(w, 1.0 + w) for w in range(2, 8)], working=False)
    for width in (2, 3, 4, 5):
        shown = pinned(answered(moved(shown, width=width), [candidate(width)], working=False))
    assert [one.configuration.max_qubits for one in shown.pinned] == [3, 4, 5]
    assert [one.configuration.max_qubits for one in pinned(shown).pinned] == [3, 4]


def test_pinning_nothing_changes_nothing():
    empty = view()
    assert pinned(empty) is empty


def test_ways_that_cannot_run_are_no_recommendation_and_no_point():
    shown = answered(view(4), [candidate(4, None)], working=False)
    assert shown.recommended is None
    assert shown.selected.refused == "too much"
    assert advised(shown).selected is shown.selected
    assert shown.axes == "plans"
    assert len(shown.shown) == 1
    mixed = answered(shown, [candidate(6)], working=False)
    assert [one.configuration.max_qubits for one in mixed.shown] == [6]


def test_of_equal_overhead_only_the_fastest_and_the_selected_are_points():
    slow, fast = candidate(N, 3.0), candidate(N, 1.0, given=False)
    shown = answered(view(4), [candidate(4), slow, fast], working=False)
    assert len(shown.candidates) == 2
    assert min(one.seconds for one in shown.candidates) == 1.0


def test_a_faster_way_of_equal_overhead_is_not_hidden_by_that_of_another_width():
    whole = candidate(N, 3.0)
    fewer = plan_cuts(rzz_line(N - 1, 0.1, 0.1), N)  # blocks, and nothing is cut either
    fast = replace(candidate(N - 1, 1.0, given=False), plan=fewer)
    for width in (4, N):
        shown = answered(view(width), [candidate(4), whole, fast], working=False)
        assert shown.uncut.seconds == 1.0


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"width": 0}, PlanError, "max_qubits"),
        ({"width": 2.5}, PlanError, "integer"),
        ({"kinds": ()}, PlanError, "kinds"),
        ({"kinds": ("knife",)}, PlanError, "kinds"),
        ({"cost": "free"}, PlanError, "cost"),
        ({"mode": "psychic"}, QDreamerError, "mode"),
        ({"precision": 0.0}, QDreamerError, "precision"),
        ({"precision": float("nan")}, QDreamerError, "precision"),
        ({"workers": 0}, QDreamerError, "workers"),
        ({"time_limit_s": -1.0}, PlanError, "time_limit_s"),
    ],
)
def test_nonsense_is_refused(wrong, error, words):
    with pytest.raises(error, match=words):
        moved(view(), **wrong)


CHANGES = st.one_of(
    st.builds(lambda w: ("move", w), st.integers(2, N)),
    st.builds(lambda k: ("click", k), st.integers(0, 12)),
    st.builds(
        lambda w, s, m: ("answer", candidate(w, s, m)),
        st.integers(2, N),
        st.one_of(st.none(), st.floats(1e-3, 1e3)),
        st.sampled_from(["exact", "sampled"]),
    ),
    st.just(("pin", None)),
    st.just(("advise", None)),
)


@given(st.lists(CHANGES, max_size=40))
def test_whatever_happens_the_state_stays_consistent(changes):
    now = View(Controls(4))
    for what, with_ in changes:
        if what == "move":
            now = moved(now, width=with_)
        elif what == "click":
            now = clicked(now, with_)
        elif what == "answer":
            now = answered(now, [with_], working=False)
        else:
            now = pinned(now) if what == "pin" else advised(now)
        keys = [one.key for one in now.candidates]
        assert len(keys) == len(set(keys))
        assert len({one.sameness for one in now.candidates}) == len(now.candidates)
        assert len(now.pinned) <= 3
        if now.fixed is not None:
            assert now.selected.configuration.max_qubits == now.controls.width
        if now.recommended is not None:
            assert now.recommended.seconds <= min(one.seconds for one in now.candidates)
