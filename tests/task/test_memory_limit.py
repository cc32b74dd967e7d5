"""What a task may take of a machine's memory that is shared, without taking it."""

from types import SimpleNamespace

import pytest

from pilot_kernel.resource.neighbours import MEMORY_SHARE
from pilot_kernel.task.worker import memory_limit
from pilot_kernel.task.worker.memory_limit import MemoryLimit


def worker(limit):
    """As much of a Dask worker as is needed."""
    manager = SimpleNamespace(memory_limit=limit)
    return SimpleNamespace(memory_manager=manager, stream_handlers={})


@pytest.mark.parametrize(
    ("taken", "short", "span", "told"),
    [
        (10**9, True, 1, ""),
        (2 * 10**9, False, 1, ""),
        (2 * 10**9, True, 1, "may count on 1.00 GB"),
        (2 * 10**9, True, 2, ""),
        (5 * 10**9, False, 1, "may use 4.00 GB"),
        (9 * 10**9, False, 2, "may use 8.00 GB"),
    ],
)
def test_above_its_share_a_task_goes_on_until_memory_is_short(
    monkeypatch, taken, short, span, told
):
    dask_worker = worker(4 * 10**9)
    limit = MemoryLimit(dask_worker)
    excess = limit.excess(span)
    dask_worker.stream_handlers[MEMORY_SHARE](memory_bytes=10**9)  # while the task runs
    monkeypatch.setattr(memory_limit, "_short", lambda: short)
    assert bool(excess(taken)) == bool(told)
    assert told in excess(taken)
    assert limit.most(span) == span * 4 * 10**9


def test_without_a_limit_nothing_is_looked_at():
    limit = MemoryLimit(worker(None))
    assert limit.excess(1) is None
    assert limit.most(2) is None


@pytest.mark.parametrize(
    ("free", "left", "short"),
    [(50, None, False), (10, None, True), (50, 10, True), (50, 20, False)],
)
def test_the_machine_or_the_control_group_may_be_short(monkeypatch, free, left, short):
    machine = SimpleNamespace(available=free)
    monkeypatch.setattr(memory_limit.psutil, "virtual_memory", lambda: machine)
    monkeypatch.setattr(memory_limit.allowance, "memory_left_bytes", lambda: left)
    monkeypatch.setattr(memory_limit.allowance, "memory_bytes", lambda: 100)
    assert memory_limit._short() == short
