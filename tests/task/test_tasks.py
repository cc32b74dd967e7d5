import asyncio
import concurrent.futures
import os
import pathlib
import time
import traceback

import pytest

from pilot_kernel.errors import PilotError, PlacementError, TaskFailedError, TaskTimeoutError
from pilot_kernel.sessions.tasks import TaskBook
from pilot_kernel.task.wire.record import TaskState
from pilot_kernel.task.wire.results import file_name
from tests.conftest import PATIENCE_S, wait_until


def test_a_task_runs_on_a_worker_and_is_recorded(session):
    task = session.submit(lambda x: (os.getpid(), x + 1), 41, name="answer")
    pid, value = task.result()
    assert value == 42
    assert pid != os.getpid()
    record = task.record
    assert (record.name, record.state, record.pilot) == ("answer", TaskState.DONE, "local")
    assert record.queued <= record.started <= record.finished
    assert record.worker.startswith("local-")


def test_results_go_from_task_to_task(session):
    first = session.submit(lambda: 20)
    assert session.submit(lambda x, y: x + sum(y), first, [first, 2]).result() == 42


def test_a_released_value_is_gone_from_here_and_from_the_disk(session):
    task = session.submit(bytes, 10**6)
    assert len(task.result()) == 10**6
    where = pathlib.Path(session._link.entry.scratch, "results", file_name(task.key))
    assert where.exists()
    task.release()
    wait_until(lambda: not where.exists())
    assert task.record.state is TaskState.DONE
    with pytest.raises(PilotError, match="released"):
        task.result()


def test_it_is_a_future(session):
    tasks = [session.submit(pow, number, 2) for number in range(10)]
    done, pending = concurrent.futures.wait(tasks, timeout=30)
    assert (len(done), len(pending)) == (10, 0)
    called = concurrent.futures.Future()
    tasks[3].add_done_callback(lambda task: called.set_result(task.result()))
    assert called.result(10) == 9


def test_it_can_be_awaited(session):
    async def main():
        return await asyncio.gather(*(session.submit(pow, number, 2) for number in range(3)))

    assert asyncio.run(main()) == [0, 1, 4]


def _wait_for(gate):
    while not gate.exists():
        time.sleep(0.01)
    return "late"


def test_waiting_can_time_out_while_the_task_goes_on(session, tmp_path):
    task = session.submit(_wait_for, tmp_path / "gate")
    with pytest.raises(TimeoutError):
        task.result(0.01)
    (tmp_path / "gate").touch()
    assert task.result(60) == "late"


def _divide(x):
    return 1 / x


def test_an_exception_comes_back_with_the_remote_traceback(session):
    task = session.submit(_divide, 0)
    with pytest.raises(ZeroDivisionError) as caught:
        task.result()
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "_divide"
    assert "call" not in frames
    assert task.state is TaskState.FAILED
    assert task.record.state is TaskState.FAILED


def _raise_unpicklable():
    class LocalError(Exception):
        def __reduce__(self):
            raise TypeError("no")

    raise LocalError("the reason")


def test_an_unpicklable_exception_comes_back_as_text(session):
    with pytest.raises(TaskFailedError, match=r"LocalError: the reason[\s\S]*_raise_unpicklable"):
        session.submit(_raise_unpicklable).result()


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_a_task_cannot_end_its_worker_politely(session, end):
    def leave():
        raise end(3)

    with pytest.raises(TaskFailedError, match=end.__name__):
        session.submit(leave).result()


def test_output_streams_while_the_task_runs(session, tmp_path):
    gate = tmp_path / "gate"

    def talk():
        import sys

        print("one")
        print("two", file=sys.stderr)
        while not gate.exists():
            time.sleep(0.01)
        print("three")

    task = session.submit(talk)
    wait_until(lambda: "two" in task.output.text())
    assert task.state is TaskState.RUNNING
    gate.touch()
    task.result()
    assert task.output.text("stdout") == "one\nthree\n"
    assert task.output.text("stderr") == "two\n"


def test_what_a_task_printed_before_submit_returned_is_not_lost(session, monkeypatch):
    follow = TaskBook.follow

    def late(self, key, future, **options):
        while future.status == "pending":
            time.sleep(0.01)
        time.sleep(0.3)  # all news of it has come by now
        return follow(self, key, future, **options)

    monkeypatch.setattr(TaskBook, "follow", late)
    task = session.submit(print, "quick")
    assert task.result() is None
    assert task.output.text() == "quick\n"


