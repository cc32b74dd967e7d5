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
from pilot_kernel.errors import PilotError, WorkerDiedError
from pilot_kernel.task import shared_values
from pilot_kernel.task.notebook import handle
from pilot_kernel.task.wire import results
from tests.conftest import wait_until
from tests.task.remote_worker import PATIENCE_S, pids, remote_workers

LARGE = 3_000_000


def _files(session):
    return sorted(pathlib.Path(session._link.entry.scratch, "results").iterdir())


def _all_gone(session):
    for task in session.tasks:
        task.release()
    gc.collect()
    wait_until(lambda: not _files(session))


def _without_grace():
    shared_values._GRACE_S = 1.0  # for how long a shared value is kept that nobody needs


@pytest.fixture(scope="module")
def own(registry_home):
    """A session with a worker here, on `near`, and places for others, on `far`."""
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1, name="near")
        session._link.client.run_on_scheduler(_without_grace)
        far = session.add_pilot("local://", cores_per_node=1, name="far")
        wait_until(lambda: far.status.workers == 1)
        far.scale(0)
        wait_until(lambda: far.status.workers == 0)
        yield session


@pytest.fixture(scope="module")
def far(own):
    """Two workers elsewhere, `far-a` and `far-b`; who is killed is replaced by its nanny."""
    with remote_workers(own, "far-a", "far-b"):
        yield lambda: {n: p for n, p in pids(own._link.client).items() if n.startswith("far-")}


def test_a_large_result_is_on_the_agents_disk_before_anybody_hears_of_it(own, far):
    task = own.submit(np.arange, LARGE, on="far")
    concurrent.futures.wait([task])
    (file,) = _files(own)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert np.array_equal(task.result(), np.arange(LARGE))
    assert task.record.worker in far()
    _all_gone(own)


def _others(now, before):
    return now.keys() >= before.keys() and not {*now.values()} & {*before.values()}


def _kill(far, *names):
    """Kill workers that are elsewhere, or all; return when others are in their places."""
    before = {name: pid for name, pid in far().items() if name in names or not names}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: _others(far(), before), PATIENCE_S)


def test_nothing_is_lost_with_the_machine(own, far, tmp_path):
    runs = tmp_path / "runs"

    def once(size):
        with runs.open("a") as file:
            file.write("x")
        return np.arange(size)

    large = own.submit(once, LARGE, on="far")
    small = own.submit(once, 3, on="far")
    concurrent.futures.wait([large, small])
    _kill(far)
    assert own.submit(np.sum, large, on="near").result(60) == LARGE * (LARGE - 1) // 2
    assert own.submit(np.sum, small, on="near").result(60) == 3
    assert np.array_equal(large.result(), np.arange(LARGE))
    assert runs.read_text() == "xx"
    _all_gone(own)


def test_results_go_from_machine_to_machine(own, far):
    """A worker's own memory, the agent's disk: whoever needs one gets the same."""
    first = own.submit(np.arange, LARGE, on="near")
    total = LARGE * (LARGE - 1) // 2
    sums = [own.submit(np.sum, first, on="far") for _ in range(4)]
    assert [task.result(60) for task in sums] == [total] * 4
    second = own.submit(np.multiply, first, 2, on="far")
    third = own.submit(np.add, second, first, on="far")
    assert own.submit(np.sum, third, on="near").result(60) == 3 * total
    assert np.array_equal(third.result(), 3 * np.arange(LARGE))
    fourth = own.submit(np.add, third, first, on="far")
    concurrent.futures.wait([fourth])
    _kill(far)
    assert own.submit(np.sum, fourth, on="far").result(60) == 4 * total, "from the agent, now"
    assert own.submit(np.sum, third, on="near").result(60) == 3 * total, "after they went"
    _all_gone(own)


def test_a_notebook_on_another_machine_fetches_results(own, monkeypatch):
    monkeypatch.setattr(handle, "is_here", lambda kept: False)
    monkeypatch.setattr(handle, "read", None)
    task = own.submit(np.arange, LARGE, on="near")
    told = concurrent.futures.Future()
    task.add_done_callback(lambda done: told.set_result(int(done.result()[-1])))
    assert told.result(30) == LARGE - 1, "in a callback, too"
    assert np.array_equal(task.result(), np.arange(LARGE))
    assert task.result().flags.writeable
    _all_gone(own)


