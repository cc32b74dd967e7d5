"""Which starts of a pilot come and go, without starting anything."""

import dataclasses
from pathlib import Path

import pytest

from pilot_kernel.resource.agent.held_pilot import SURPLUS, HeldPilot
from pilot_kernel.resource.agent.waiting_room import Demand
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site, WorkerSpec


def held(monkeypatch, *, starts, workers, **keys):
    """A pilot of so many starts with so many workers each."""
    spec = WorkerSpec(
        cls=object,
        options={},
        offers={"CPU": 1, "cores": 1, "memory": 100},
        memory_bytes=100,
        workers=workers,
    )
    monkeypatch.setattr(by_scheme, "worker_specs", lambda *_: [spec] * starts)
    described = PilotDescription(resource="local://", **keys)
    site = Site(
        agent="a", pilot="p", security=None, scheduler="", host="", directory=Path("nowhere")
    )
    pilot = HeldPilot(described, site)
    pilot.grow(pilot.asked_for)
    return pilot


def test_jobs_come_and_go_as_a_whole(monkeypatch):
    pilot = held(monkeypatch, starts=3, workers=2)
    assert (pilot.size, list(pilot.starts)) == (6, ["p-0", "p-1", "p-2"])
    assert list(pilot.grow(3)) == ["p-3", "p-4"]
    assert pilot.size == 10
    assert pilot.shrink(3, {}, set(pilot.workers)) == ["p-4"]
    assert pilot.shrink(1, {}, set(pilot.workers)) == []
    assert pilot.shrink(4, {}, set(pilot.workers)) == ["p-4", "p-3"]


def test_those_that_are_not_up_go_first_then_idle_ones_then_the_latest(monkeypatch):
    pilot = held(monkeypatch, starts=4, workers=1)
    up = {"p-0", "p-1", "p-3"}
    busy = {"p-0": 0, "p-1": 1, "p-3": 2}
    assert pilot.shrink(1, busy, up) == ["p-2"]
    assert pilot.shrink(2, busy, up) == ["p-2", "p-0"]
    assert pilot.shrink(3, busy, up) == ["p-2", "p-0", "p-1"]
    assert pilot.shrink(1, {}, set(pilot.workers)) == ["p-3"]


def test_what_was_about_to_leave_for_being_too_many_is_kept_when_more_are_wanted(monkeypatch):
    pilot = held(monkeypatch, starts=3, workers=1)
    pilot.leaving = {"p-1": SURPLUS, "p-2": "its job is about to end"}
    assert pilot.size == 1
    assert list(pilot.grow(2)) == ["p-3"]
    assert pilot.leaving == {"p-2": "its job is about to end"}
    assert list(pilot.staying) == ["p-0", "p-1", "p-3"]


def test_what_keeps_ending_is_tried_more_rarely_and_then_no_more(monkeypatch):
    pilot = held(monkeypatch, starts=1, workers=1)
    assert pilot.may_come_back("p-0")
    pilot.comes_back("p-0", pause=False)
    assert pilot.may_come_back("p-0")
    pilot.comes_back("p-0", pause=True)
    assert not pilot.may_come_back("p-0")
    for _ in range(5):
        pilot.comes_back("p-0", pause=True)
    assert pilot.failed
    pilot.state(up=1)
    assert not pilot.failed


@pytest.mark.parametrize(
    ("demand", "could"),
    [
        (Demand(), True),
        (Demand(frozenset({("CPU", 1), ("memory", 100)})), True),
        (Demand(frozenset({("memory", 101)})), False),
        (Demand(workers=frozenset({"tls://1"})), False),
        (Demand(timeout_s=3600.0), True),
        (Demand(timeout_s=3601.0), False),
    ],
)
def test_what_its_workers_could_run(monkeypatch, demand, could):
    assert held(monkeypatch, starts=1, workers=1, walltime="1:00:00").could_run(demand) is could


def test_a_host_that_was_given_up_is_the_next_to_be_used(monkeypatch):
    pilot = held(monkeypatch, starts=3, workers=1)
    for number, spec in enumerate(pilot.specs):
        pilot.specs[number] = dataclasses.replace(spec, options={"host": number})
    pilot.forget("p-1")
    hosts = [new["options"]["host"] for new in pilot.grow(4).values()]
    assert hosts == [1, 0, 1, 2]
