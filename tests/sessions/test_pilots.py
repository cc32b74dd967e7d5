"""The book of pilots: when the agent is asked, and when a pilot is added."""

from collections import Counter

import pytest

from pilot_kernel.errors import DescriptionError, PlacementError
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.sessions.pilots import PilotBook


class Agent:
    """An agent that starts a worker for each pilot at once, and counts what it is asked."""

    def __init__(self, *names):
        self.rows = [row(name) for name in names]
        self.asked = Counter()

    def __call__(self, handler, **arguments):
        self.asked[handler] += 1
        if handler == "pilot_list":
            return self.rows
        assert handler == "pilot_add"
        self.rows = [*self.rows, row("local")]
        return "local"


def row(name, workers=1):
    return {
        "name": name,
        "resource": "local://",
        "state": "ACTIVE",
        "workers": workers,
        "wanted": 1,
        "running": 0,
        "cores_per_worker": 1,
        "offers": ["CPU"],
        "memory_per_worker_bytes": 10**9,
    }


def test_the_first_task_adds_a_pilot_and_the_next_asks_nobody():
    agent = Agent()
    book = PilotBook(agent)
    for _ in range(3):
        assert [status.name for status in book.candidates(None)] == ["local"]
    assert agent.asked == {"pilot_list": 2, "pilot_add": 1}


def test_a_name_that_is_not_known_is_asked_for_once_more():
    agent = Agent("one")
    book = PilotBook(agent)
    book.candidates("cpu")
    agent.rows = [row("one"), row("two")]  # by another notebook
    assert [status.name for status in book.candidates("two")] == ["two"]
    with pytest.raises(PlacementError, match="'three'"):
        book.candidates("three")
    assert not agent.asked["pilot_add"]


def test_the_agent_is_asked_again_only_when_workers_have_changed():
    agent = Agent("one")
    book = PilotBook(agent)
    assert [status.name for status in book.usable_now(None)] == ["one"]
    asked = agent.asked["pilot_list"]
    book.usable_now(None)
    assert agent.asked["pilot_list"] == asked
    agent.rows = [row("one", workers=0)]
    book.workers_changed()
    assert [status.workers for status in book.usable_now(None)] == [0]
    assert agent.asked["pilot_list"] > asked


def test_a_pilot_that_another_notebook_has_stopped_is_given_no_task():
    agent = Agent("one", "two")
    book = PilotBook(agent)
    assert book.candidates("two")
    agent.rows = [row("one")]
    book.workers_changed()
    with pytest.raises(PlacementError, match="'two'"):
        book.candidates("two")


def test_without_a_pilot_that_fits_none_is_usable_and_none_is_added():
    agent = Agent("one")
    assert PilotBook(agent).usable_now("gpu") == []
    assert not agent.asked["pilot_add"]


def test_a_pilot_that_was_added_is_known_at_once():
    agent = Agent()
    book = PilotBook(agent)
    pilot = book.add(PilotDescription())
    assert pilot.name == "local"
    asked = agent.asked["pilot_list"]
    assert [status.name for status in book.candidates(None)] == ["local"]
    assert agent.asked["pilot_list"] == asked
    assert [each.name for each in book.pilots()] == ["local"]


def test_a_session_begins_even_where_its_first_pilot_cannot_be_had():
    class Small(Agent):
        def __call__(self, handler, **arguments):
            if handler == "pilot_add":
                raise DescriptionError("no memory")
            return super().__call__(handler, **arguments)

    book = PilotBook(Small())
    book.begin()
    with pytest.raises(DescriptionError, match="no memory"):
        book.candidates(None)
