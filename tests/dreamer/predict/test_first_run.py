"""What a first run takes longer is counted, and what first runs took corrects it."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.dreamer.advice.run_prediction import Ran, learn, run_prediction
from qdreamer_lab.dreamer.predict.observe import first_run_s
from qdreamer_lab.dreamer.predict.prediction import Account
from qdreamer_lab.workload.execution import first_runs
from qdreamer_lab.workload.record import RunRecord
from tests.circuits.plain import ghz, neighbours
from tests.workload.execution.test_first_runs import Session


@pytest.fixture
def made(monkeypatch):
    """A prediction of a run of 100 ms, known to within 20 %."""
    monkeypatch.setattr(first_runs, "_here", {"here"})
    found = QDreamer(profile=MachineProfile.nominal()).predict(ghz(6), neighbours(6), max_qubits=4)
    return replace(found, makespan_s=0.1, interval=(0.1 / 1.2, 0.1 * 1.2))


def test_nothing_is_added_where_code_is_loaded(made):
    assert made.first_run_s == 0
    assert (made.now_s, made.now_interval) == (made.makespan_s, made.interval)
    assert not made.first_run_matters


def test_a_first_run_is_counted_with_its_doubt(made):
    first = replace(made, first_run_s=0.05)
    assert first.now_s == pytest.approx(0.15)
    low, high = first.now_interval
    assert math.sqrt(low * high) == pytest.approx(0.15)
    # Independent doubts in seconds: 20 % of 0.1 s, and a factor of about 2 in 0.05 s.
    assert 0.15 / low > 1.2
    assert 0.02 < high - 0.15 < 0.1
    assert first.first_run_matters
    assert not replace(made, first_run_s=0.01).first_run_matters


def test_first_runs_correct_what_is_believed_of_them(made):
    first = replace(made, first_run_s=0.15)
    assert first_run_s(first, 0.25) == pytest.approx(0.15)
    assert first_run_s(first, 0.4) > 0.15 > first_run_s(first, 0.2)
    for makespan_s in (0.01, 100.0):
        assert 0.15 / 4 <= first_run_s(first, makespan_s) <= 0.15 * 4
    for _ in range(12):
        first = replace(first, first_run_s=first_run_s(first, 0.13))
    assert first.first_run_s == pytest.approx(0.03, rel=0.3)


def test_a_long_run_teaches_little_about_it(made):
    long = replace(made, makespan_s=10.0, interval=(10 / 1.2, 10 * 1.2), first_run_s=0.05)
    assert first_run_s(long, 11.0) == pytest.approx(0.05, rel=0.2)


def test_one_that_was_thought_to_be_short_is_corrected_too(made):
    first = replace(made, makespan_s=0.03, interval=(0.03 / 1.3, 0.03 * 1.3), first_run_s=0.004)
    assert not first.first_run_matters
    for _ in range(6):
        first = replace(first, first_run_s=first_run_s(first, 0.06))
    assert first.first_run_s == pytest.approx(0.03, rel=0.3)


class Learning:
    """What `learn` tells an engine."""

    def __init__(self, session):
        self.session, self.accounts, self.first = session, set(), None

    def observe(self, result, prediction):
        self.accounts = {account.name for account in prediction.accounts}

    def observe_first_run(self, prediction, makespan_s):
        self.first = (prediction.first_run_s, makespan_s)


@pytest.mark.parametrize(
    ("first_s", "elsewhere", "all_phases", "taught"),
    [
        (0.0, True, True, False),
        (0.01, True, True, True),
        (0.05, True, False, True),
        (0.05, False, False, False),
    ],
)
def test_a_first_run_teaches_what_it_can_tell(made, first_s, elsewhere, all_phases, taught):
    names = ("plan", "dispatch", "execute", "transfer", "contract")
    accounts = tuple(Account(name, np.ones(1)) for name in names)
    one = replace(made, first_run_s=first_s, accounts=accounts)
    result = SimpleNamespace(metadata=RunRecord(makespan_s=0.2).as_metadata(), data=None)
    engine = Learning(object() if elsewhere else None)
    assert learn(engine, Ran(result, one))
    assert engine.accounts == (set(names) if all_phases else {"plan", "contract"})
    assert engine.first == ((first_s, 0.2) if taught else None)


def test_only_the_first_of_two_runs_is_taken_for_one():
    with ThreadPoolExecutor(2) as pool:
        session = Session(pool, ["a"])
        profile = replace(MachineProfile.nominal(), warm_up_s=0.4)
        dreamer = QDreamer(session, profile=profile)
        found = dreamer.predict(ghz(6), neighbours(6), max_qubits=4)
        assert found.first_run_s == 0.4
        pub = (ghz(6), neighbours(6))
        ran = [run_prediction(found, pub, session=session, workers=2) for _ in range(2)]
        assert [each.prediction.first_run_s for each in ran] == [0.4, 0.0]
        assert dreamer.predict(ghz(6), neighbours(6), max_qubits=4).first_run_s == 0


def test_the_engine_predicts_with_what_it_learned():
    with ThreadPoolExecutor(2) as pool:
        session = Session(pool, ["a", "b"])
        profile = replace(MachineProfile.nominal(), warm_up_s=0.4)
        engine = QDreamer(session, profile=profile).engine
        found = QDreamer(session, profile=profile).predict(ghz(6), neighbours(6), max_qubits=4)
        engine.observe_first_run(found, found.makespan_s + 0.1)
        assert 0.1 < engine.place(None).first_run_s < 0.4
        assert engine.place(None).here().first_run_s in (0.0, 0.4)  # that is another matter


def test_calibration_measures_it_only_before_the_first_run(monkeypatch):
    monkeypatch.setattr(first_runs, "_here", {"here"})
    assert MachineProfile.measure(budget_s=0.2, warm_up_s=0.123).warm_up_s == 0.123
    monkeypatch.setattr(first_runs, "_here", set())
    assert 0 < MachineProfile.measure(budget_s=0.5, warm_up_s=123.0).warm_up_s < 100
