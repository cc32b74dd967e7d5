"""Values that many tasks share: each gets a copy of its own, and nobody loses one."""

import concurrent.futures
import gc
import os
import pathlib
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError, ShipError
from pilot_kernel.task import shared_values
from pilot_kernel.task.shared_values import SharedValues
from pilot_kernel.task.wire import results
from pilot_kernel.task.wire.record import SHARES
from tests.conftest import wait_until

LARGE = 300_000


def _files(session):
    folder = pathlib.Path(session._link.entry.scratch, "results")
    return [file.name for file in folder.iterdir()]


def _change(values, by):
    total = float(np.sum(values))
    values[:] = by
    return total


@pytest.mark.parametrize("size", [10, LARGE])
def test_every_task_gets_a_copy_of_the_value_as_it_was(session, size):
    data = np.arange(float(size))
    shared = session.share(data)
    total = float(data.sum())
    data[:] = 0
    tasks = [session.submit(_change, shared, at) for at in range(6)]
    assert {task.result(60) for task in tasks} == {total}
    assert session.submit(_change, values=shared, by=1).result(60) == total, "by its name, too"


def test_in_a_list_and_beside_results_of_tasks(session):
    shared = session.share(np.arange(LARGE))
    task = session.submit(np.arange, LARGE)
    told = session.submit(
        lambda arrays, one: [int(each[-1]) for each in [*arrays, one]],
        [shared, task, shared],
        shared,
    )
    assert told.result(60) == [LARGE - 1] * 4


def test_it_does_not_travel_otherwise(session):
    shared = session.share(np.arange(LARGE))
    with pytest.raises(ShipError, match="as an argument or in a list"):
        session.submit(print, {"in a dict": shared})
    assert "ndarray" in repr(shared)


def test_what_cannot_be_sent_is_told_at_once(session):
    with pytest.raises(ShipError, match=r"the value \(lock\) cannot be shared"):
        session.share(threading.Lock())


def test_what_is_too_large_is_told_at_once(monkeypatch, registry_home):
    monkeypatch.setenv(results.TOTAL_VARIABLE, "1_000_000")
    with pilot_kernel.Session() as session:
        with pytest.raises(ShipError, match=r"2\.4 MB\) is not shared: there is no room"):
            session.share(np.arange(LARGE))
        shared = session.share(np.arange(LARGE // 10))
        assert session.submit(len, shared).result(60) == LARGE // 10
    with pytest.raises(PilotError, match="closed"):
        session.share(1)


def test_it_is_kept_for_as_long_as_somebody_needs_it(registry_home, tmp_path):
    gate = tmp_path / "gate"

    def wait():
        import time

        while not gate.exists():
            time.sleep(0.01)

    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        session._link.client.run_on_scheduler(_without_grace)
        held, shared = session.share(np.arange(LARGE)), session.share(np.arange(LARGE))
        first = session.submit(wait)
        second = session.submit(lambda array, _: int(array[-1]), shared, first)
        name = results.file_name(shared.key)
        wait_until(lambda: session.history([second.key]))  # without grace, it must have arrived
        del shared
        gc.collect()
        session._link.client.run_on_scheduler(_sweep)
        assert name in _files(session), "a task needs it that has not begun"
        gate.touch()
        assert second.result(60) == LARGE - 1
        wait_until(lambda: name not in _files(session))
        assert results.file_name(held.key) in _files(session)
        assert session.submit(len, held).result(60) == LARGE


def _without_grace():
    shared_values._GRACE_S = 0.0


def _sweep(dask_scheduler):
    dask_scheduler.plugins["pilot-ledger"].sweep()


def test_tasks_of_a_kernel_that_was_killed_still_get_it(registry_home, tmp_path):
    gate = tmp_path / "gate"
    program = (
        "import pilot_kernel, os, signal, time, pathlib; import numpy as np;"
        "s = pilot_kernel.session('sharing', idle_timeout_s=60);"
        "s.add_pilot('local://', cores_per_node=1);"
        f"gate = pathlib.Path({str(gate)!r});"
        "first = s.submit(lambda: [time.sleep(0.01) for _ in iter(gate.exists, True)] and None);"
        f"shared = s.share(np.arange({LARGE}));"
        "s.submit(lambda array, _: int(array[-1]), shared, first, name='late'); s.history();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL
    with pilot_kernel.Session("sharing") as session:
        late = next(task for task in session.tasks if task.name == "late")
        session._link.client.run_on_scheduler(_without_grace)
        session._link.client.run_on_scheduler(_sweep)
        assert len(_files(session)) == 1
        gate.touch()
        assert late.result(60) == LARGE - 1
        wait_until(lambda: not _files(session))


def test_a_killed_worker_takes_nothing_along(registry_home):
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        shared = session.share(np.arange(LARGE))
        pid = session.submit(lambda array: os.getppid(), shared).result(60)
        assert pid
        session._link.client.run_on_scheduler(_kill_workers)
        assert session.submit(len, shared).result(60) == LARGE


def _kill_workers(dask_scheduler):
    for ws in dask_scheduler.workers.values():
        os.kill(ws.pid, signal.SIGKILL)


def test_many_results_come_as_they_are_ready(session):
    shared = session.share(np.arange(LARGE))
    tasks = {session.submit(lambda array, at: int(array[at]), shared, at): at for at in range(1000)}
    seen = []
    for task in concurrent.futures.as_completed(tasks, 120):
        assert task.result() == tasks[task]
        seen.append(tasks[task])
    assert sorted(seen) == list(range(1000))


class _Waiting:
    def __init__(self, *keys):
        self.annotations = {SHARES: list(keys)} if keys else None


def test_the_agent_knows_who_needs_what(monkeypatch):
    book = SharedValues()
    for key, client in (("a", "one"), ("b", "one"), ("c", "two")):
        book.begin(key, client)
    assert book.wanted([_Waiting(), _Waiting("d")]) == {"a", "b", "c", "d"}
    book.client_went("one")
    assert book.wanted([_Waiting("b")]) == {"b", "c"}
    import asyncio

    asyncio.run(book.end("c"))
    assert book.wanted([]) == {"c"}, "a task that takes it may be on its way"
    monkeypatch.setattr(shared_values, "_GRACE_S", 0.0)
    assert book.wanted([]) == set()
    asyncio.run(book.end("unknown"))
    assert book.wanted([]) == set()


def _read_slowly(dask_scheduler):
    """Have the agent take a second to read what is submitted, as a busy machine may."""
    import time

    from distributed import scheduler

    read = scheduler._materialize_graph

    def late(*args, **graph):
        time.sleep(1.0)
        return read(*args, **graph)

    scheduler._materialize_graph = late


def test_what_is_submitted_just_before_detaching_is_found_again(registry_home):
    first = pilot_kernel.Session("hasty", idle_timeout_s=60)
    first.add_pilot("local://", cores_per_node=1)
    assert first.submit(pow, 2, 3).result() == 8
    first._link.client.run_on_scheduler(_read_slowly)
    task = first.submit(pow, 3, 3)
    first.detach()
    with pilot_kernel.Session("hasty") as again:
        assert task.key in [each.key for each in again.tasks]
        (found,) = (each for each in again.tasks if each.key == task.key)
        assert found.result(30) == 27
        assert not again.shared  # the first is not taken to be there still
