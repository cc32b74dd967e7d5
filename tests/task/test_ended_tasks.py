"""Tasks that are ended from outside, whatever they do, with all that they have started."""

import collections
import concurrent.futures
import itertools
import os
import pathlib
import re
import signal
import subprocess
import time

import psutil
import pytest

from pilot_kernel.errors import (
    TaskTimeoutError,
)
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S, wait_until, worker_pids


def _polite(path):
    try:
        pathlib.Path(f"{path}.begun").touch()
        while True:
            time.sleep(0.01)
    finally:
        pathlib.Path(path).touch()


def _deaf(path):
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException:  # noqa: BLE001
            pass


def _power(path):
    return 3 ** (10**9)


def _slow_pattern(path):
    return re.match(r"(a+)+$", "a" * 40 + "b")


def _hold_the_lock(path):
    collections.deque(itertools.repeat(None), maxlen=0)  # one call without end


def _stop_itself(path):
    os.kill(os.getpid(), signal.SIGSTOP)


@pytest.mark.parametrize("how", ["cancel", "limit"])
@pytest.mark.parametrize(
    "task", [_polite, _deaf, _power, _slow_pattern, _hold_the_lock, _stop_itself]
)
def test_a_task_ends_whatever_it_does(session, lone_worker, tmp_path, task, how):
    cleaned, begun = tmp_path / "cleaned", tmp_path / "cleaned.begun"
    if task is _polite:
        _on_worker(session, lone_worker, _give_time)
    limit = 0.3 if how == "limit" else None
    before = worker_pids(session)[f"{lone_worker}-0"]
    busy = session.submit(task, str(cleaned), on=lone_worker, timeout_s=limit)
    if how == "cancel":
        wait_until(busy.running)
        if task is _polite:
            wait_until(begun.exists)
        busy.cancel()
    else:
        with pytest.raises(TaskTimeoutError, match=r"longer than its 0\.3 s"):
            busy.result(PATIENCE_S)
    assert session.submit(lambda: "free", on=lone_worker).result(PATIENCE_S) == "free"
    assert worker_pids(session)[f"{lone_worker}-0"] == before, "the worker itself stays"
    assert busy.record.deaths == 0
    assert cleaned.exists() == begun.exists(), "it cleans up if it has begun"


def _on_worker(session, pilot, function, *args):
    """Call something in the process of a pilot's first worker."""
    client = session._link.client
    address = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.aliases[f"{pilot}-0"])
    return client.run(function, *args, workers=[address])


def _give_time():
    """Let a task that ends by itself take as long as it likes: the machine may be busy."""
    from pilot_kernel.task.worker import running_task

    running_task._GRACE_S = PATIENCE_S


def _time_up(key, dask_worker):
    """Have a task's time be over."""
    from pilot_kernel.task.worker.plugin import WorkerEdge

    dask_worker.plugins[WorkerEdge.name].runs[key]._time_out()


def _family(path, wait):
    """Start a subprocess, one that leaves the process group, a shell's child, and an orphan."""
    children = [
        subprocess.Popen(["sleep", "600"]),
        subprocess.Popen(["sleep", "600"], start_new_session=True),
    ]
    lines = [child.pid for child in children]
    for command in ("sleep 600 & echo $!", "setsid sleep 600 >/dev/null 2>&1 & echo $!"):
        shell = subprocess.run(
            ["sh", "-c", command.replace("600 &", "600 >/dev/null &")],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        lines.append(int(shell.stdout))
    with open(path, "a") as file:
        file.write("".join(f"{pid}\n" for pid in (os.getpid(), *lines)))
    if wait:
        time.sleep(600)


def _started(path, count=5):
    wait_until(lambda: path.exists() and path.read_text().count("\n") >= count)
    return [psutil.Process(int(line)) for line in path.read_text().split()]


def _gone(processes):
    return not psutil.wait_procs(processes, timeout=PATIENCE_S)[1]


@pytest.mark.parametrize("how", ["cancel", "limit", "crash", "worker"])
def test_what_a_task_has_started_ends_with_it(session, lone_worker, tmp_path, how):
    pids = tmp_path / "pids"
    task = session.submit(_family, str(pids), True, on=lone_worker, timeout_s=600, retries=0)
    family = _started(pids)
    wait_until(lambda: task.record.state is TaskState.RUNNING)
    if how == "cancel":
        task.cancel()
    elif how == "limit":  # all of it has been started by now, however long that took
        _on_worker(session, lone_worker, _time_up, task.key)
    elif how == "crash":
        family[0].kill()
    elif how == "worker":
        os.kill(worker_pids(session)[task.record.worker], signal.SIGKILL)
    assert _gone(family)
    concurrent.futures.wait([task], PATIENCE_S)
    assert pids.read_text().count("\n") == 5, "it was not run again"


def test_a_cancel_at_any_moment_is_heeded(session, lone_worker, tmp_path):
    """Before the agent has heard of the task, before the worker has, while it is sent, later."""
    load = b"x" * 20_000_000
    for at, delay in enumerate((0, 0.001, 0.003, 0.005, 0.01, 0.02, 0.05)):
        done = tmp_path / f"done{at}"

        def slow(path, load):
            time.sleep(600)
            pathlib.Path(path).touch()

        task = session.submit(slow, str(done), load if at % 2 else b"", on=lone_worker)
        time.sleep(delay)
        assert task.cancel()
        task.cancel()
        assert session.submit(lambda: "free", on=lone_worker).result(PATIENCE_S) == "free"
        wait_until(lambda task=task: task.record.state is TaskState.CANCELED)
        assert not done.exists()


def test_ending_one_task_leaves_the_results_of_others_alone(session, lone_worker):
    kept = session.submit(bytes, 10**6, on=lone_worker)
    concurrent.futures.wait([kept])
    stuck = session.submit(_hold_the_lock, "", on=lone_worker, timeout_s=0.2)
    behind = [session.submit(pow, number, 2, on=lone_worker, retries=0) for number in range(5)]
    assert [task.result(PATIENCE_S) for task in behind] == [0, 1, 4, 9, 16]
    assert stuck.exception(PATIENCE_S) is not None
    assert kept.result() == bytes(10**6)
    assert kept.record.deaths == 0
