"""Where results are, who holds on to them, and that nobody makes them twice."""

import asyncio
import concurrent.futures
import gc
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError, WorkerDiedError
from pilot_kernel.task.wire import results
from pilot_kernel.task.wire.packing import pack
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S, wait_until, worker_pids

LARGE = 300_000


def _folder(session):
    return pathlib.Path(session._link.entry.scratch, "results")


def _files(session):
    return sorted(_folder(session).iterdir())


@pytest.fixture(scope="module")
def own(registry_home):
    """A session whose results nobody else holds, as other tests do those of the common one."""
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=2)
        yield session


@pytest.fixture
def clean(own):
    """That session without any files."""
    for task in own.tasks:
        task.release()
    gc.collect()
    wait_until(lambda: not _files(own))
    return own


def test_a_large_result_lies_in_a_file_that_only_its_owner_reads(clean):
    task = clean.submit(np.arange, LARGE)
    assert np.array_equal(task.result(), np.arange(LARGE))
    (file,) = _files(clean)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(_folder(clean).stat().st_mode) == 0o700
    assert file.stat().st_size == pytest.approx(8 * LARGE, rel=0.01)


def test_the_file_stays_for_as_long_as_somebody_needs_it(clean, tmp_path):
    gate = tmp_path / "gate"

    def wait():
        while not gate.exists():
            time.sleep(0.01)

    first = clean.submit(np.arange, LARGE)
    concurrent.futures.wait([first])
    second = clean.submit(lambda array, _: int(array[-1]), first, clean.submit(wait))
    first.release()
    del first
    gc.collect()
    time.sleep(0.1)  # for a file to be removed that must not be
    assert len(_files(clean)) == 1
    gate.touch()
    assert second.result() == LARGE - 1
    wait_until(lambda: not _files(clean))


def test_files_go_with_the_tasks_that_a_session_lists_no_more(clean, monkeypatch):
    for _ in range(3):
        clean.submit(bytes, LARGE).result()
    assert len(_files(clean)) == 3
    for _ in range(100):
        clean.submit(pow, 2, 2)
    concurrent.futures.wait(clean.tasks)
    wait_until(lambda: (gc.collect(), not _files(clean))[1])  # a task is settled after its end


def test_a_canceled_or_failed_task_leaves_no_file(clean):
    for delay in (0, 0.002, 0.005, 0.01):
        task = clean.submit(bytes, LARGE)
        time.sleep(delay)
        task.cancel()
    assert clean.submit(pow, 2, 2).result() == 4
    for task in clean.tasks:
        task.release()
    wait_until(lambda: not _files(clean))


@pytest.fixture
def tight(monkeypatch):
    """A session that keeps 1 MB of results on disk, with one worker."""
    monkeypatch.setenv(results.TOTAL_VARIABLE, "1_000_000")
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        yield session


def _count(path, size):
    with open(path, "a") as file:
        file.write("x")
    return bytes(size)


def test_what_is_too_large_says_so_and_is_lost_with_its_worker_but_not_run_again(tight, tmp_path):
    runs = tmp_path / "runs"
    small = tight.submit(_count, os.devnull, LARGE)
    assert len(small.result()) == LARGE
    large = tight.submit(_count, str(runs), 2_000_000, name="large")
    got = concurrent.futures.Future()
    large.add_done_callback(lambda task: got.set_result(len(task.result())))
    assert got.result(20) == 2_000_000, "in a callback, too"
    other = tight.submit(_count, str(runs), 2_000_000, name="large")
    assert tight.submit(len, other).result() == 2_000_000
    assert "(2.0 MB) is not kept on disk: if its worker dies, it is lost" in other.output.text()
    wait_until(lambda: len(_files(tight)) == 1)  # those of small results go at once
    (pid,) = worker_pids(tight).values()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match=r"'large' had finished.*was not run again"):
        tight.submit(len, other).result(30)
    with pytest.raises(WorkerDiedError, match=r"'large' had finished.*was not run again"):
        other.result(30)
    assert len(large.result()) == 2_000_000, "it was fetched before"
    assert len(small.result()) == LARGE
    assert tight.submit(len, small).result() == LARGE
    assert runs.read_text() == "xx"
    assert other.record.state is TaskState.DONE


def test_a_result_is_there_in_a_callback_and_afterwards(session):
    got = concurrent.futures.Future()
    task = session.submit(np.ones, 3_000_000)
    task.add_done_callback(lambda task: got.set_result(task.result()))
    assert got.result(20).shape == (3_000_000,)
    assert task.result().shape == (3_000_000,)


