"""Which of several devices gets a fragment, by waits, errors and prices."""

from types import SimpleNamespace

import pytest
from qiskit.providers.fake_provider import GenericBackendV2

from qdreamer_lab import CutEstimator, CutSampler, DeviceTerms, QDreamerError
from qdreamer_lab.workload.execution.device import Device
from qdreamer_lab.workload.sampled.device.choice import Choice, Outlook
from tests.workload.sampled.device.cut_devices import Elsewhere
from tests.workload.test_dry_run import chain, measured, sent
from tests.workload.test_several_devices import all_of, assert_right, device


def known(name, terms=None, waiting=None):
    backend = SimpleNamespace()
    if waiting is not None:
        backend.status = lambda: SimpleNamespace(pending_jobs=waiting)
    return Device(name, backend, terms=terms)


def names(found):
    return [each.name for each in found]


def test_where_time_decides_all_share_a_fragment_and_the_fastest_comes_first():
    slow, fast = known("slow"), known("fast")
    choice = Choice([slow, fast], "time")
    seen = {"slow": Outlook(1.0, 3e-3), "fast": Outlook(1.0, 1e-3)}
    assert names(choice.among(seen, 1000.0)) == ["fast", "slow"]
    assert names(choice.among({"slow": seen["slow"]}, 1000.0)) == ["slow"]
    assert choice.among({}, 1000.0) == ()


@pytest.mark.parametrize(
    ("busy", "free"),
    [
        (known("busy", DeviceTerms(queue_s=60.0)), known("free")),
        (known("busy", waiting=3), known("free", waiting=0)),
        # What the owner says counts more than a number of jobs whose length nobody knows.
        (known("busy", waiting=3), known("free", DeviceTerms(queue_s=1.0), waiting=1000)),
    ],
)
def test_whoever_waits_there_counts(busy, free):
    choice = Choice([busy, free], "time")
    seen = {"busy": Outlook(1.0, 1e-3), "free": Outlook(1.0, 2e-3)}
    assert names(choice.order(seen, 1000.0)) == ["busy", "free"]
    choice.ask_queues()
    assert names(choice.order(seen, 1000.0)) == ["free", "busy"]
    assert names(choice.order(seen, 1e6)) == ["busy", "free"]  # a long run is worth the wait


def test_prices_are_those_of_seconds_shots_and_jobs_together():
    by_second = known("by_second", DeviceTerms(price_per_second=1.0))
    by_shot = known("by_shot", DeviceTerms(price_per_shot=0.01))
    by_job = known("by_job", DeviceTerms(price_per_job=4.0))
    unknown = known("unknown")
    choice = Choice([unknown, by_second, by_shot, by_job], "cost")
    seen = dict.fromkeys(["by_second", "by_shot", "by_job", "unknown"], Outlook(1.0, 0.02))
    # 100 shots: 2, 1 and 8; 1000 shots: 20, 10 and 8.
    assert names(choice.order(seen, 100.0)) == ["by_shot", "by_second", "by_job", "unknown"]
    assert names(choice.order(seen, 1000.0)) == ["by_job", "by_shot", "by_second", "unknown"]


def test_devices_that_err_alike_share_the_work():
    choice = Choice([known("a"), known("b")], "fidelity")
    alike = {"a": Outlook(0.9, 1e-3), "b": Outlook(0.9, 1e-3)}
    assert names(choice.among(alike, 100.0)) == ["a", "b"]
    assert names(choice.among({**alike, "b": Outlook(0.904, 1e-3)}, 100.0)) == ["b", "a"]
    assert names(choice.among({**alike, "a": Outlook(0.91, 1e-3)}, 100.0)) == ["a"]
    assert names(choice.among({"b": alike["b"]}, 100.0)) == ["b"]


def test_devices_that_cost_the_same_share_the_work():
    terms = DeviceTerms(price_per_shot=0.01)
    choice = Choice([known("a", terms), known("b", terms), known("c")], "cost")
    seen = dict.fromkeys("abc", Outlook(1.0, 1e-3))
    assert names(choice.among(seen, 100.0)) == ["a", "b"]
    assert not choice.parts


