"""Recommendations, and learning from the runs that follow them."""

import dataclasses
import math
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from qdreamer_lab import CutEstimator, Limits, MachineProfile, QDreamer
from qdreamer_lab.dreamer.advice.ranking import as_good, ranked
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.memory import readable
from tests.circuits.plain import ghz, layered, neighbours, tilted_ghz

pytestmark = pytest.mark.usefixtures("steady_planning")  # predictions are compared


@pytest.fixture
def dreamer():
    return QDreamer(profile=MachineProfile.nominal())


def test_what_cannot_run_uncut_is_cut_and_the_reasons_name_the_numbers(dreamer):
    found = dreamer.recommend(layered(36), neighbours(36), methods=["statevector"])
    best = found.best
    assert best.cut
    assert best.configuration.mode == "exact"
    words = found.explain()
    assert "36-qubit" in words
    assert f"≤ {best.configuration.max_qubits}" in words
    assert seconds_text(best.makespan_s) in words
    assert readable(best.memory_bytes) in words
    assert "Uncut it cannot run" in words
    assert found.predictions == ranked(found.predictions, exact_first=True)
    for text in (str(found), found._repr_html_()):
        assert all(one.title in text for one in found.predictions)


def test_what_is_small_is_not_cut_if_that_takes_longer(dreamer):
    found = dreamer.recommend(layered(6), neighbours(6))
    whole = [one for one in found.predictions if not one.cut]
    assert whole
    least = min(one.makespan_s for one in found.predictions if one.configuration.mode == "exact")
    assert as_good(found.best.makespan_s, least)


def test_a_cut_that_gains_a_moment_is_not_worth_it(dreamer):
    found = dreamer.recommend(layered(6), neighbours(6))
    whole = next(way for way in found.predictions if not way.cut)
    cut = next(way for way in found.predictions if way.cut and way.configuration.exact)
    for gain_s, first in ((0.001, whole), (0.004, cut)):
        slow = dataclasses.replace(whole, makespan_s=cut.makespan_s + gain_s)
        assert ranked([cut, slow], exact_first=True)[0].cut == first.cut


def test_run_does_it_and_learns(dreamer):
    found = dreamer.recommend(ghz(12), neighbours(12))
    result = found.run()
    assert result.data.evs == pytest.approx(11.0)
    assert dreamer.profile().belief.observations > 0


def test_another_way_can_be_run_and_shots_be_repeated(dreamer):
    found = dreamer.recommend(ghz(6), neighbours(6), precision=0.1)
    sampled = next(one for one in found.predictions if not one.configuration.exact)
    first, second = (found.run(sampled, seed=3) for _ in range(2))
    assert first.record.mode == "sampled"
    assert np.array_equal(first.data.evs, second.data.evs)


def test_a_run_that_is_given_up_ends_at_once(dreamer, monkeypatch):
    found = dreamer.recommend(ghz(6), neighbours(6))
    monkeypatch.setattr("qdreamer_lab.workload.job.CutJob.wait", lambda *_: False)
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        found.run(stop=stop)
    assert dreamer.profile().belief.observations == 0


def test_what_cannot_be_learned_from_is_no_error(dreamer, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(dreamer.engine, "keep", full)
    found = dreamer.recommend(ghz(6), neighbours(6))
    assert found.run().data.evs == pytest.approx(5.0)


def test_limits_are_kept(dreamer):
    circuit, observables = layered(16), neighbours(16)
    found = dreamer.recommend(circuit, observables, limits=Limits(max_qubits=8))
    assert all(f.width <= 8 for one in found.predictions for f in one.plan.fragments)
    found = dreamer.recommend(circuit, observables, limits=Limits(max_memory_bytes=900_000))
    assert all(one.memory_bytes <= 900_000 for one in found.predictions)
    assert any("needs" in one.reason for one in found.refused)
    found = dreamer.recommend(circuit, observables, limits=Limits(max_shots=1), precision=0.1)
    assert all(one.configuration.mode == "exact" for one in found.predictions)


@pytest.mark.parametrize("limits", [Limits(max_seconds=1e-6), Limits(max_memory_bytes=10)])
def test_limits_that_nothing_keeps_name_the_nearest(dreamer, limits):
    with pytest.raises(
        QDreamerError, match=r"the closest is (in fragments|uncut).* (takes|needs) .*factor of"
    ):
        dreamer.recommend(layered(10), neighbours(10), limits=limits)


@pytest.mark.parametrize(
    "name", ["max_seconds", "max_shots", "max_memory_bytes", "max_qubits", "max_cost"]
)
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "1", True])
def test_impossible_limits_are_refused(name, value):
    with pytest.raises(QDreamerError, match=name):
        Limits(**{name: value})


