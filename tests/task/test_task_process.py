"""What a task can do to its process, and that nobody else suffers from it."""

import collections
import concurrent.futures
import ctypes
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from pilot_kernel.errors import (
    ShipError,
    TaskFailedError,
    TaskMemoryError,
    TaskTimeoutError,
    WorkerDiedError,
)
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until, worker_pids

PATIENCE_S = 20.0  # generous: the machine may be busy


@pytest.fixture
def single(session):
    """The name of a pilot with one worker, which nobody else uses."""
    pilot = session.add_pilot("local://", cores_per_node=1, cores_per_worker=1, name="one")
    wait_until(lambda: pilot.status.workers == 1)
    yield pilot.name
    pilot.stop()


# ---- ended from outside


def _nothing():
    pass


def _polite(path):
    try:
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
def test_a_task_ends_whatever_it_does(session, single, tmp_path, task, how):
    cleaned = tmp_path / "cleaned"
    session.submit(_nothing, on=single).result(PATIENCE_S)  # this module is imported there now
    limit = 0.3 if how == "limit" else None
    busy = session.submit(task, str(cleaned), on=single, timeout_s=limit)
    wait_until(busy.running)
    before = worker_pids(session)
    if how == "cancel":
        busy.cancel()
    else:
        with pytest.raises(TaskTimeoutError, match=r"longer than its 0\.3 s"):
            busy.result(PATIENCE_S)
    assert session.submit(lambda: "free", on=single).result(PATIENCE_S) == "free"
    assert worker_pids(session) == before, "the worker itself stays"
    assert busy.record.deaths == 0
    assert cleaned.exists() == (task is _polite)


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
def test_what_a_task_has_started_ends_with_it(session, single, tmp_path, how):
    pids = tmp_path / "pids"
    limit = 1.0 if how == "limit" else None
    task = session.submit(_family, str(pids), True, on=single, timeout_s=limit, retries=0)
    family = _started(pids)
    wait_until(lambda: task.record.state is TaskState.RUNNING or task.done())
    if how == "cancel":
        task.cancel()
    elif how == "crash":
        family[0].kill()
    elif how == "worker":
        os.kill(worker_pids(session)[task.record.worker], signal.SIGKILL)
    assert _gone(family)
    concurrent.futures.wait([task], PATIENCE_S)
    assert pids.read_text().count("\n") == 5, "it was not run again"


def test_a_cancel_at_any_moment_is_heeded(session, single, tmp_path):
    """Before the agent has heard of the task, before the worker has, while it is sent, later."""
    load = b"x" * 20_000_000
    for at, delay in enumerate((0, 0.001, 0.003, 0.005, 0.01, 0.02, 0.05)):
        done = tmp_path / f"done{at}"

        def slow(path, load):
            time.sleep(5)
            pathlib.Path(path).touch()

        task = session.submit(slow, str(done), load if at % 2 else b"", on=single)
        time.sleep(delay)
        assert task.cancel()
        task.cancel()
        assert session.submit(lambda: "free", on=single).result(4) == "free"
        wait_until(lambda task=task: task.record.state is TaskState.CANCELED)
        assert not done.exists()


def test_ending_one_task_leaves_the_results_of_others_alone(session, single):
    kept = session.submit(bytes, 10**6, on=single)
    concurrent.futures.wait([kept])
    stuck = session.submit(_hold_the_lock, "", on=single, timeout_s=0.2)
    behind = [session.submit(pow, number, 2, on=single, retries=0) for number in range(5)]
    assert [task.result(PATIENCE_S) for task in behind] == [0, 1, 4, 9, 16]
    assert stuck.exception(0) is not None
    assert kept.result() == bytes(10**6)
    assert kept.record.deaths == 0


# ---- ends by itself


