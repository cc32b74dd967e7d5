"""What is kept of a plan that was given up, and how it is joined with what comes after."""

import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.primitives import StatevectorEstimator

from qdreamer_lab import CutEstimator
from qdreamer_lab.workload.execution import dispatch, watch
from qdreamer_lab.workload.execution.decisions import Course, Decision, PlanDropped
from qdreamer_lab.workload.execution.pace import Pace
from qdreamer_lab.workload.replan import Known
from tests.circuits.plain import swept_ansatz


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Changes of workers count at once, and tasks are small."""
    monkeypatch.setattr(watch, "_SETTLE_S", 0.0)
    monkeypatch.setattr(dispatch, "Pace", lambda: Pace(target_s=0.001))


class Growing:
    """A session of threads that says it has a worker more as soon as a run is far enough."""

    def __init__(self, pool, enough):
        self.pool, self.enough = pool, enough
        self.grown = False

    def report(self, report):
        self.grown = self.grown or self.enough(report)

    def candidates(self, on=None):
        up = 1 + self.grown
        return [SimpleNamespace(name="p", wanted=up, workers=up, memory_per_worker_bytes=2**33)]

    pilots_for = candidates

    def submit(self, fn, /, *args, name, on=None):
        return self.pool.submit(fn, *args)


class Switch:
    """Advises to go on with another width."""

    def __init__(self, max_qubits, mode="exact"):
        self.course = Course(max_qubits, mode, None)
        self.asked = []

    def changed(self, standing):
        self.asked.append(standing)
        return Decision(standing.at_s, 1, 2, "told to", 2.0, 1.0, self.course)


def sweep(num_qubits=6, points=200):
    circuit, values = swept_ansatz(num_qubits, points)
    return circuit, [["Z" * num_qubits], ["I" * (num_qubits - 1) + "X"]], values


def half_over(report):
    return report.done > 0.5 * report.total


def first_round_is_over(report):
    return report.evs is not None


def run(pub, adviser, enough, **options):
    with ThreadPoolExecutor(1) as pool:
        session = Growing(pool, enough)
        estimator = CutEstimator(
            *(3,), session=session, adviser=adviser, progress=session.report, **options
        )
        return estimator.run([pub], precision=options.get("default_precision")).result()[0]


def exact(pub):
    return StatevectorEstimator().run([pub]).result()[0].data.evs


def test_exact_values_of_bindings_that_are_done_are_kept():
    adviser = Switch(4)
    result = run(sweep(), adviser, half_over, mode="exact")
    assert result.data.evs == pytest.approx(exact(sweep()), abs=1e-12)
    (asked,) = adviser.asked
    assert 0 < asked.bindings_done < 200
    told = result.metadata
    assert told["plan"].max_qubits == 4
    assert told["decisions"][0].replanned
    assert told["decisions"][0].dropped_s > 0
    whole = CutEstimator(4, mode="exact").run([sweep()]).result()[0].metadata["variants"]
    assert told["variants"] * 200 == whole * (200 - asked.bindings_done)
    assert 0 < told["dropped_s"] < told["makespan_s"]


def test_rounds_of_shots_that_are_done_count_with_those_of_the_new_plan():
    pub = sweep(points=2)
    adviser = Switch(4, "sampled")
    result = run(pub, adviser, first_round_is_over, mode="sampled", default_precision=0.01, seed=4)
    assert [one.replanned for one in result.metadata["decisions"]] == [True]
    assert "given up" in result.metadata["notes"][-1]
    assert 0.003 < result.data.stds.max() <= 0.01 * 1.05
    assert np.abs(result.data.evs - exact(pub)).max() < 5 * 0.01
    assert result.metadata["plan"].max_qubits == 4


def test_a_sampled_run_may_go_on_exactly():
    pub = sweep(points=2)
    result = run(
        pub, Switch(4, "exact"), lambda report: True, mode="sampled", default_precision=0.01, seed=4
    )
    assert result.metadata["mode"] == "exact"
    assert result.data.evs == pytest.approx(exact(pub), abs=1e-12)
    assert not result.data.stds.any()


@given(
    st.lists(st.floats(1e-9, 10.0), min_size=1, max_size=5),
    st.floats(1e-4, 1.0),
    st.floats(0, 1),
)
def test_both_together_reach_the_precision(stds, wanted, better):
    known = Known(np.zeros(len(stds)), np.array(stds), np.zeros(len(stds), bool))
    aim = known.precision(wanted)
    assert wanted <= aim <= wanted * math.sqrt(2) * (1 + 1e-9)
    new = np.full(len(stds), aim * (1 - 0.5 * better))
    _, errors = known.with_new(np.ones(len(stds)), new, np.zeros(len(stds), bool), aim)
    assert errors.max() <= wanted * (1 + 1e-6)


def test_the_error_of_both_together_is_what_it_says():
    rng = np.random.default_rng(2)
    spread, aim = 0.2, 0.1
    known = Known(rng.normal(0.3, spread, 4000), np.full(4000, spread), np.zeros(4000, bool))
    evs, errors = known.with_new(
        rng.normal(0.3, aim, 4000), np.full(4000, aim), np.zeros(4000, bool), aim
    )
    assert evs.std() == pytest.approx(errors[0], rel=0.05)
    assert evs.mean() == pytest.approx(0.3, abs=5 * errors[0] / math.sqrt(4000))
    assert errors[0] == pytest.approx((spread**-2 + aim**-2) ** -0.5)


def test_what_is_final_stays_and_what_is_missing_is_not_made_up():
    known = Known.nothing(3)
    dropped = PlanDropped(Decision(0.0, 1, 2, ""))
    assert not known.after(dropped, 0.1).complete.any()
    nan = np.nan
    dropped.keep(np.array([nan, 0.5, nan]), np.array([nan, 0.0, nan]), np.array([0, 1, 0], bool))
    after = known.after(dropped, 0.1)
    assert after.complete.tolist() == [False, True, False]
    assert not after.estimate
    evs, stds = after.with_new(np.array([1.0, 2.0]), np.zeros(2), np.ones(2, bool), 0.1)
    assert evs.tolist() == [1.0, 0.5, 2.0]
    assert stds.tolist() == [0.0, 0.0, 0.0]


def test_an_estimate_survives_a_plan_that_gave_nothing():
    known = Known(np.array([0.5, 0.6]), np.array([0.1, 0.1]), np.zeros(2, bool))
    dropped = PlanDropped(Decision(0.0, 1, 2, ""))
    dropped.keep(np.array([0.9, np.nan]), np.array([0.0, np.nan]), np.array([True, False]))
    after = known.after(dropped, 0.1)
    assert after.evs.tolist() == [0.9, 0.6]
    assert after.stds.tolist() == [0.0, 0.1]
    assert after.estimate