def test_a_hundred_thousand_lines_arrive_in_order(session):
    def talk():
        for number in range(100_000):
            print(number)

    task = session.submit(talk)
    task.result()
    assert task.output.text() == "".join(f"{number}\n" for number in range(100_000))


def test_endless_output_is_cut_and_says_so(session, monkeypatch):
    task = session.submit(lambda: [print("x" * 99_999) for _ in range(100)] and None)
    task.result()
    text = task.output.text()
    assert len(text) < 8_100_000
    assert "2,000,000 characters more" in text


def test_two_hundred_megabytes_come_back(session):
    import numpy as np

    value = session.submit(lambda: __import__("numpy").arange(25_000_000.0)).result()
    assert value.nbytes == 200_000_000
    assert np.array_equal(value[::1_000_000], np.arange(0, 25_000_000.0, 1_000_000))


@pytest.mark.parametrize("sleep", [60.0, 0.01])
def test_cancel_frees_the_worker(session, sleep):
    def busy():
        for _ in range(int(60 / sleep)):
            time.sleep(sleep)

    tasks = [session.submit(busy) for _ in range(2)]
    wait_until(lambda: all(task.running() for task in tasks))
    assert all(task.cancel() for task in tasks)
    assert not tasks[0].cancel() or tasks[0].cancelled()
    assert session.submit(lambda: "free").result(PATIENCE_S) == "free"
    assert tasks[0].state is TaskState.CANCELED
    with pytest.raises(concurrent.futures.CancelledError):
        tasks[0].result()
    wait_until(lambda: tasks[0].record.state is TaskState.CANCELED)


@pytest.mark.parametrize("sleep", [60.0, 0.01])
def test_a_task_that_runs_too_long_fails_and_is_not_retried(session, sleep):
    def busy():
        for _ in range(int(60 / sleep)):
            time.sleep(sleep)

    task = session.submit(busy, timeout_s=0.3)
    with pytest.raises(TaskTimeoutError, match=r"longer than its 0\.3 s"):
        task.result(PATIENCE_S)
    assert task.record.deaths == 0


def test_on_names_a_pilot_or_a_kind(session):
    task = session.submit(lambda: 1, on="local")
    assert task.result() == 1
    with pytest.raises(PlacementError, match=r"on='gpu' names nothing here; there is: cpu, local"):
        session.submit(lambda: 1, on="gpu")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((3,), "takes a function, not int"),
    ],
)
def test_submit_refuses_nonsense(session, arguments, complaint):
    with pytest.raises(PilotError, match=complaint):
        session.submit(*arguments)
    with pytest.raises(PilotError, match="timeout_s=0"):
        session.submit(print, timeout_s=0)
    with pytest.raises(PilotError, match="retries=-1"):
        session.submit(print, retries=-1)


def test_late_binding_uses_a_pilot_that_comes_later(session, tmp_path):
    tasks = [session.submit(_wait_for, tmp_path / "gate") for _ in range(24)]
    wait_until(lambda: sum(task.running() for task in tasks) == 2)
    late = session.add_pilot("local://", name="late", cores_per_node=2)
    try:
        wait_until(lambda: sum(task.running() for task in tasks) == 4)
        (tmp_path / "gate").touch()
        for task in tasks:
            task.result()
        pilots = {record.pilot for record in session.history([task.key for task in tasks])}
        assert pilots == {"local", "late"}
    finally:
        late.stop()
    assert [pilot.name for pilot in session.pilots] == ["local"]


def test_a_pilot_grows_and_shrinks_without_losing_results(session):
    pilot = session.add_pilot("local://", name="elastic", cores_per_node=1)
    try:
        kept = session.submit(lambda: b"x" * 100_000, on="elastic")
        concurrent.futures.wait([kept])
        pilot.scale(2)
        wait_until(lambda: pilot.status.workers == 2)
        pilot.scale(1)
        wait_until(lambda: pilot.status.workers == 1)
        assert len(kept.result()) == 100_000
        assert kept.record.deaths == 0
    finally:
        pilot.stop()


def test_nothing_is_sent_to_a_pilot_that_was_stopped(session):
    pilot = session.add_pilot("local://", name="brief", cores_per_node=1)
    assert session.submit(lambda: 1, on="brief").result() == 1
    pilot.stop()
    with pytest.raises(PlacementError, match="on='brief'"):
        session.submit(lambda: 1, on="brief")


def test_one_name_for_one_pilot(session):
    with pytest.raises(PilotError, match="a pilot called 'local' already"):
        session.add_pilot("local://", name="local")