def run(circuit, observables, width):
    return CutEstimator(width, mode="exact").run([(circuit, observables)]).result()[0]


def test_wrong_coefficients_are_put_right_by_twenty_runs():
    start = MachineProfile.nominal()
    honest = QDreamer(profile=start)
    wrong = QDreamer(
        profile=dataclasses.replace(
            start, belief=dataclasses.replace(start.belief, values=3 * start.belief.values)
        )
    )
    cases = [
        (tilted_ghz(n), neighbours(n), width) for n in (8, 10, 12, 14) for width in (n, n // 2)
    ]

    def seconds(dreamer, case):
        one = dreamer.predict(case[0], case[1], max_qubits=case[2])
        return sum(one.phase(name).seconds for name in ("execute", "contract"))

    def told(case):
        """A result as a machine gives it for which the nominal profile is right."""
        result = run(*case)
        one = honest.predict(case[0], case[1], max_qubits=case[2])
        parts = {name: one.phase(name).seconds for name in ("execute", "contract")}
        result.metadata.update(
            plan_s=one.phase("plan").seconds,
            execute_s=parts["execute"],
            contract_s=parts["contract"],
            makespan_s=1.0,
            fragments=(
                dataclasses.replace(result.metadata["fragments"][0], seconds=parts["execute"]),
            ),
        )
        return result

    before = [abs(math.log(seconds(wrong, one) / seconds(honest, one))) for one in cases]
    assert np.median(before) > 1
    for k in range(20):
        case = cases[k % len(cases)]
        wrong.predict(case[0], case[1], max_qubits=case[2])
        wrong.observe(told(case))
    after = [abs(math.log(seconds(wrong, one) / seconds(honest, one))) for one in cases]
    assert np.median(after) < 0.12


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("makespan_s", 0.0), ("makespan_s", math.nan), ("execute_s", -1.0), ("execute_s", math.inf)],
)
def test_impossible_observations_are_refused(dreamer, name, seconds):
    circuit, observables = ghz(8), neighbours(8)
    prediction = dreamer.predict(circuit, observables, max_qubits=4)
    result = run(circuit, observables, 4)
    result.metadata[name] = seconds
    with pytest.raises(QDreamerError, match="impossible"):
        dreamer.observe(result, prediction)
    assert dreamer.profile().belief.observations == 0


def test_a_run_that_nobody_predicted_is_refused(dreamer):
    result = run(ghz(8), neighbours(8), 4)
    with pytest.raises(QDreamerError, match="nothing was predicted"):
        dreamer.observe(result)
    with pytest.raises(QDreamerError, match="PubResult"):
        dreamer.observe(object())


class Pilotless:
    """A session without pilots, which asking for candidates would change."""

    def pilot_statuses(self):
        return []

    def candidates(self, on=None):
        raise AssertionError("a pilot would be added")


def test_without_a_pilot_it_says_so():
    found = QDreamer(Pilotless(), profile=MachineProfile.nominal()).predict(ghz(6), "Z" * 6)
    assert any("no pilot" in note for note in found.notes)


def test_a_profile_of_another_machine_says_so():
    other = dataclasses.replace(MachineProfile.nominal(), machine="elsewhere", source="measured")
    notes = QDreamer(profile=other).place(None).notes
    assert any("another machine, elsewhere" in note for note in notes)
