"""Results of workers that were given up while their task processes went on."""

import contextlib
import os
import pathlib
import signal
import time

import numpy as np
import pytest

import pilot_kernel
from tests.conftest import wait_until, worker_pids

LARGE = 300_000


@pytest.fixture
def own(registry_home):
    """A session with one worker, that of the pilot `first`."""
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1, name="first")
        assert session.submit(pow, 2, 2).result(60) == 4
        yield session


@contextlib.contextmanager
def frozen(pid):
    """Freeze a process for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _files(session):
    return list(pathlib.Path(session._link.entry.scratch, "results").iterdir())


def _begin(folder, size):
    """Say so; the first that begins goes on when it is told to, the others do at once."""
    try:
        os.close(os.open(f"{folder}/begun", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return np.ones(size)
    while not os.path.exists(f"{folder}/go"):
        time.sleep(0.01)
    return np.ones(size)


def _give_up(session, name):
    """Have the scheduler give a worker up, as if its connection had broken."""

    async def remove(dask_scheduler):
        address = dask_scheduler.aliases[name]
        await dask_scheduler.remove_worker(address, stimulus_id="test", expected=True)

    session._link.client.run_on_scheduler(remove)


def test_a_worker_that_was_given_up_does_not_take_the_result_of_another(own, tmp_path):
    task = own.submit(_begin, str(tmp_path), LARGE)
    wait_until((tmp_path / "begun").exists)
    (pid,) = worker_pids(own).values()
    with frozen(pid):
        own.add_pilot("local://", cores_per_node=1, name="second")
        _give_up(own, "first-0")
        wait_until(task.done)  # on the other
        assert len(_files(own)) == 1
    wait_until(lambda: pid not in worker_pids(own).values() and len(worker_pids(own)) == 2)
    assert task.result(10).sum() == LARGE
    assert own.submit(len, task).result(30) == LARGE


@pytest.mark.parametrize("size", [1, LARGE])
def test_what_a_canceled_task_writes_after_all_does_not_stay(own, tmp_path, size):
    """Its worker can neither end it nor tell of it."""
    task = own.submit(_begin, str(tmp_path), size)
    wait_until((tmp_path / "begun").exists)
    (pid,) = worker_pids(own).values()
    with frozen(pid):
        task.cancel()
        wait_until(lambda: not own._link.client.run_on_scheduler(_known, task.key))
        own._link.client.run_on_scheduler(_sweep, False)  # or it may be gone before it is seen
        (tmp_path / "go").touch()
        wait_until(lambda: _files(own))
        os.kill(pid, signal.SIGKILL)
        own._link.client.run_on_scheduler(_sweep, True)
    wait_until(lambda: not _files(own))
    assert own.submit(pow, 2, 2).result(60) == 4


def _known(key, dask_scheduler):
    return key in dask_scheduler.tasks


def _sweep(on, dask_scheduler):
    callback = dask_scheduler.periodic_callbacks["pilot-sweep"]
    callback.start() if on else callback.stop()
