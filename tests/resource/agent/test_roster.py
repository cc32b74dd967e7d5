"""Pilots that change while a worker of theirs does not answer, with real processes."""

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from tests.conftest import wait_until, worker_pids

LARGE = 300_000
BEGINNERS = 8


@pytest.fixture
def own(registry_home):
    with pilot_kernel.Session() as session:
        yield session


def _look_often(dask_scheduler):
    from pilot_kernel.resource.agent import workforce

    workforce._LOOK_S = 0.3


def _look_never(dask_scheduler):
    from pilot_kernel.resource.agent import workforce

    workforce._LOOK_S = 600.0


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


@contextlib.contextmanager
def _held_up(session, pid, change):
    """Have a change under way that a frozen worker holds up, until the end of the block."""
    session._link.client.run_on_scheduler(_look_never)  # else it would be killed for its silence
    os.kill(pid, signal.SIGSTOP)
    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        changing.join()


def _large(seconds):
    time.sleep(seconds)
    return bytes(LARGE)


def test_a_name_is_free_again_when_the_pilot_that_had_it_is_gone(own):
    own.add_pilot("local://", cores_per_node=1, name="other")
    pilot = own.add_pilot("local://", cores_per_node=1, name="mine")
    own.submit(_large, 0, on="mine").exception(60)
    pid = worker_pids(own)["mine-0"]
    with _held_up(own, pid, pilot.stop):
        wait_until(lambda: [each.name for each in own.pilots] == ["other"])
        with pytest.raises(DescriptionError, match="'mine' is being stopped"):
            own.add_pilot("local://", cores_per_node=1, name="mine")
    own.add_pilot("local://", cores_per_node=1, name="mine")
    assert own.submit(os.getpid, on="mine").result(60) != pid


def test_a_worker_that_is_being_removed_does_not_count_when_more_are_wanted(own):
    pilot = own.add_pilot("local://", cores_per_node=2, name="mine")
    wait_until(lambda: pilot.status.workers == 2)
    tasks = [own.submit(_large, 1) for _ in range(2)]
    assert not any(task.exception(60) for task in tasks)
    with _held_up(own, worker_pids(own)["mine-1"], lambda: pilot.scale(1)):
        wait_until(lambda: pilot.status.wanted == 1)
        pilot.scale(2)
    wait_until(lambda: (pilot.status.workers, pilot.status.wanted) == (2, 2))
    assert "mine-1" not in worker_pids(own)
    assert [len(task.result(60)) for task in tasks] == [LARGE] * 2


def test_of_several_who_would_begin_with_a_pilot_one_adds_it(own):
    with ThreadPoolExecutor(BEGINNERS) as pool:
        asked = [
            pool.submit(own._call, "pilot_add", description={}, unless_any=True)
            for _ in range(BEGINNERS)
        ]
    assert [each.result() for each in asked] == BEGINNERS * ["local"]
    assert [pilot.name for pilot in own.pilots] == ["local"]
