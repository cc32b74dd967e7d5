"""A call on every worker: once on each, in order, and never elsewhere."""

import os
import signal
import time

import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError, PlacementError, TaskTimeoutError, WorkerDiedError
from pilot_kernel.task.notebook.broadcast_task import in_order
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S, wait_until, worker_pids


def appended(path, word=None):
    with open(path, "a") as file:
        file.write(f"{word or os.getpid()}\n")
    return os.getpid()


@pytest.fixture(scope="module")
def wide(registry_home):
    """A session with a pilot of eleven workers, so that a ten comes after a nine."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", cores_per_node=11, name="wide")
        yield opened


@pytest.fixture
def own(registry_home):
    with pilot_kernel.Session() as opened:
        yield opened


def test_it_runs_once_on_every_worker_and_results_are_in_their_order(wide, tmp_path):
    task = wide.broadcast(appended, str(tmp_path / "ran"))
    pids = task.result(PATIENCE_S)
    assert task.workers == tuple(f"wide-{number}" for number in range(11))
    assert sorted(map(int, (tmp_path / "ran").read_text().split())) == sorted(pids)
    assert len(set(pids)) == 11
    records = wide.history([part.key for part in task.parts])
    assert [record.worker for record in records] == list(task.workers)
    assert (task.state, task.progress) == (TaskState.DONE, (11, 11))
    assert (task.record.state, task.record.pilot) == (TaskState.DONE, "wide")
    again = wide.broadcast(appended, str(tmp_path / "ran"))
    assert again.result(PATIENCE_S) == pids
    assert [each.key for each in wide.tasks[-2:]] == [task.key, again.key]


def test_it_does_not_run_on_workers_that_are_leaving(own):
    steady = own.add_pilot("local://", cores_per_node=1, name="steady")
    going = own.add_pilot("local://", cores_per_node=1, name="going")
    wait_until(lambda: steady.status.workers == going.status.workers == 1)
    held = own.submit(time.sleep, 600, on="going")
    wait_until(held.running)
    going.drain()
    task = own.broadcast(os.getpid)
    assert task.workers == ("steady-0",)
    assert len(task.result(PATIENCE_S)) == 1
    held.cancel()


def test_names_are_sorted_by_their_numbers():
    names = ["b-10-1", "b-10-0", "b-9", "a-2", "a-10"]
    assert sorted(names, key=in_order) == ["a-2", "a-10", "b-9", "b-10-0", "b-10-1"]


def test_a_busy_worker_runs_it_when_it_is_free_and_no_other_does_instead(wide, tmp_path):
    gate = tmp_path / "gate"

    def hold(path):
        while not os.path.exists(path):
            time.sleep(0.01)

    held = [wide.submit(hold, str(gate)) for _ in range(3)]
    wait_until(lambda: all(task.running() for task in held))
    task = wide.broadcast(os.getpid)
    wait_until(lambda: task.progress[0] == 8)
    assert not task.done()
    assert task.state is TaskState.RUNNING
    gate.touch()
    assert len(set(task.result(PATIENCE_S))) == 11


def test_what_workers_write_is_marked_with_their_names(session, lone_worker):
    def talk():
        print("one")
        os.system("printf two")
        print()
        print("three", end="")

    task = session.broadcast(talk, on=lone_worker)
    assert task.result(PATIENCE_S) == [None]
    assert task.output.text() == "[one-0] one\n[one-0] two\n[one-0] three\n"
    assert task.output.text() == "[one-0] one\n[one-0] two\n[one-0] three\n"


def test_an_error_names_the_worker_and_the_others_come_to_their_end(wide, tmp_path):
    first = wide.broadcast(os.getpid).result(PATIENCE_S)[4]

    def fail(path, pid):
        appended(path)
        if os.getpid() == pid:
            raise KeyError("lost")
        return "well"

    task = wide.broadcast(fail, str(tmp_path / "ran"), first)
    with pytest.raises(KeyError, match="lost") as caught:
        task.result(PATIENCE_S)
    assert caught.value.__notes__ == ["raised on worker wide-4"]
    assert task.state is TaskState.FAILED
    assert len((tmp_path / "ran").read_text().split()) == 11
    assert [part.result() for part in task.parts if part is not task.parts[4]] == ["well"] * 10


def test_a_time_limit_counts_on_each_and_its_error_names_the_worker(session, lone_worker):
    task = session.broadcast(time.sleep, 60, on=lone_worker, timeout_s=0.2)
    with pytest.raises(TaskTimeoutError, match=r"on worker one-0: .*longer than its 0\.2 s"):
        task.result(PATIENCE_S)


def test_it_can_be_canceled_on_all_workers(wide, tmp_path):
    task = wide.broadcast(time.sleep, 60, name="nap")
    wait_until(lambda: task.state is TaskState.RUNNING)
    assert task.cancel()
    assert task.cancelled()
    assert task.state is TaskState.CANCELED
    assert all(part.cancelled() for part in task.parts)
    assert len(wide.broadcast(os.getpid).result(PATIENCE_S)) == 11


def test_it_fails_where_the_worker_dies_and_does_not_run_elsewhere(tmp_path):
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=2)
        ran = tmp_path / "ran"
        ran.touch()

        def linger(path):
            appended(path)
            time.sleep(60)

        task = session.broadcast(linger, str(ran), name="linger")
        wait_until(lambda: len(ran.read_text().split()) == 2)
        os.kill(worker_pids(session)["local-1"], signal.SIGKILL)
        wait_until(task.parts[1].done)
        with pytest.raises(WorkerDiedError, match="there and nowhere else"):
            task.parts[1].result(PATIENCE_S)
        assert not task.parts[0].done()
        assert len(ran.read_text().split()) == 2
        # The one that took its place is a new worker: a later call finds it.
        task.parts[0].cancel()
        wait_until(lambda: session.pilots[0].status.workers == 2)
        assert session.broadcast(pow, 2, 3).result(PATIENCE_S) == [8, 8]


def test_it_fails_where_the_pilot_is_stopped_before_its_worker_was_free(session, tmp_path):
    pilot = session.add_pilot("local://", cores_per_node=1, name="short")
    wait_until(lambda: pilot.status.workers == 1)
    busy = session.submit(time.sleep, 60, on="short")
    wait_until(busy.running)
    task = session.broadcast(os.getpid, on="short")
    busy.cancel()
    blocked = session.broadcast(time.sleep, 60, on="short", name="blocked")
    assert isinstance(task.result(PATIENCE_S)[0], int)
    wait_until(lambda: blocked.state is TaskState.RUNNING)
    waiting = session.broadcast(os.getpid, on="short")
    pilot.stop()
    for each in (blocked, waiting):
        with pytest.raises(WorkerDiedError, match=r"on worker short-0: .*nowhere else"):
            each.result(PATIENCE_S)


def test_workers_that_are_about_to_come_are_waited_for():
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=3)
        assert len(set(session.broadcast(os.getpid).result(PATIENCE_S))) == 3


def test_where_none_is_up_it_says_so(session, monkeypatch):
    monkeypatch.setattr("pilot_kernel.sessions.spmd._COMING_S", 0.1)
    pilot = session.add_pilot("local://", cores_per_node=1, name="none")
    pilot.scale(0)
    with pytest.raises(PlacementError, match=r"no worker that fits is up yet.*none"):
        session.broadcast(os.getpid, on="none")
    pilot.stop()
    with pytest.raises(PlacementError, match=r"nowhere.*names nothing"):
        session.broadcast(os.getpid, on="nowhere")
    with pytest.raises(PilotError, match="takes a function, not int"):
        session.broadcast(5)


def test_it_can_be_awaited_and_released(session, lone_worker):
    import asyncio

    async def wait():
        return await session.broadcast(pow, 2, 5, on=lone_worker)

    assert asyncio.run(wait()) == [32]
    task = session.broadcast(pow, 2, 5, on=lone_worker)
    assert task.result(PATIENCE_S) == [32]
    task.release()
    with pytest.raises(PilotError, match="was released"):
        task.result()