def test_only_the_first_job_waits():
    busy, free = known("busy", DeviceTerms(queue_s=60.0)), known("free")
    choice = Choice([busy, free], "time")
    choice.ask_queues()
    assert [choice.wait_s(each) for each in (busy, free)] == [60.0, 0.0]
    choice.began(busy)
    assert choice.wait_s(busy) == 0.0


@pytest.mark.parametrize(
    ("terms", "complaint"),
    [
        ((None, None), r"prefer='cost' needs prices: give terms=\{'a': DeviceTerms"),
        ((DeviceTerms(queue_s=1.0), None), "needs prices"),
        (
            (DeviceTerms(price_per_job=1.0), DeviceTerms(price_per_job=1.0, currency="EUR")),
            "in EUR, USD: give all terms in one currency",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(terms, complaint):
    with pytest.raises(QDreamerError, match=complaint):
        Choice([known("a", terms[0]), known("b", terms[1])], "cost")


@pytest.mark.parametrize("sampler", [False, True])
def test_a_run_goes_to_the_cheapest_and_costs_what_was_foretold(sampler):
    dear, cheap = device("dear"), device("cheap")
    terms = {
        "dear": DeviceTerms(price_per_shot=0.02),
        "cheap": DeviceTerms(price_per_shot=0.01, price_per_job=1.0),
    }
    how = {"backend": [dear, cheap], "prefer": "cost", "terms": terms, "seed": 1}
    if sampler:
        cut, pubs = CutSampler(3, **how, default_shots=20_000), [measured()]
    else:
        cut, pubs = CutEstimator(3, **how, shots=20_000), [(chain(), ["Z" * 6, "XIIIII", "IIZZII"])]
    told = cut.dry_run(pubs)
    (result,) = cut.run(pubs).result()
    if not sampler:
        assert_right(result)
    assert all_of(result) == {"cheap"}
    assert dear.jobs == []
    _, jobs, shots = sent(cheap)
    (work,) = told.devices
    assert work.price == pytest.approx(0.01 * shots + jobs, rel=0.02)


def test_the_dearer_one_steps_in_when_the_cheapest_fails():
    dear, cheap = device("dear"), device("cheap", error=RuntimeError("closed"))
    terms = {"dear": DeviceTerms(price_per_shot=0.02), "cheap": DeviceTerms(price_per_shot=0.01)}
    cut = CutEstimator(3, backend=[dear, cheap], prefer="cost", terms=terms, shots=9000, seed=1)
    (result,) = cut.run([(chain(), ["Z" * 6, "XIIIII", "IIZZII"])]).result()
    assert_right(result)
    assert all_of(result) == {"dear"}


def test_a_queue_sends_everything_elsewhere():
    pair = [device("crowded"), device("free")]
    terms = {"crowded": DeviceTerms(queue_s=3600.0)}
    cut = CutEstimator(3, backend=pair, terms=terms, shots=9000, seed=1)
    (result,) = cut.run([(chain(), "Z" * 6)]).result()
    assert all_of(result) == {"free"}


def test_every_device_has_its_own_price_in_a_dry_run():
    pair = [device("one"), device("other")]
    terms = {"one": DeviceTerms(price_per_job=1.0), "other": DeviceTerms(price_per_job=10.0)}
    cut = CutEstimator(3, backend=pair, terms=terms, shots=200, seed=1)
    pubs = [(chain(), "Z" * 6)]
    each = {work.device: (work.jobs, work.price) for work in cut.dry_run(pubs).devices}
    assert each == {
        "one": (each["one"][0], each["one"][0] * 1.0),
        "other": (each["other"][0], each["other"][0] * 10.0),
    }
    other = cut.dry_run(pubs, terms=DeviceTerms(price_per_job=2.0)).devices
    assert {work.device: work.price for work in other} == {
        name: 2.0 * jobs for name, (jobs, _) in each.items()
    }


def test_devices_without_durations_are_taken_for_equally_fast():
    pair = [Elsewhere(), Elsewhere(GenericBackendV2(6, ["rz", "sx", "x", "cx"], seed=1).target)]
    pair[0].name, pair[1].name = "unknown", "known"
    cut = CutEstimator(3, backend=pair, shots=9000, seed=1)
    (result,) = cut.run([(chain(), "Z" * 6)]).result()
    assert all_of(result) == {"known", "unknown"}
