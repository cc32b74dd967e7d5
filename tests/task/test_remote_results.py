"""Results of workers on other machines: what they return outlives them, and is found everywhere."""

import concurrent.futures
import gc
import os
import pathlib
import signal
import stat

import numpy as np
import pytest

import pilot_kernel
from pilot_kernel.task.notebook import handle
from pilot_kernel.task.wire import results
from tests.conftest import wait_until, worker_pids
from tests.task.remote_worker import remote_workers

LARGE = 3_000_000


def _files(session):
    return sorted(pathlib.Path(session._link.entry.scratch, "results").iterdir())


def _all_gone(session):
    for task in session.tasks:
        task.release()
    gc.collect()
    wait_until(lambda: not _files(session))


@pytest.fixture(scope="module")
def own(registry_home):
    """A session with a worker here, on `near`, and places for others, on `far`."""
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1, name="near")
        far = session.add_pilot("local://", cores_per_node=1, name="far")
        wait_until(lambda: far.status.workers == 1)
        far.scale(0)
        wait_until(lambda: far.status.workers == 0)
        yield session


def test_a_large_result_is_on_the_agents_disk_before_anybody_hears_of_it(own):
    with remote_workers(own, "far-a"):
        task = own.submit(np.arange, LARGE, on="far")
        concurrent.futures.wait([task])
        (file,) = _files(own)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert np.array_equal(task.result(), np.arange(LARGE))
        assert task.record.worker == "far-a"
    _all_gone(own)


def test_nothing_is_lost_with_the_machine(own, tmp_path):
    runs = tmp_path / "runs"

    def once(size):
        with runs.open("a") as file:
            file.write("x")
        return np.arange(size)

    with remote_workers(own, "far-b") as pids:
        large = own.submit(once, LARGE, on="far")
        small = own.submit(once, 3, on="far")
        concurrent.futures.wait([large, small])
        os.kill(pids["far-b"], signal.SIGKILL)
    assert own.submit(np.sum, large, on="near").result(60) == LARGE * (LARGE - 1) // 2
    assert own.submit(np.sum, small, on="near").result(60) == 3
    assert np.array_equal(large.result(), np.arange(LARGE))
    assert runs.read_text() == "xx"
    _all_gone(own)
