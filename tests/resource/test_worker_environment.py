"""What a worker was given, and what is assumed outside of one."""

import os

import pytest

from pilot_kernel.resource import allowance, worker_environment
from tests.conftest import wait_until


@pytest.fixture
def outside(monkeypatch):
    """A process that no pilot has started."""
    for variable in ("CORES", "DEVICE", "MEMORY", "NURSERY", "RESULTS"):
        monkeypatch.delenv(getattr(worker_environment, variable), raising=False)


@pytest.mark.usefixtures("outside")
def test_outside_of_a_worker_nothing_was_given():
    assert worker_environment.cores() is None
    assert worker_environment.memory_bytes() is None
    assert worker_environment.device() is None
    assert worker_environment.nursery() is None
    assert worker_environment.results_folder() is None
    assert worker_environment.usable_cores() == allowance.cores()


def test_a_worker_reads_what_its_pilot_has_written(monkeypatch):
    for variable, value in worker_environment.sizes(3, 5_000_000_000).items():
        monkeypatch.setenv(variable, value)
    assert worker_environment.cores() == 3
    assert worker_environment.usable_cores() == 3
    assert worker_environment.memory_bytes() == 5_000_000_000


def test_a_task_is_told_what_its_worker_was_given(session):
    assert session.submit(worker_environment.cores).result() == 1
    # Sessions of other tests share this machine's memory for as long as they are there.
    wait_until(lambda: _told(session) == _promised(session))
    assert session.submit(worker_environment.device).result() is None
    assert os.path.isdir(session.submit(worker_environment.results_folder).result())


def _told(session):
    return session.submit(worker_environment.memory_bytes).result()


def _promised(session):
    [pilot] = session.pilot_statuses()
    return pilot.memory_per_worker_bytes
