"""Pilots that end while a worker of theirs does not answer, with real processes."""

import contextlib
import os
import signal

import pytest

import pilot_kernel
from tests.conftest import wait_until, worker_pids

LARGE = 300_000


@pytest.fixture
def own(registry_home):
    with pilot_kernel.Session() as session:
        yield session


def _look_often(dask_scheduler):
    from pilot_kernel.resource.agent import workforce

    workforce._LOOK_S = 0.3


def test_a_frozen_worker_that_should_hand_a_result_on_does_not_hold_up_the_end_of_its_pilot(own):
    pilot = own.add_pilot("local://", cores_per_node=1, name="first")
    task = own.submit(bytes, LARGE)
    assert len(task.result(60)) == LARGE
    (pid,) = worker_pids(own).values()
    other = own.add_pilot("local://", cores_per_node=1, name="second")
    wait_until(lambda: other.status.workers == 1)
    own._link.client.run_on_scheduler(_look_often)
    os.kill(pid, signal.SIGSTOP)
    try:
        pilot.stop()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert [each.name for each in own.pilots] == ["second"]
    assert own.submit(len, task).result(60) == LARGE
