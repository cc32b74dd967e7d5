"""Batch jobs that reach their walltime, and pilots that grow and shrink by jobs: a real SLURM."""

import time
from collections import Counter

import pytest

import pilot_kernel
from pilot_kernel.resource.pilot import PilotState
from tests.conftest import wait_until

pytestmark = pytest.mark.real


@pytest.fixture
def own(registry_home, slurm):
    with pilot_kernel.Session() as session:
        yield session
    wait_until(lambda: not slurm.jobs())


def add(session, **keys):
    described = {
        "interface": "lo",
        "queue": "debug",
        "cores_per_node": 1,
        "memory_per_node_bytes": 10**9,
    }
    return session.add_pilot("slurm://", **{**described, **keys})


def nap(number):
    time.sleep(0.5)
    return number


def test_work_goes_on_when_jobs_reach_their_walltime_and_nobody_is_to_blame(own, slurm):
    """Jobs of a minute, and two minutes of work for two of them."""
    pilot = add(own, number_of_nodes=2, walltime="00:01:00", name="short")
    tasks = [own.submit(nap, number, retries=0) for number in range(400)]
    longer = own.submit(time.sleep, 0, timeout_s=59.0)
    longest = None
    wait_until(lambda: pilot.status.ends_at is not None, 60)
    assert [task.result(300) for task in tasks] == list(range(400))
    longer.result(60)
    records = own.history([task.key for task in tasks])
    jobs = Counter(record.worker.rpartition("-")[0] for record in records)
    assert len(jobs) >= 4  # two for the first minute, two more for the second
    assert not any(record.deaths for record in records)
    with pytest.raises(pilot_kernel.errors.PlacementError, match="60 s"):
        longest = own.submit(nap, 0, timeout_s=61.0)
    assert longest is None


def test_jobs_that_ended_with_nothing_to_do_come_back_with_the_next_task(own, slurm):
    pilot = add(own, walltime="00:01:00", name="short")
    assert own.submit(nap, 1).result(60) == 1
    wait_until(lambda: not slurm.jobs(), 120)
    assert (pilot.status.state, pilot.status.workers) == (PilotState.ACTIVE, 0)
    assert own.submit(nap, 2).result(60) == 2


def test_a_pilot_grows_and_shrinks_by_whole_jobs(own, slurm):
    pilot = add(own, cores_per_node=2, name="grows")
    pilot.scale(minimum=0, maximum=6)
    tasks = [own.submit(nap, number) for number in range(60)]
    wait_until(lambda: len(slurm.jobs()) == 3, 60)
    assert [task.result(120) for task in tasks] == list(range(60))
    wait_until(lambda: not slurm.jobs(), 60)
    assert (pilot.status.wanted, pilot.state) == (0, PilotState.ACTIVE)
    assert not any(record.deaths for record in own.history())
    assert own.submit(nap, 7).result(60) == 7