def test_a_crash_in_native_code_is_named_and_leaves_its_traceback(session, tmp_path):
    def crash(path):
        with open(path, "a") as file:
            file.write("x")
        ctypes.string_at(0)

    task = session.submit(crash, str(tmp_path / "runs"), name="reader")
    with pytest.raises(WorkerDiedError, match=r"'reader'.*crashed in native code \(SIGSEGV\)"):
        task.result(PATIENCE_S)
    assert (tmp_path / "runs").read_text() == "xx"
    assert "tried once more" in task.output.text()
    assert "Segmentation fault" in task.output.text()
    assert "in crash" in task.output.text()
    for noise in ("Extension modules", "/pilot_kernel/", "frozen runpy"):
        assert noise not in task.output.text()
    assert (task.record.state, task.record.deaths) == (TaskState.FAILED, 2)


def test_a_crash_in_a_thread_that_is_none_of_python_s_shows_where_python_was(session):
    def crash():
        # abort() in a thread of the C library: no Python code is in that thread.
        libc = ctypes.CDLL(None)
        thread = ctypes.c_ulong()
        function = ctypes.cast(libc.abort, ctypes.c_void_p)
        libc.pthread_create(ctypes.byref(thread), None, function, None)
        while True:
            time.sleep(0.01)

    task = session.submit(crash, name="native", retries=0)
    with pytest.raises(WorkerDiedError, match=r"'native'.*crashed in native code \(SIGABRT\)"):
        task.result(PATIENCE_S)
    told = task.output.text()
    assert "Aborted" in told
    assert "in crash" in told
    assert "/pilot_kernel/" not in told


def test_a_crash_is_no_concern_of_tasks_that_run_beside_or_after_it(session, tmp_path):
    gate = tmp_path / "gate"

    def wait():
        while not gate.exists():
            time.sleep(0.01)
        return "whole"

    beside = session.submit(wait)
    wait_until(beside.running)
    crashes = [session.submit(os.kill, 0, signal.SIGKILL, retries=0) for _ in range(3)]
    for task in crashes:  # kill(0) ends its whole group, which nobody else is in
        with pytest.raises(WorkerDiedError, match=r"was killed \(SIGKILL\)"):
            task.result(PATIENCE_S)
    gate.touch()
    assert beside.result(PATIENCE_S) == "whole"
    assert beside.record.deaths == 0


def test_a_task_that_takes_too_much_memory_is_ended_and_told_so(session):
    pilot = session.add_pilot(
        "local://", cores_per_node=1, memory_per_node_bytes=500_000_000, name="small"
    )
    try:

        def fill(size, path):
            with open(path, "a") as file:
                file.write("x")
            return bytearray(size), time.sleep(60)

        task = session.submit(fill, 700_000_000, os.devnull, on="small", name="filler")
        with pytest.raises(TaskMemoryError, match=r"'filler' .* 0\.\d\d GB .* 0\.50 GB"):
            task.result(PATIENCE_S)
        assert session.submit(lambda: "free", on="small").result(PATIENCE_S) == "free"
    finally:
        pilot.stop()


class _Raising:
    """Something whose pickling raises what would end a process."""

    def __init__(self, error, where):
        self.error, self.where = error, where

    def __reduce__(self):
        if self.where == "reduce":
            raise self.error
        return _rebuild, (self.error,)


def _rebuild(error):
    raise error


class _AwkwardError(Exception):
    def __init__(self, thing):
        super().__init__("the reason")
        self.thing = thing


@pytest.mark.parametrize("where", ["reduce", "rebuild"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("no")])
def test_an_exception_that_resists_pickling_costs_nobody_a_process(session, single, error, where):
    def fail():
        raise _AwkwardError(_Raising(error, where))

    before = session.submit(os.getpid, on=single).result()
    with pytest.raises(TaskFailedError, match=r"_AwkwardError: the reason[\s\S]*in fail"):
        session.submit(fail, on=single).result(PATIENCE_S)
    assert session.submit(os.getpid, on=single).result() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("no")])
def test_a_result_that_resists_pickling_is_named(session, single, error):
    with pytest.raises(ShipError, match=rf"the result \(_Raising\) .* {type(error).__name__}"):
        session.submit(lambda: _Raising(error, "reduce"), on=single).result(PATIENCE_S)
    assert session.submit(lambda: "free", on=single).result(PATIENCE_S) == "free"


