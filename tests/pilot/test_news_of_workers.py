"""A session knows at little cost how many workers there are, with real processes."""

import os
import signal

import pytest

from pilot_kernel import Session
from pilot_kernel.errors import PlacementError
from tests.conftest import wait_until, worker_pids


@pytest.fixture
def own(registry_home):
    with Session() as opened:
        yield opened


def count(session, on=None):
    return sum(pilot.workers for pilot in session.pilots_for(on))


def test_workers_that_come_and_go_are_seen(own):
    assert own.pilots_for() == []
    pilot = own.add_pilot("local://", name="a", cores_per_node=1)
    wait_until(lambda: count(own) == 1)
    pilot.scale(2)
    assert own.candidates()[0].wanted == 2
    wait_until(lambda: count(own, "a") == 2)
    assert own.pilots_for("qpu") == own.pilots_for("b") == []
    with pytest.raises(PlacementError):
        own.candidates("b")
    pilot.stop()
    assert own.pilots_for() == []


def test_a_worker_that_dies_is_seen_to_go_and_to_come_back(own):
    own.add_pilot("local://", name="a", cores_per_node=2)
    wait_until(lambda: count(own) == 2)
    asked = []
    ask = own._ask_pilots

    def counted():
        rows = ask()
        asked.append(sum(row.workers for row in rows))
        return rows

    own._ask_pilots = counted
    process = worker_pids(own).popitem()[1]
    for _ in range(20):
        own.pilots_for()
    assert len(asked) <= 1  # news may have been under way
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: (own.pilots_for(), asked[-1:] == [2])[1] and len(asked) > 1)
    assert 1 in asked or asked.count(2) > 1
    assert count(own) == 2
