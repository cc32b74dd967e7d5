"""What a task finds in its process and can do to it, and that nobody else suffers from it."""

import ctypes
import os
import signal
import threading
import time

import pytest

from pilot_kernel.errors import (
    TaskMemoryError,
    WorkerDiedError,
)
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S, wait_until


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


def test_environment_and_folder_reach_the_task(session):
    def look():
        return dict(os.environ), os.getcwd()

    environment, folder = session.submit(look).result()
    assert environment["PILOT_CORES_PER_WORKER"] == "1"
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["PILOT_MEMORY_PER_WORKER_BYTES"].isdecimal()
    assert folder == os.getcwd()


def test_tasks_run_in_the_main_thread_of_one_process_until_that_ends(session, lone_worker):
    def look():
        return os.getpid(), threading.current_thread() is threading.main_thread(), os.getpgid(0)

    first, second = (session.submit(look, on=lone_worker).result() for _ in range(2))
    assert first == second
    assert first[1] is True
    assert first[2] == first[0]


def test_processes_draw_different_numbers(session, lone_worker):
    def draw():
        import numpy as np

        return np.random.random(), __import__("random").random()

    drawn = []
    for _ in range(3):
        drawn += session.submit(draw, on=lone_worker).result()
        with pytest.raises(WorkerDiedError):
            session.submit(os._exit, 0, on=lone_worker, retries=0).result(PATIENCE_S)
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
