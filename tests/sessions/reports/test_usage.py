"""Utilisation of sessions that are small enough to be worked out by hand."""

import pytest

from pilot_kernel.sessions.reports.timeline import read_timeline
from pilot_kernel.sessions.reports.usage import Use, use_of, worker_uses
from tests.sessions.reports import stories as s


def uses(*events, begin=100.0, end=None):
    line = read_timeline([s.HEAD, *events])
    return worker_uses(line, begin, line.end if end is None else end)


def test_only_the_time_with_work_counts():
    found = uses(
        s.up(0, "p-0"),
        s.queued(10, "t-1"),
        s.ended(12, 18, "t-1", "p-0", taken=10),
        s.queued(30, "t-2"),
        s.ended(30, 34, "t-2", "p-0", taken=30),
        s.event(50, "agent-left", why="x"),
    )["p-0"]
    assert (found.up_s, found.wanted_s, found.busy_s) == (50, 12, 10)
    assert found.utilisation == pytest.approx(10 / 12)
    assert (found.load_s, found.busy_load_s, found.under_load) == (2, 0, 0)
    assert (found.done, found.failed, found.lost) == (2, 0, 0)


def test_an_idle_worker_counts_while_another_has_all_the_work():
    found = uses(
        s.up(0, "p-0"),
        s.up(0, "p-1"),
        s.queued(0, "t-1"),
        s.queued(0, "t-2"),
        s.ended(0, 4, "t-1", "p-0"),
        s.ended(4, 10, "t-2", "p-0"),
    )
    assert (found["p-0"].utilisation, found["p-1"].utilisation) == (1, 0)
    assert found["p-1"].load_s == 4
    assert use_of(found.values()).utilisation == 0.5


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"needs": {"QPU": 1}}, 0),
        ({"needs": {"pilot:q": 1}}, 0),
        ({"needs": {"pilot:p": 1}}, 10),
        ({"needs": {"CPU": 1, "memory": 200}}, 0),
        ({"needs": {"CPU": 1, "memory": 100}}, 10),
        ({"only": ["q-0"]}, 0),
        ({"only": ["p-0", "q-0"]}, 10),
        ({"after": 1}, 0),
        ({}, 10),
    ],
)
def test_only_tasks_that_could_run_there_count(facts, wanted):
    found = uses(
        s.up(0, "p-0", memory=100),
        s.up(0, "q-0", pilot="q", kind="QPU"),
        s.queued(0, "t-1", **facts),
        s.event(10, "agent-left", why="x"),
    )["p-0"]
    assert (found.wanted_s, found.load_s) == (wanted, wanted)
    assert found.utilisation == (0 if wanted else None)


def test_a_worker_that_comes_late_is_not_blamed_for_the_time_before():
    found = uses(
        s.up(0, "p-0"),
        *(s.queued(0, f"t-{at}") for at in range(4)),
        s.ended(0, 10, "t-0", "p-0"),
        s.up(10, "p-1"),
        s.ended(10, 20, "t-1", "p-0"),
        s.ended(11, 20, "t-2", "p-1"),
        s.ended(20, 30, "t-3", "p-1"),
        s.gone(25, "p-0"),
    )
    assert found["p-1"].utilisation == pytest.approx(19 / 20)
    assert found["p-0"].utilisation == pytest.approx(20 / 25)


def test_a_worker_that_is_to_take_no_more_is_not_blamed_for_it():
    found = uses(
        s.up(0, "p-0"),
        s.up(0, "p-1"),
        *(s.queued(0, f"t-{at}") for at in range(2)),
        s.event(2, "worker-leaving", worker="p-0", address="tls://p-0"),
        s.ended(0, 4, "t-0", "p-0"),
        s.ended(0, 10, "t-1", "p-1"),
        s.gone(8, "p-0"),
    )
    assert (found["p-0"].wanted_s, found["p-0"].busy_s, found["p-0"].utilisation) == (4, 4, 1)
    found = uses(
        s.up(0, "p-0"),
        s.queued(0, "t-0"),
        s.event(2, "worker-leaving", worker="p-0", address="tls://p-0"),
        s.event(5, "worker-stays", worker="p-0", address="tls://p-0"),
        s.event(7, "worker-leaving", worker="p-0", address="tls://p-0"),
        s.event(9, "agent-left", why="x"),
    )
    assert (found["p-0"].wanted_s, found["p-0"].load_s) == (4, 4)


def test_lost_and_failed_tasks_are_counted_where_they_were():
    found = uses(
        s.up(0, "p-0"),
        s.up(0, "p-1"),
        s.queued(0, "t-1"),
        s.queued(0, "t-2"),
        s.queued(0, "t-3"),
        s.started(0, "t-1", "p-0"),
        s.back(3, "t-1", "p-0"),
        s.ended(3, 6, "t-1", "p-1"),
        s.ended(6, 8, "t-2", "p-1", state="FAILED"),
        s.ended(8, 9, "t-3", "p-1", state="CANCELED"),
    )
    assert (found["p-0"].busy_s, found["p-0"].lost, found["p-0"].done) == (3, 1, 0)
    assert (found["p-1"].busy_s, found["p-1"].failed, found["p-1"].done) == (6, 2, 1)


def test_a_part_of_the_time():
    events = (
        s.up(0, "p-0"),
        s.queued(0, "t-1"),
        s.ended(0, 10, "t-1", "p-0"),
        s.queued(10, "t-2"),
        s.ended(12, 20, "t-2", "p-0", taken=10),
    )
    found = uses(*events, begin=105.0, end=116.0)["p-0"]
    assert (found.up_s, found.busy_s, found.wanted_s, found.done) == (11, 9, 11, 1)
    assert uses(*events, begin=300.0, end=400.0)["p-0"] == Use()


def test_nothing_to_do_is_no_utilisation():
    assert uses(s.up(0, "p-0"), s.event(9, "agent-left", why="x"))["p-0"].utilisation is None
    assert use_of([]).utilisation is None
