"""When a change of workers counts, who is asked, and what happens when nobody is left."""

import logging
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.errors import WorkersLostError
from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.decisions import Backlog, Course, Decision, PlanDropped
from qdreamer_lab.workload.execution.watch import Watch


class Pilots:
    """A session whose pilots are set by the test."""

    def __init__(self, **counts):
        self.set(**counts)

    def set(self, **counts):
        self.rows = [
            SimpleNamespace(name=name, workers=up, wanted=wanted, memory_per_worker_bytes=2**30)
            for name, (up, wanted) in counts.items()
        ]

    def candidates(self, on=None):
        return [row for row in self.rows if on in (None, row.name)]

    pilots_for = candidates


class Adviser:
    def __init__(self, course=None):
        self.course = course
        self.asked = []

    def changed(self, standing):
        self.asked.append(standing)
        counts = standing.before.count, standing.after.count
        return Decision(standing.at_s, *counts, standing.change, 3.0, 1.0, self.course)


class Story:
    """A watch with a clock that the test moves."""

    def __init__(self, pilots, adviser=None):
        self.now = 100.0
        self.pilots = pilots
        self.watch = Watch(adviser, clock=lambda: self.now)

    def look(self, after_s=0.0, on=None):
        self.now += after_s
        return self.watch.workers(self.pilots, on, lambda: Backlog(((3, 2.0),), ()))


def test_a_change_that_lasts_is_told_and_the_rest_is_dealt_out_anew():
    adviser = Adviser()
    story = Story(Pilots(a=(1, 1)), adviser)
    assert story.look() == 1
    story.watch.saw(Chunk(0, 0, 4, 1, 8.0, len, (), shots=7), 0.25)
    story.pilots.set(a=(1, 1), b=(2, 2))
    assert story.look(0.8) == 3  # at once as far as dealing out goes
    assert not adviser.asked
    assert story.look(0.5) == 3
    (asked,) = adviser.asked
    assert (asked.before.count, asked.after.count) == (1, 3)
    assert (asked.done_work, asked.done_s, asked.shots_done, asked.left_work) == (8.0, 0.25, 7, 6.0)
    assert [one.reason for one in story.watch.decisions] == [
        "worker count went from 1 to 3 at 1.3 s"
    ]


def test_a_worker_that_is_back_in_a_moment_changes_nothing():
    adviser = Adviser()
    story = Story(Pilots(a=(2, 2)), adviser)
    for up in (2, 1, 2, 1, 2, 2, 2):
        story.pilots.set(a=(up, 2))
        assert story.look(0.4) == up
    assert not adviser.asked


def test_workers_that_are_still_starting_are_expected():
    adviser = Adviser()
    story = Story(Pilots(a=(0, 2)), adviser)
    assert story.look() == 2
    story.pilots.set(a=(1, 2))
    assert [story.look(2.0), story.look(2.0)] == [2, 2]
    assert [story.look(2.0), story.look(2.0)] == [1, 1]  # the other one seems not to come
    assert [one.workers_after for one in story.watch.decisions] == [1]


def test_as_many_workers_elsewhere_are_a_change_too():
    story = Story(Pilots(a=(1, 1)), Adviser())
    story.look()
    story.pilots.set(b=(1, 1))
    story.look(1.0)
    story.look(1.0)
    assert story.watch.decisions[0].reason == "workers went from a (1) to b (1) at 2.0 s"


def test_a_dropped_plan_says_what_it_had_cost():
    course = Course(5, "exact", "b")
    story = Story(Pilots(a=(1, 1)), Adviser(course))
    story.look()
    story.watch.saw(Chunk(0, 0, 4, 1, 8.0, len, (), shots=7), 0.25)
    story.pilots.set(a=(2, 2))
    story.look(1.0)
    with pytest.raises(PlanDropped) as dropped:
        story.look(1.0)
    (kept,) = story.watch.decisions
    assert dropped.value.decision is kept
    assert (kept.course, kept.dropped_s, kept.dropped_shots) == (course, 0.25, 7)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.05, 2.0)), max_size=300))
def test_workers_that_come_and_go_are_not_asked_about_again_and_again(changes):
    adviser = Adviser()
    story = Story(Pilots(a=(2, 2)), adviser)
    story.look()
    for up, seconds in changes:
        story.pilots.set(a=(up, 3))
        story.look(seconds)
    times = [one.at_s for one in adviser.asked]
    told = [one.at_s for one in story.watch.decisions if one.workers_after]
    for number, (one, two) in enumerate(pairwise(told)):
        assert two - one >= min(60.0, 0.5 * 2 ** (number + 1)) * (1 - 1e-9)
    assert set(times) <= set(told)
    for one, two in pairwise(adviser.asked):
        assert one.at_s < two.at_s
        assert two.before != two.after


def test_without_a_worker_the_run_waits_and_says_so_once(caplog):
    story = Story(Pilots(a=(1, 1)))
    story.look()
    story.pilots.set(a=(0, 1))
    with caplog.at_level(logging.INFO, "qdreamer_lab"):
        for _ in range(600):
            assert story.look(1.0) == 0  # as long as a pilot is to bring some
        story.pilots.set(a=(0, 1), b=(2, 2))
        assert [story.look(1.0), story.look(1.0)] == [2, 2]
    told = [one for one in caplog.records if one.name == "qdreamer_lab"]
    assert [one.levelname for one in told] == ["WARNING", "INFO"]
    assert "nothing is lost" in told[0].getMessage()
    assert told[1].getMessage().endswith("the rest is dealt out to 2 workers")


def test_when_no_pilot_is_left_it_gives_up_in_the_end():
    story = Story(Pilots(a=(1, 1)))
    story.look()
    story.pilots.set()
    assert story.look(1.0) == 0
    assert story.look(59.0) == 0
    with pytest.raises(WorkersLostError, match=r"none came for 60 s.*add_pilot"):
        story.look(1.5)
    assert "add a pilot" in story.watch.decisions[0].reason


def test_a_run_whose_new_pilot_is_lost_goes_back():
    adviser = Adviser(Course(9, "exact", "b"))
    story = Story(Pilots(a=(1, 1)), adviser)
    story.look()
    story.pilots.set(a=(1, 1), b=(1, 1))
    story.look(1.0)
    with pytest.raises(PlanDropped):
        story.look(1.0)
    assert story.look(1.0, "b") == 1
    story.pilots.set(a=(1, 1))
    adviser.course = Course(4, "exact", None)
    assert story.look(1.0, "b") == 0
    assert story.look(3.0, "b") == 0  # it says so first
    with pytest.raises(PlanDropped):
        story.look(10.0, "b")
    asked = adviser.asked[-1]
    assert asked.stranded
    assert (asked.on, str(asked.before), str(asked.after)) == (None, "b (1)", "a (1)")
    assert story.look(1.0) == 1  # at home again
