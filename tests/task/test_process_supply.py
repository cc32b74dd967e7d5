"""Task processes come up even while the nurseries that fork them are being killed."""

import asyncio

import psutil
import pytest

from pilot_kernel.errors import TaskFailedError
from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.start_nursery import start
from pilot_kernel.task.worker import process_supply, running_task
from pilot_kernel.task.worker.task_process import resident


@pytest.fixture(autouse=True)
def no_shared_nursery(monkeypatch):
    monkeypatch.delenv(worker_environment.NURSERY, raising=False)


def pid_taken(folder):
    """The id of a task process of a supply in `folder`, which is ended again."""

    async def take():
        supply = process_supply.Supply(str(folder), lambda stream, text: None)
        try:
            return (await supply.take()).pid
        finally:
            supply.close()
            if supply._nursery is not None:
                await asyncio.to_thread(supply._nursery.wait)

    return asyncio.run(take())


def test_memory_that_a_process_shares_with_all_others_is_not_its_task_s(tmp_path):
    async def taken():
        supply = process_supply.Supply(str(tmp_path), lambda stream, text: None)
        try:
            process = await supply.take()
            return resident(psutil.Process(process.pid)), running_task._memory(process, family=True)
        finally:
            supply.close()
            await asyncio.to_thread(supply._nursery.wait)

    resident_bytes, own_bytes = asyncio.run(taken())
    assert resident_bytes > 50e6  # NumPy and Aer
    assert own_bytes < 25e6


def kill_the_first(monkeypatch, count, *, wait):
    """Have the first nurseries killed as soon as they are started, which nobody may notice."""
    started = []

    def start_and_kill(path):
        nursery = start(path)
        started.append(nursery)
        if len(started) <= count:
            nursery.kill()
            if wait:
                nursery.wait()
        return nursery

    monkeypatch.setattr(process_supply, "start", start_and_kill)
    return started


@pytest.mark.parametrize("wait", [False, True])
def test_a_nursery_that_was_killed_is_replaced(tmp_path, monkeypatch, wait):
    started = kill_the_first(monkeypatch, 2, wait=wait)
    assert pid_taken(tmp_path) > 0
    assert len(started) == 3
    assert all(nursery.returncode is not None for nursery in started)


def test_nurseries_that_all_die_are_given_up(tmp_path, monkeypatch):
    started = kill_the_first(monkeypatch, 99, wait=True)
    with pytest.raises(TaskFailedError, match="no process to run tasks in could be started"):
        pid_taken(tmp_path)
    assert len(started) == 3
