"""Sharing out work among threads: order, errors, nesting and forks."""

import contextlib
import os
import subprocess
import sys
import threading
import weakref

import pytest

from qdreamer_lab.engine.cpu import pool
from qdreamer_lab.engine.cpu.pool import spread

PATIENCE_S = 20


def thread_of(*_):
    return threading.get_ident()


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_results_come_in_the_order_of_the_parts(count, cores):
    found = spread(lambda a, b: (a, b), [(k, -k) for k in range(count)], cores)
    assert found == [(k, -k) for k in range(count)]


@pytest.mark.parametrize(("count", "cores"), [(1, 8), (5, 1)])
def test_one_part_or_one_core_is_done_here(count, cores):
    assert set(spread(thread_of, [()] * count, cores)) == {threading.get_ident()}


def test_several_threads_work_at_once_and_this_is_one_of_them():
    barrier = threading.Barrier(3)  # passed only if three calls run at the same time

    def meet():
        barrier.wait(PATIENCE_S)
        return threading.get_ident()

    found = spread(meet, [()] * 3, 3)
    assert len(set(found)) == 3
    assert threading.get_ident() in found


def test_no_more_threads_than_cores():
    lock, now, most = threading.Lock(), [0], [0]

    def count():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        sum(range(2000))
        with lock:
            now[0] -= 1

    spread(count, [()] * 200, 2)
    assert most[0] <= 2


@pytest.mark.parametrize("cores", [1, 2])
def test_the_error_of_the_first_failing_part_comes_out_and_the_rest_is_left(cores):
    begun = []

    def work(k):
        begun.append(k)
        if k >= 3:
            raise ValueError(k)

    with pytest.raises(ValueError, match=r"^3$"):
        spread(work, [(k,) for k in range(50)], cores)
    assert len(begun) < 50
    assert spread(lambda k: k, [(1,), (2,)], cores) == [1, 2]


def test_all_parts_under_way_have_ended_when_an_error_comes_out():
    started, ended = threading.Event(), threading.Event()

    def fails():
        started.wait(PATIENCE_S)
        raise KeyError("first")

    def goes_on():
        started.set()
        threading.Event().wait(0.05)
        ended.set()

    with pytest.raises(KeyError, match="first"):
        spread(lambda work: work(), [(fails,), (goes_on,)], 2)
    assert ended.is_set()


def test_inside_a_part_the_rest_is_done_in_the_same_thread():
    def outer():
        return threading.get_ident(), set(spread(thread_of, [()] * 4, 4))

    for me, inner in spread(outer, [()] * 4, 2):
        assert inner == {me}


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_kept_of_what_is_over(fails):
    class Thing:
        """Something that can be watched."""

    def work(thing):
        if fails:
            raise ValueError("as asked")
        return thing

    def use(things):
        with contextlib.suppress(ValueError):
            spread(work, [(thing,) for thing in things], 8)

    busy = threading.Event()
    waiting = threading.Thread(target=spread, args=(busy.wait, [(PATIENCE_S,)] * 64, 64))
    waiting.start()  # so that no thread is left to take what is cancelled out of the queue
    try:
        for _ in range(20):
            things = [Thing(), Thing()]
            watched = [weakref.ref(thing) for thing in things]
            use(things)
            del things
            assert [watch() for watch in watched] == [None, None]
    finally:
        busy.set()
        waiting.join(PATIENCE_S)


def test_where_no_thread_can_be_started_the_caller_does_it_all(monkeypatch):
    def refuses(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(pool, "_pool", pool._Pool())
    monkeypatch.setattr(threading.Thread, "start", refuses)
    assert spread(lambda k: (k, threading.get_ident()), [(1,), (2,), (3,)], 3) == [
        (k, threading.get_ident()) for k in (1, 2, 3)
    ]


def test_what_no_thread_was_started_for_is_called_off(monkeypatch):
    """Python queues work before it starts a thread: a later caller's threads would do it."""
    start, late = threading.Thread.start, []

    def refuses_once(thread):
        if not late:
            late.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(pool, "_pool", pool._Pool())
    monkeypatch.setattr(threading.Thread, "start", refuses_once)
    done = []
    spread(done.append, [(1,), (2,)], 2)
    spread(done.append, [(3,), (4,)], 2)
    assert sorted(done) == [1, 2, 3, 4]


def test_threads_of_a_program_that_is_ending_come_to_their_end():
    """Python joins other threads after it has closed all pools."""
    script = (
        "import threading, time\n"
        "from qdreamer_lab.engine.cpu.pool import spread\n"
        "def work():\n"
        "    while not closing(): time.sleep(0.001)\n"
        "    print(spread(pow, [(2, 3), (3, 2)], 2))\n"
        "from concurrent.futures import thread\n"
        "closing = lambda: thread._shutdown\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[8, 9]\n"


def test_many_callers_at_once_share_the_threads():
    callers = [
        threading.Thread(target=lambda k=k: found.__setitem__(k, spread(pow, squares(k), 4)))
        for k in range(30)
    ]
    found = {}
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE_S)
    assert found == {k: [k**2, (k + 1) ** 2, (k + 2) ** 2] for k in range(30)}


def squares(k):
    return [(k, 2), (k + 1, 2), (k + 2, 2)]


def test_a_forked_process_has_threads_of_its_own():
    spread(thread_of, [()] * 4, 4)  # so that there are threads to lose
    pid = os.fork()
    if pid == 0:
        barrier = threading.Barrier(2)
        try:
            spread(barrier.wait, [(PATIENCE_S,)] * 2, 2)
        except BaseException:  # noqa: BLE001 - a child must not return into pytest
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