def _stretches_sent(dask_scheduler):
    return dask_scheduler.plugins["pilot-ledger"].store.given


def test_a_shared_value_goes_to_each_worker_once(own, far):
    data = np.random.default_rng(1).random(LARGE)
    shared = own.share(data)
    assert len(_files(own)) == 1

    def change(values, at):
        before = float(values.sum())
        values[:] = at
        return before

    sent = own._link.client.run_on_scheduler(_stretches_sent)
    tasks = [own.submit(change, shared, at, on=on) for at in range(8) for on in ("near", "far")]
    kept = repr(shared)
    shared.release()
    assert {task.result(60) for task in tasks} == {float(data.sum())}
    assert own._link.client.run_on_scheduler(_stretches_sent) - sent <= 2 * 6
    assert kept.startswith("<Shared ndarray, 24,000,")
    with pytest.raises(PilotError, match="was released"):
        own.submit(change, shared, 1)
    _all_gone(own)


def _stall(session, on):
    """Have the agent take and give nothing, or go on."""

    async def change(dask_scheduler):
        slots = dask_scheduler.plugins["pilot-ledger"].store._slots
        for _ in range(8):
            if on:
                await slots.acquire()  # when whoever has one is done
            else:
                slots.release()

    session._link.client.run_on_scheduler(change)


def _coming(session):
    return session._link.client.run_on_scheduler(
        lambda dask_scheduler: set(dask_scheduler.plugins["pilot-ledger"].store.coming)
    )


@pytest.fixture
def stalled(own, far):
    """The agent takes nothing until it is told to."""
    _stall(own, True)
    going = []
    yield lambda: going.append(_stall(own, False))
    if not going:
        _stall(own, False)


def test_a_worker_that_dies_amid_sending_has_not_finished(own, far, stalled, tmp_path):
    runs = tmp_path / "runs"

    def once():
        with runs.open("a") as file:
            file.write("x")
        return np.arange(LARGE)

    task = own.submit(once, on="far")
    wait_until(lambda: _coming(own) == {task.key})
    assert not task.done()
    _kill(far, task.record.worker)
    stalled()
    assert np.array_equal(task.result(60), np.arange(LARGE))
    assert runs.read_text() == "xx", "nobody had it"
    assert task.deaths == 1
    assert len(_files(own)) == 1
    _all_gone(own)


def test_a_task_that_is_canceled_amid_sending_frees_its_worker(own, far, stalled):
    tasks = [own.submit(np.arange, LARGE, on="far") for _ in range(2)]
    wait_until(lambda: _coming(own) == {task.key for task in tasks})
    for task in tasks:
        assert task.cancel()
    assert own.submit(pow, 2, 3, on="far").result(60) == 8
    stalled()
    _all_gone(own)
    wait_until(lambda: not _coming(own))


def test_a_task_that_is_canceled_while_it_waits_for_an_input_frees_its_worker(own, far, stalled):
    large = own.submit(np.arange, LARGE, on="near")
    tasks = [own.submit(len, large, on="far") for _ in range(2)]
    wait_until(lambda: all(each.running() for each in tasks))
    for task in tasks:
        task.cancel()
    assert own.submit(pow, 2, 3, on="far").result(60) == 8
    stalled()
    assert own.submit(len, large, on="far").result(60) == LARGE
    del large
    _all_gone(own)


def test_a_result_that_is_too_large_for_the_agent_stays_with_its_worker(own, far):
    def limit(bytes_):
        own._link.client.run_on_scheduler(lambda: _limit(bytes_))

    limit(10_000_000)
    try:
        large = own.submit(bytes, 11_000_000, on="far", name="large")
        concurrent.futures.wait([large])
        assert own.submit(len, large, on="far").result(60) == 11_000_000
        said = "(11.0 MB) is not kept on disk: if its worker dies, it is lost"
        assert said in large.output.text()
        wait_until(lambda: not _files(own))
        _kill(far)
        with pytest.raises(WorkerDiedError, match=r"'large' had finished.*was not run again"):
            large.result(30)
    finally:
        limit(results.TOTAL_BYTES)
    assert own.submit(len, own.submit(bytes, 11_000_000, on="far")).result(60) == 11_000_000
    del large
    _all_gone(own)


def _limit(bytes_):
    os.environ[results.TOTAL_VARIABLE] = str(bytes_)
