"""What cannot be sent to a worker or back is named, and costs nobody a process."""

import os
import sys
import threading

import pytest

import pilot_kernel
from pilot_kernel.errors import (
    ShipError,
    TaskFailedError,
)
from tests.conftest import PATIENCE_S


class _Raising:
    """Something whose pickling raises what would end a process."""

    def __init__(self, error, where):
        self.error, self.where = error, where

    def __reduce__(self):
        if self.where == "reduce":
            raise self.error
        return _rebuild, (self.error,)


def _rebuild(error):
    raise error


class _AwkwardError(Exception):
    def __init__(self, thing):
        super().__init__("the reason")
        self.thing = thing


@pytest.mark.parametrize("where", ["reduce", "rebuild"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("no")])
def test_an_exception_that_resists_pickling_costs_nobody_a_process(
    session, lone_worker, error, where
):
    def fail():
        raise _AwkwardError(_Raising(error, where))

    before = session.submit(os.getpid, on=lone_worker).result()
    with pytest.raises(TaskFailedError, match=r"_AwkwardError: the reason[\s\S]*in fail"):
        session.submit(fail, on=lone_worker).result(PATIENCE_S)
    assert session.submit(os.getpid, on=lone_worker).result() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ValueError("no")])
def test_a_result_that_resists_pickling_is_named(session, lone_worker, error):
    with pytest.raises(ShipError, match=rf"the result \(_Raising\) .* {type(error).__name__}"):
        session.submit(lambda: _Raising(error, "reduce"), on=lone_worker).result(PATIENCE_S)
    assert session.submit(lambda: "free", on=lone_worker).result(PATIENCE_S) == "free"


def test_a_task_of_another_session_stands_for_nothing_here(session):
    with pilot_kernel.Session() as other:
        other.add_pilot("local://", cores_per_node=1)
        task = other.submit(bytes, 300_000)
        with pytest.raises(ShipError, match=r"of another session: pass its result\(\) instead"):
            session.submit(len, task)
        assert session.submit(len, task.result(PATIENCE_S)).result(PATIENCE_S) == 300_000
    with pytest.raises(ShipError, match="of another session"):
        session.submit(len, task)


def _generate():
    yield 1


async def _coroutine():
    return 1


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (threading.Lock, r"the result \(lock\) cannot be sent: .*pickle"),
        (_generate, r"the result \(generator\).*return list"),
        (_coroutine, r"the result \(coroutine\).*asyncio\.run"),
        (sys._getframe, r"the result \(frame\)"),
    ],
)
def test_a_result_that_cannot_be_sent_is_named(session, function, complaint):
    with pytest.raises(ShipError, match=complaint):
        session.submit(function).result(PATIENCE_S)


def test_what_cannot_be_sent_to_a_worker_is_named_at_once(session):
    lock = threading.Lock()
    with pytest.raises(ShipError, match=r"argument 2 \(lock\) cannot be sent.*pickle"):
        session.submit(print, 1, lock)
    with pytest.raises(ShipError, match=r"argument 'file' \(lock\) cannot be sent"):
        session.submit(print, 1, file=lock)
    with pytest.raises(ShipError, match=r"the function \(.*lambda.*\) cannot be sent"):
        session.submit(lambda: lock)
    task = session.submit(pow, 2, 2)
    with pytest.raises(
        ShipError, match=r"argument 1 \(dict\) cannot be sent.*a task stands for its result"
    ):
        session.submit(print, {"nested": task})


def test_what_distributed_itself_raises_is_an_error_like_any_other(session):
    from distributed import Reschedule

    def raise_it(error):
        raise error

    with pytest.raises(Reschedule):
        session.submit(raise_it, Reschedule()).result(PATIENCE_S)
    with pytest.raises(TaskFailedError, match="CancelledError"):
        session.submit(raise_it, __import__("asyncio").CancelledError()).result(PATIENCE_S)