def test_a_new_process_finds_large_results_and_large_running_tasks():
    program = (
        "import pilot_kernel, os, signal; s = pilot_kernel.session('large', idle_timeout_s=60);"
        "s.submit(bytes, 10**6, name='early').result(); s.submit(bytes, 10**6, name='gone');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with pilot_kernel.Session("large") as session:
        early = next(task for task in session.tasks if task.name == "early")
        for pid in worker_pids(session).values():
            os.kill(pid, signal.SIGKILL)
        assert early.result(30) == bytes(10**6)
        assert session.submit(len, early).result(30) == 10**6
        assert early.state is TaskState.DONE
        entry = session._link.entry
    assert not os.path.exists(entry.scratch)


def _open(gate):
    while not gate.exists():
        time.sleep(0.01)


def test_a_wait_that_was_given_up_says_nothing(session, tmp_path, recwarn, caplog):
    async def give_up(task):
        async with asyncio.timeout(0.01):
            await task

    gc.collect()  # what other tests have left says so now
    recwarn.clear()
    caplog.clear()
    task = session.submit(_open, tmp_path / "gate")
    with pytest.raises(TimeoutError):
        asyncio.run(give_up(task))
    (tmp_path / "gate").touch()
    task.result()
    wait_until(lambda: session.submit(pow, 2, 2).result() == 4)
    # Servers that other tests have made in this process may still say what broke there.
    assert not [each for each in caplog.messages if "Server._handle_comm" not in each]
    assert not list(recwarn)


def _write(folder, key, size, writer="worker"):
    return results.write(pack(bytes(size)), str(folder), key, writer)


def test_there_is_room_for_so_much_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setenv(results.TOTAL_VARIABLE, "100_000")
    first = _write(tmp_path, "first", 60_000)
    assert results.read(first) == bytes(60_000)
    assert _write(tmp_path, "second", 60_000) is None
    results.remove(str(tmp_path), "first")
    assert _write(tmp_path, "second", 60_000) is not None
    assert _write(tmp_path, "small", 1).size < 100, "those are always kept"
    results.remove(str(tmp_path), "second")
    monkeypatch.setattr(results, "EACH_BYTES", 50_000)
    assert _write(tmp_path, "third", 60_000) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_half_a_result_is_not_found_and_goes_with_its_task(tmp_path):
    folder = str(tmp_path)
    for writer in ("ended", "killed"):
        pathlib.Path(results._draft(folder, "key", writer)).touch()
    assert results.find(folder, "key") is None
    results.remove_draft(folder, "key", "ended")
    results.sweep(folder, ["key"])
    assert len(list(tmp_path.iterdir())) == 1, "its writer may be at it"
    results.sweep(folder, ["other"])
    assert not list(tmp_path.iterdir())


def test_two_workers_that_have_one_task_do_not_meet_in_its_file(tmp_path):
    """The one that was given up is amid writing, while the other finishes."""
    folder = str(tmp_path)
    with open(results._draft(folder, "key", "given up"), "wb") as half:
        kept = _write(folder, "key", 1000, "other")
        half.write(b"nonsense")
        half.flush()
        results.remove_draft(folder, "key", "given up")
        assert results.read(results.find(folder, "key")) == results.read(kept) == bytes(1000)


def test_what_is_wanted_is_not_swept_away(tmp_path):
    kept = [_write(tmp_path, key, 10) for key in ("wanted", "unwanted")]
    results.sweep(str(tmp_path), ["wanted", "no file"])
    assert [os.path.exists(each.path) for each in kept] == [True, False]
    results.sweep(str(tmp_path / "gone"), [])


def test_nobody_waits_for_another_large_result_on_the_loop(tight, tmp_path):
    """Its loop would wait for itself; it says so instead."""
    large = tight.submit(bytes, 2_000_000)
    concurrent.futures.wait([large])
    raised = concurrent.futures.Future()

    def ask(_):
        try:
            raised.set_result(large.result())
        except PilotError as error:
            raised.set_exception(error)

    tight.submit(_open, tmp_path / "gate").add_done_callback(ask)
    (tmp_path / "gate").touch()
    with pytest.raises(PilotError, match="a thread of your own"):
        raised.result(PATIENCE_S)
    assert len(large.result()) == 2_000_000
