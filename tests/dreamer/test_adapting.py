"""Whether to plan anew: the rule, and what is left of a run, as tables and properties."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.adapting import GAIN_S, MOST_SWITCHES, PAYS, pays, rest
from qdreamer_lab.dreamer.configuration import Configuration
from qdreamer_lab.dreamer.prediction import Account, Phase, Prediction
from qdreamer_lab.workload.decisions import Backlog, PilotWorkers, Standing, Workers


def workers(*counts, memory=2**30):
    return Workers(tuple(PilotWorkers(f"p{k}", n, memory) for k, n in enumerate(counts)))


def prediction(execute_s=10.0, contract_s=0.0, shots=0):
    phases = (Phase("execute", execute_s, 0), Phase("contract", contract_s, 0))
    total = execute_s + contract_s
    accounts = (Account("execute", np.zeros(1), 1.0),)
    way = Configuration(6, "sampled" if shots else "exact")
    return Prediction(
        *(way, total, (total, total), phases, 0, shots, 0.0, 0.0, None, 1, 1, (), 12, 1, accounts)
    )


def standing(before=1, after=2, queued=(), flying=(), **keys):
    known = {"mode": "exact", **keys}
    return Standing(
        0.8, workers(before), workers(after), None, backlog=Backlog(queued, flying), **known
    )


@pytest.mark.parametrize(
    ("continue_s", "anew_s", "switches", "expected"),
    [
        (3.1, 2.2, 0, True),
        (3.1, 2.6, 0, False),  # less than 20 %
        (0.9, 0.5, 0, False),  # less than half a second
        (1.0, 0.4, 0, True),
        (100.0, 1.0, MOST_SWITCHES - 1, True),
        (100.0, 1.0, MOST_SWITCHES, False),
        (0.0, 0.0, 0, False),
    ],
)
def test_a_new_plan_must_gain_a_fifth_and_half_a_second(continue_s, anew_s, switches, expected):
    assert pays(continue_s, anew_s, switches) is expected


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 5))
def test_there_is_no_way_back_to_what_was_just_given_up(one_s, two_s, switches):
    assert not (pays(one_s, two_s, switches) and pays(two_s, one_s, switches + 1))
    if pays(one_s, two_s, switches):
        assert two_s <= PAYS * one_s
        assert one_s - two_s > GAIN_S


def test_without_measurements_the_model_counts():
    left = rest(standing(queued=((10, 5.0),), flying=()), prediction(10.0), 1.0)
    assert left.seconds == pytest.approx(5.0)  # 10 s of one worker on two
    assert left.slower == 1.0
    assert left.stopping_s == 0.0


def test_the_run_s_own_pace_counts_and_says_how_wrong_the_model_was():
    now = standing(queued=((30, 1.0),), done_work=10.0, done_s=20.0)  # 2 s each, 0.25 predicted
    left = rest(now, prediction(10.0, contract_s=1.5), 1.0)
    assert left.seconds == pytest.approx(30.0 + 1.5)
    assert left.slower == 4.0  # 8, as far as that is believed


def test_a_running_task_has_what_is_left_of_it_and_more_if_it_is_late():
    alone = standing(before=2, after=1, flying=((1.0, 4.0), (1.0, 0.0)))
    assert rest(alone, prediction(20.0), 1.0).seconds == pytest.approx(6.0 + 10.0)
    late = standing(before=2, after=1, flying=((2.0, 50.0),))
    assert rest(late, prediction(20.0), 1.0).seconds == pytest.approx(5.0)
    assert rest(late, prediction(20.0), 1.0).stopping_s == 1.5


def test_neighbours_slow_each_other_down():
    more = standing(before=1, after=2, queued=((2, 1.0),), done_work=1.0, done_s=3.0)
    assert rest(more, prediction(), 1.4).seconds == pytest.approx(3.0 * 1.4)
    fewer = standing(before=2, after=1, queued=((2, 1.0),), done_work=1.0, done_s=2.8)
    assert rest(fewer, prediction(), 1.4).seconds == pytest.approx(2 * 2.8 / 1.4)


def test_rounds_that_are_still_to_come_count_by_their_shots():
    now = standing(
        *(1, 1, ((4, 1.0),), ()), mode="sampled", done_work=4.0, done_s=8.0, shots_asked=100
    )
    left = rest(now, prediction(80.0, shots=500), 1.0)
    assert left.seconds == pytest.approx(2.0 * (4 + 32), rel=0.1)  # 8 of work per 100 shots
    enough = rest(replace(now, shots_asked=800), prediction(80.0, shots=500), 1.0)
    assert enough.seconds == pytest.approx(8.0)


tasks = st.lists(st.tuples(st.floats(1.0, 1e3), st.floats(0, 100.0)), max_size=6).map(tuple)
heaps = st.lists(st.tuples(st.integers(1, 30), st.floats(1.0, 1e3)), max_size=4).map(tuple)


@given(heaps, tasks, st.floats(0, 1e3), st.floats(0.1, 100), st.integers(1, 6))
def test_more_workers_never_make_what_is_left_much_longer(queued, flying, later, done_s, many):
    def left(count):
        now = standing(*(1, count, queued, flying), later=later, done_work=100.0, done_s=done_s)
        return rest(now, prediction(), 1.0)

    few, more = left(1), left(many)
    pace = done_s / 100.0
    least = (later + sum(n * w for n, w in queued)) * pace / many
    assert least <= more.seconds * (1 + 1e-9)
    # Graham: a list schedule is less than twice the best, which is at most that of one worker.
    assert more.seconds <= 2 * few.seconds * (1 + 1e-9)
    assert 0 <= more.stopping_s <= 1.5
