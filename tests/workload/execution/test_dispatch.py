"""Chunks run heaviest first, are sized from what they cost, and leave nothing behind."""

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.dispatch import run_chunks
from qdreamer_lab.workload.execution.pace import Pace
from tests.conftest import wait_until


def work(value, seconds=0.01):
    return SimpleNamespace(value=value, seconds=seconds)


def chunk(value, cost, seconds=0.01):
    return Chunk(0, value, 4, 1, cost, work, (value, seconds), f"-part-{value}", shots=value)


class Heap:
    """Divisible work whose variants are the numbers 0, 1, 2, …"""

    def __init__(self, remaining, work_per_variant=1e6):
        self.remaining = remaining
        self.work_per_variant = work_per_variant
        self.sizes = []

    def take(self, number):
        self.sizes.append(number)
        self.remaining -= number
        cost = number * self.work_per_variant
        return Chunk(0, 0, 4, number, cost, work, (number, cost * 1e-8))


class PoolSession:
    def __init__(self, pool, workers=2):
        self.pool, self.workers = pool, workers
        self.names = []
        self.tasks = []

    def candidates(self, on=None):
        assert on == "cpu"
        many = self.workers
        return [SimpleNamespace(name="p", wanted=many, workers=many, memory_per_worker_bytes=2**30)]

    pilots_for = candidates

    def submit(self, fn, /, *args, name, on=None):
        self.names.append(name)
        task = self.pool.submit(fn, *args)
        self.tasks.append(task)
        return task


def kept(chunks, session=None, stop=None):
    seen = []
    run_chunks(
        chunks,
        session,
        on="cpu",
        stop=stop or threading.Event(),
        keep=lambda chunk, result, row: seen.append((chunk, result, row)),
    )
    return seen


def test_the_heaviest_goes_first_and_equals_keep_their_order():
    seen = kept([chunk(1, 5.0), chunk(2, 9.0), chunk(3, 5.0)])
    assert [result.value for _, result, _ in seen] == [2, 1, 3]
    assert [row.shots for _, _, row in seen] == [2, 1, 3]


def test_every_variant_runs_once_here_and_on_a_session():
    assert sum(result.value for _, result, _ in kept([Heap(500), Heap(3), Heap(0)])) == 503
    with ThreadPoolExecutor(2) as pool:
        seen = kept([Heap(500), chunk(7, 1.0)], PoolSession(pool))
    assert sum(result.value for _, result, _ in seen) == 507


def test_chunks_come_to_take_the_time_aimed_at():
    heap = Heap(2000, 1e6)  # 10 ms each, at the pace that `take` reports
    kept([heap])
    assert heap.sizes[1] == 30
    assert sum(heap.sizes) == 2000


def test_few_tasks_are_under_way_at_once():
    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(release.wait, 120)
        session, stop = PoolSession(pool), threading.Event()
        chunks = [chunk(k, 1.0) for k in range(100)]

        def run():
            with pytest.raises(CancelledError):
                kept(chunks, session, stop)

        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: len(session.names) >= 6)
        threading.Event().wait(0.1)  # for another to be submitted that must not
        assert session.names == [f"fragment-{k}-part-{k}" for k in range(6)]
        stop.set()
        thread.join()
        release.set()
    assert all(task.cancelled() for task in session.tasks)


def test_a_failure_cancels_what_was_submitted():
    class Failing(PoolSession):
        def submit(self, fn, /, *args, name, on=None):
            task = Future()
            if not self.tasks:
                task.set_exception(RuntimeError("worker lost"))
            self.tasks.append(task)
            return task

    session = Failing(None)
    with pytest.raises(RuntimeError, match="worker lost"):
        kept([chunk(k, 1.0) for k in range(3)], session)
    assert [task.cancelled() for task in session.tasks] == [False, True, True]


@given(
    st.integers(1, 10**6),
    st.floats(0, 1e12),
    st.floats(1, 100),
    st.integers(0, 64),
    st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1e3))),
)
def test_a_size_is_always_possible(remaining, each, more, workers, seen):
    pace = Pace()
    for done, seconds in seen:
        pace.saw(done, seconds)
    rest = remaining * each * more
    size = pace.size(remaining, each, rest, workers)
    assert 1 <= size <= remaining
    work = (size - 1) * each
    short = work * pace.seconds_per_work <= 0.04 * (1 + 1e-9)  # too short to be divided
    assert short or work * max(1, workers) <= rest * (1 + 1e-9)


def test_unknown_work_is_dealt_out_in_equal_parts():
    pace = Pace()
    sizes, left = [], 64
    while left:
        sizes.append(pace.size(left, 1.0, float(left), 4))
        left -= sizes[-1]
    assert sizes == [16, 16, 16, 16]


class Lending:
    """A session whose workers lend each other their cores; tasks wait until they are let go."""

    def __init__(self, workers):
        self.workers = workers
        self.asked = []
        self.waiting = {}

    def candidates(self, on=None):
        return [
            SimpleNamespace(
                name="p",
                wanted=self.workers,
                workers=self.workers,
                memory_per_worker_bytes=2**30,
                cores_per_worker=1,
                most_cores=self.workers,
            )
        ]

    pilots_for = candidates

    def submit(self, fn, /, *args, name, on=None, cores=None):
        task = Future()
        self.asked.append(cores)
        self.waiting[task] = cores
        if (cores or 1) <= self.workers:
            task.set_running_or_notify_cancel()
            task.set_result(fn(*args))
        return task


def wide(value):
    return Chunk(0, value, 24, 1, 1e9, work, (value,), threads=True)


def test_few_large_tasks_share_all_cores_and_many_have_one_each():
    session = Lending(8)
    assert [row.cores for _, _, row in kept([wide(k) for k in range(3)], session)] == [2, 2, 2]
    assert session.asked == [2, 2, 2]
    session = Lending(8)
    kept([wide(k) for k in range(9)], session)
    assert session.asked[0] is None
    session = Lending(8)
    ((_, _, row),) = kept([chunk(1, 1e9)], session)
    assert session.asked == [None]
    assert row.cores == 1


def test_a_task_that_waits_for_more_cores_than_are_left_is_asked_for_anew():
    session = Lending(8)
    real = session.submit

    def lose_most(fn, /, *args, **how):
        session.workers = 2
        return real(fn, *args, **how)

    session.submit = lose_most
    ((_, result, _),) = kept([wide(5)], session)
    assert result.value == 5
    assert session.asked == [8, 2]
    first = next(iter(session.waiting))
    assert first.cancelled()
