"""What it costs to know how many workers there are, and to do nothing, with real processes."""

import os
import signal
import time

import psutil
import pytest

from pilot_kernel import Session
from pilot_kernel.errors import PlacementError
from tests.conftest import wait_until, worker_pids


@pytest.fixture
def own(no_neighbours):
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
    own.submit(pow, 2, 2).result(60)  # its news come after those of the workers
    own.pilots_for()
    asked, heard = [], []
    ask, hear = own._pilots._ask, own._pilots.workers_changed

    def counted():
        rows = ask()
        asked.append(sum(row.workers for row in rows))
        return rows

    own._pilots._ask = counted
    own._pilots.workers_changed = lambda: (hear(), heard.append(1))
    process = worker_pids(own).popitem()[1]
    for _ in range(20):
        own.pilots_for()
    assert not asked
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: len(heard) >= 2)  # it went, and another came
    assert not asked
    assert count(own) == 2
    assert asked == [2]


def test_an_idle_agent_and_its_workers_seldom_wake_up(registry_home):
    """Counted in wake-ups, since time depends on the machine."""
    with Session() as session:
        session.add_pilot("local://", cores_per_node=2)
        for number in range(4):
            session.submit(pow, number, 2).result(60)
        agent = psutil.Process(session._link.entry.pid)
        wait_until(lambda: all(each > 1000 for each in session._link.client.run(pause).values()))
        time.sleep(3)  # for what was still to be done
        family = [agent, *agent.children(recursive=True)]
        began, before = time.monotonic(), [switches(each) for each in family]
        time.sleep(4)
        woken, seconds = [switches(each) for each in family], time.monotonic() - began
        wakeups = sum(woken) - sum(before)
        # 270 in four seconds before anything was done about it
        assert wakeups < seconds * 40, [b - a for a, b in zip(before, woken, strict=True)]


def switches(process):
    return process.num_ctx_switches().voluntary


def pause(dask_worker):
    """Milliseconds between a worker's heartbeats: it hears with one of them that it may wait."""
    return dask_worker.periodic_callbacks["heartbeat"].callback_time
