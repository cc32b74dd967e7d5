"""The agent's book of tasks by itself, with what it needs of a scheduler."""

from types import SimpleNamespace

import pytest

from pilot_kernel.resource import worker_environment
from pilot_kernel.task.ledger import Ledger
from pilot_kernel.task.wire import results
from pilot_kernel.task.wire.packing import pack
from pilot_kernel.task.wire.record import TOPIC, TaskRecord, TaskState


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(worker_environment.RESULTS, str(tmp_path))
    return tmp_path


@pytest.fixture
def ledger():
    """One that has a record of a task called `key`, which the scheduler has forgotten."""
    made = Ledger()
    made.scheduler = SimpleNamespace(tasks={}, settle=lambda key, recipe: None)
    made.records["key"] = TaskRecord("key", "key", TaskState.CANCELED, queued=0.0)
    return made


def _known(state):
    return SimpleNamespace(key="key", state=state, annotations=None)


@pytest.mark.parametrize("size", [1, 100_000])
def test_the_result_of_a_task_that_finished_as_it_was_canceled_goes_at_once(folder, ledger, size):
    packed = pack(bytes(size))
    kept = results.write(packed, str(folder), "key", "worker")
    small = {"result": packed.header}
    large = {"kept": {"path": kept.path, "size": kept.size}}
    ledger.log_event(TOPIC, {"key": "key", **(small if size == 1 else large)})
    assert not list(folder.iterdir())
    assert not ledger.kept


@pytest.mark.parametrize(
    ("state", "stays"),
    [(None, False), ("erred", False), ("processing", True), ("memory", True), ("released", True)],
)
def test_files_of_tasks_that_nobody_knows_or_that_failed_are_swept_away(
    folder, ledger, state, stays
):
    results.write(pack(1), str(folder), "key", "worker")
    if state is not None:
        ledger.scheduler.tasks["key"] = _known(state)
    ledger.sweep()
    assert bool(list(folder.iterdir())) is stays
