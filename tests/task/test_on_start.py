"""What runs first in task processes: once in each, in new ones too, and its failure is told."""

import os
import signal
import sys
import time

import numpy as np
import pytest

import pilot_kernel
from pilot_kernel import worker_state
from pilot_kernel.errors import OnStartError, PilotError, ShipError, WorkerDiedError
from tests.conftest import PATIENCE_S, wait_until


def noted(path):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    return os.getpid()


def runs(path):
    return list(map(int, path.read_text().split())) if path.exists() else []


@pytest.fixture
def own(registry_home):
    """A session of the test's own, with two workers."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", cores_per_node=2)
        yield opened


def test_it_runs_once_in_every_task_process_before_its_next_task(own, tmp_path):
    path = tmp_path / "ran"
    own.broadcast(pow, 2, 2).result(PATIENCE_S)  # processes that had a task are prepared, too
    handle = own.on_start(lambda: noted(path), name="note")
    assert handle.name == "note"
    tasks = [own.submit(lambda: (os.getpid(), worker_state("note"))) for _ in range(6)]
    for task in tasks:
        pid, told = task.result(PATIENCE_S)
        assert pid == told
    pids = own.broadcast(os.getpid).result(PATIENCE_S)
    assert sorted(runs(path)) == sorted(pids)


def test_a_process_that_replaces_one_that_crashed_is_prepared_too(own, tmp_path):
    path = tmp_path / "ran"
    own.on_start(lambda: noted(path), name="note")
    own.broadcast(os.getpid).result(PATIENCE_S)
    crash = own.submit(os.kill, 0, signal.SIGKILL, retries=0)
    with pytest.raises(WorkerDiedError):
        crash.result(PATIENCE_S)
    pids = own.broadcast(lambda: worker_state("note")).result(PATIENCE_S)
    assert set(pids) <= set(runs(path))
    assert pids == own.broadcast(os.getpid).result(PATIENCE_S)


def test_workers_that_come_later_are_prepared_before_their_first_task(own, tmp_path):
    path = tmp_path / "ran"
    own.on_start(lambda: noted(path), name="note")
    own.add_pilot("local://", cores_per_node=2, name="later")
    told = own.broadcast(lambda: (os.getpid(), worker_state("note")), on="later")
    assert all(pid == state for pid, state in told.result(PATIENCE_S))


def test_it_may_be_for_the_workers_of_one_pilot_only(own):
    own.add_pilot("local://", cores_per_node=1, name="special")
    own.on_start(lambda: "here", name="where", on="special")
    assert own.submit(worker_state, "where", on="special").result(PATIENCE_S) == "here"
    with pytest.raises(PilotError, match="no on_start function 'where' has run in this process"):
        own.submit(worker_state, "where", on="local").result(PATIENCE_S)
    with pytest.raises(PilotError, match="nowhere"):
        own.on_start(print, on="nowhere")


def test_a_module_keeps_what_it_set(own):
    def load():
        import colorsys

        colorsys.loaded = np.arange(100_000)

    def use():
        import colorsys

        return int(colorsys.loaded.sum())

    own.on_start(load)
    assert own.submit(use).result(PATIENCE_S) == 4999950000


def test_one_of_the_same_name_takes_its_place_and_one_that_is_removed_runs_no_more(own, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    own.on_start(lambda: noted(first), name="load")
    own.broadcast(pow, 1, 1).result(PATIENCE_S)
    handle = own.on_start(lambda: noted(second), name="load")
    own.broadcast(pow, 1, 1).result(PATIENCE_S)
    assert (len(runs(first)), len(runs(second))) == (2, 2)
    handle.remove()
    own.add_pilot("local://", cores_per_node=1, name="late")
    own.broadcast(pow, 1, 1).result(PATIENCE_S)
    assert (len(runs(first)), len(runs(second))) == (2, 2)


def test_they_run_in_the_order_in_which_they_were_given(own):
    own.on_start(lambda: [1], name="first")
    own.on_start(lambda: [*worker_state("first"), 2], name="second")
    assert own.submit(worker_state, "second").result(PATIENCE_S) == [1, 2]
    own.add_pilot("local://", cores_per_node=1, name="late")
    assert own.submit(worker_state, "second", on="late").result(PATIENCE_S) == [1, 2]


def test_if_it_fails_tasks_fail_with_its_name_and_reason(own):
    def load():
        raise FileNotFoundError("data.csv")

    handle = own.on_start(load)
    task = own.submit(pow, 2, 3)
    with pytest.raises(
        OnStartError, match=r"(?s)'load' failed: FileNotFoundError: data\.csv.*in load"
    ):
        task.result(PATIENCE_S)
    assert isinstance(task.exception().__cause__, FileNotFoundError)
    handle.remove()
    assert own.submit(pow, 2, 3).result(PATIENCE_S) == 8


def test_if_it_crashes_the_task_is_given_up_and_it_is_named(own, tmp_path):
    own.on_start(lambda: os.kill(os.getpid(), signal.SIGSEGV), name="breaker")
    task = own.submit(noted, str(tmp_path / "ran"), name="victim")
    with pytest.raises(WorkerDiedError, match=r"'victim'.*in on_start function 'breaker'"):
        task.result(PATIENCE_S)
    assert not (tmp_path / "ran").exists()


def _note_limits():
    """On a worker: have what its task process is asked be told, with whether there is a limit."""
    from pilot_kernel.task.worker.running_task import Run

    ask, Run.limits = Run.ask, []

    def noting(self, process, parts, *, limited=True):
        Run.limits.append((limited, self.phase))
        return ask(self, process, parts, limited=limited)

    Run.ask = noting


def _limits():
    from pilot_kernel.task.worker.running_task import Run

    return Run.limits


def test_a_task_s_limit_does_not_count_for_it(own):
    client = own._link.client
    own.broadcast(pow, 2, 2).result(PATIENCE_S)
    client.run(_note_limits)
    own.on_start(lambda: None, name="first")
    assert own.submit(pow, 2, 3, timeout_s=60).result(PATIENCE_S) == 8
    (asked,) = [each for each in client.run(_limits).values() if each]
    assert asked == [(False, " in on_start function 'first'"), (True, "")]


def test_a_task_that_is_canceled_meanwhile_is_free(own):
    own.on_start(lambda: print("loading", flush=True) or time.sleep(600), name="slow")
    task = own.submit(pow, 2, 3)
    wait_until(lambda: "loading" in task.output.text())
    assert task.cancel()
    own.on_start(lambda: None, name="slow")
    assert own.broadcast(pow, 2, 3).result(PATIENCE_S) == [8, 8]


def test_it_outlives_the_notebook_that_gave_it(registry_home):
    with pilot_kernel.Session("prepared", idle_timeout_s=60) as session:
        session.add_pilot("local://", cores_per_node=1)
        session.on_start(lambda: "kept", name="state")
        session.detach()
    with pilot_kernel.Session("prepared") as again:
        assert again.attached
        again.add_pilot("local://", cores_per_node=1, name="more")
        assert again.submit(worker_state, "state", on="more").result(PATIENCE_S) == "kept"


def test_it_takes_a_function_that_can_be_sent(own):
    with pytest.raises(PilotError, match="takes a function, not int"):
        own.on_start(5)
    with pytest.raises(ShipError, match="cannot be sent"):
        own.on_start(lambda held=sys.stdout.buffer: held)
    with pytest.raises(PilotError, match="no on_start function 'nothing' has run"):
        worker_state("nothing")
