"""Whether to plan anew: the rule, what is left of a run, and the advice in words."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.resource.pilot import PilotState, PilotStatus
from qdreamer_lab import QDreamer
from qdreamer_lab.dreamer.advice import remaining_work as remaining
from qdreamer_lab.dreamer.advice.adviser import PlanAdviser
from qdreamer_lab.dreamer.advice.limits import Limits
from qdreamer_lab.dreamer.advice.remaining_work import GAIN_S, MOST_SWITCHES, PAYS, pays, rest
from qdreamer_lab.dreamer.advice.run_prediction import Ran, learn
from qdreamer_lab.dreamer.machine.profile import MachineProfile
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.predict.prediction import Account, Phase, Prediction
from qdreamer_lab.workload.execution.decisions import (
    Backlog,
    Course,
    PilotWorkers,
    Standing,
    Workers,
)
from tests.circuits.plain import layered, neighbours


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


class Pilots:
    """A session of pilots that run nothing: name, workers and their memory."""

    def __init__(self, **pilots):
        self.pilots = pilots

    def candidates(self, on=None):
        return [
            PilotStatus(name, "local://", PilotState.ACTIVE, up, up + 3, 0, 1, ("CPU",), memory)
            for name, (up, memory) in self.pilots.items()
            if on in (None, name)
        ]

    pilots_for = candidates


def advised(pilots, before, *, left_s, limits=None, max_qubits=6, switches=0, stranded=False):
    """The decision on a 12-qubit run that has so many seconds of one worker left."""
    dreamer = QDreamer(Pilots(**pilots), profile=MachineProfile.nominal())
    circuit, observable = layered(12, 1), neighbours(12)
    prediction = dreamer.predict(circuit, observable, max_qubits=max_qubits)
    prediction = replace(
        prediction,
        phases=tuple(
            replace(one, seconds=left_s) if one.name == "execute" else one
            for one in prediction.phases
        ),
    )
    now = standing(queued=((10, 1.0),), switches=switches, stranded=stranded)
    after = Workers(tuple(PilotWorkers(n, *both) for n, both in pilots.items()))
    adviser = PlanAdviser(dreamer.engine, circuit, observable, prediction, limits=limits)
    decision = adviser.changed(replace(now, before=before, after=after))
    return decision, adviser


def test_a_slow_plan_is_given_up():
    decision, adviser = advised({"a": (2, 2**33)}, workers(1), left_s=1e3)
    assert decision.replanned
    assert decision.course == Course(adviser.prediction.configuration.max_qubits, "exact", None)
    assert adviser.prediction.configuration.workers <= 2  # those that are up, not those wanted
    assert decision.anew_s < 1 < 100 < decision.continue_s
    assert decision.reason.startswith(
        "worker count went from 1 to 2 at 0.8 s: continuing takes about "
    )
    assert decision.reason.endswith(": planned anew")


def test_a_gain_that_is_not_clear_is_not_taken(monkeypatch):
    monkeypatch.setattr(remaining, "PAYS", 1e-9)
    decision, adviser = advised({"a": (2, 2**33)}, workers(1), left_s=1e3)
    assert not decision.replanned
    assert decision.anew_s is not None
    assert "the plan stays, for a new one must gain 20 % and 0.5 s" in decision.reason
    assert adviser.prediction.configuration.max_qubits == 6


def test_a_run_that_changed_its_plan_often_keeps_it():
    decision, _ = advised({"a": (2, 2**33)}, workers(1), left_s=1e3, switches=MOST_SWITCHES)
    assert not decision.replanned
    assert decision.reason.endswith(f"it was changed {MOST_SWITCHES} times already")


def test_a_run_that_is_nearly_over_is_let_be():
    decision, _ = advised({"a": (2, 2**33)}, workers(1), left_s=0.1)
    assert not decision.replanned
    assert decision.anew_s is None
    assert "is left, the plan stays" in decision.reason


def test_where_nothing_else_can_run_the_plan_stays():
    limits = Limits(max_seconds=1e-9)
    decision, _ = advised({"a": (1, 2**33)}, workers(2), left_s=1e3, limits=limits)
    assert not decision.replanned
    assert decision.reason.startswith("worker count went from 2 to 1")
    assert "nothing else can run: the plan stays" in decision.reason


def test_the_pilot_with_the_memory_is_chosen_by_name():
    pilots = {"small": (1, 2**14), "big": (1, 2**33)}
    decision, adviser = advised(pilots, workers(1, memory=2**14), left_s=1e3)
    assert decision.course.on == adviser.prediction.configuration.on == "big"
    assert " on big anew" in decision.reason


def test_a_run_that_cannot_go_on_takes_what_there_is():
    decision, _ = advised(
        *({"a": (1, 2**33)}, workers(1)), left_s=1e-3, switches=MOST_SWITCHES, stranded=True
    )
    assert decision.replanned
    assert decision.continue_s is None
    assert " is gone, " in decision.reason
    limits = Limits(max_seconds=1e-9)
    lost, _ = advised({"a": (1, 2**33)}, workers(1), left_s=1e3, limits=limits, stranded=True)
    assert not lost.replanned
    assert "nothing can run" in lost.reason


@pytest.mark.parametrize(
    ("decisions", "learned"), [((), "all"), ((False,), "here"), ((False, True), "all")]
)
def test_it_learns_what_a_run_with_other_workers_can_tell(decisions, learned):
    seen = []

    class Noting:
        def observe(self, result, prediction):
            seen.append({account.name for account in prediction.accounts})

    names = ("plan", "dispatch", "execute", "transfer", "contract")
    one = replace(prediction(), accounts=tuple(Account(name, np.ones(1)) for name in names))
    told = [SimpleNamespace(replanned=replanned) for replanned in decisions]
    result = SimpleNamespace(metadata={"decisions": told})
    assert learn(Noting(), Ran(result, one))
    assert seen == [set(names) if learned == "all" else {"plan", "contract"}]