def _generate():
    yield 1


async def _coroutine():
    return 1


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (threading.Lock, r"the result \(lock\) cannot be sent: .*pickle"),
        (_generate, r"the result \(generator\).*return list"),
        (_coroutine, r"the result \(coroutine\).*asyncio\.run"),
        (sys._getframe, r"the result \(frame\)"),
    ],
)
def test_a_result_that_cannot_be_sent_is_named(session, function, complaint):
    with pytest.raises(ShipError, match=complaint):
        session.submit(function).result(PATIENCE_S)


def test_what_cannot_be_sent_to_a_worker_is_named_at_once(session):
    lock = threading.Lock()
    with pytest.raises(ShipError, match=r"argument 2 \(lock\) cannot be sent.*pickle"):
        session.submit(print, 1, lock)
    with pytest.raises(ShipError, match=r"argument 'file' \(lock\) cannot be sent"):
        session.submit(print, 1, file=lock)
    with pytest.raises(ShipError, match=r"the function \(.*lambda.*\) cannot be sent"):
        session.submit(lambda: lock)
    task = session.submit(pow, 2, 2)
    with pytest.raises(
        ShipError, match=r"argument 1 \(dict\) cannot be sent.*a task stands for its result"
    ):
        session.submit(print, {"nested": task})


def test_what_distributed_itself_raises_is_an_error_like_any_other(session):
    from distributed import Reschedule

    def raise_it(error):
        raise error

    with pytest.raises(Reschedule):
        session.submit(raise_it, Reschedule()).result(PATIENCE_S)
    with pytest.raises(TaskFailedError, match="CancelledError"):
        session.submit(raise_it, __import__("asyncio").CancelledError()).result(PATIENCE_S)


# ---- what reaches it, and what it leaves


def test_environment_and_folder_reach_the_task(session):
    def look():
        return dict(os.environ), os.getcwd()

    environment, folder = session.submit(look).result()
    assert environment["PILOT_CORES_PER_WORKER"] == "1"
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["PILOT_MEMORY_PER_WORKER_BYTES"].isdecimal()
    assert folder == os.getcwd()


def test_tasks_run_in_the_main_thread_of_one_process_until_that_ends(session, single):
    def look():
        return os.getpid(), threading.current_thread() is threading.main_thread(), os.getpgid(0)

    first, second = (session.submit(look, on=single).result() for _ in range(2))
    assert first == second
    assert first[1] is True
    assert first[2] == first[0]


def test_processes_draw_different_numbers(session, single):
    def draw():
        import numpy as np

        return np.random.random(), __import__("random").random()

    drawn = []
    for _ in range(3):
        drawn += session.submit(draw, on=single).result()
        with pytest.raises(WorkerDiedError):
            session.submit(os._exit, 0, on=single, retries=0).result(PATIENCE_S)
    assert len(set(drawn)) == 6


def test_arguments_are_those_at_the_time_of_submitting(session):
    import numpy as np

    array, numbers = np.zeros(2_000_000), [1, 2]
    gate = session.submit(time.sleep, 0.2)
    task = session.submit(lambda array, numbers, _: (array.sum(), numbers), array, numbers, gate)
    array[:] = 1
    numbers.append(3)
    assert task.result() == (0.0, [1, 2])


@pytest.mark.parametrize("size", [10, 20_000, 1_000_000])
def test_arrays_can_be_written_to_wherever_they_arrive(session, size):
    import numpy as np

    def double(array):
        array *= 2
        return array

    first = session.submit(np.ones, size)
    second = session.submit(double, first)
    third = session.submit(double, second.result())
    value = third.result()
    value += 1
    assert value[-1] == 5.0
    assert second.result()[-1] == 2.0
    assert first.result()[0] == 1.0


def test_a_million_numbers_cost_no_more_than_their_pickle(session):
    numbers = list(range(1_000_000))
    task = session.submit(lambda numbers: numbers[::-1], numbers)
    assert task.result(PATIENCE_S) == numbers[::-1]
