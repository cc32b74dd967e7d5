"""How a task's function is called on its worker.

So that it can be ended from outside, and so that whatever it raises can be sent back.
"""

import ctypes
import threading
import traceback
from collections.abc import Callable
from typing import Any

import cloudpickle
from distributed.worker import thread_state

from pilot_kernel.errors import TaskFailedError, TaskTimeoutError

__all__ = ["TaskCanceled", "TimeUp", "all_running", "call", "end", "running_in"]


class TaskCanceled(BaseException):
    """Raised inside a task's thread when nobody wants the task any more."""


class TimeUp(BaseException):
    """Raised inside a task's thread when it has run for `limit_s` seconds."""

    limit_s: float


_lock = threading.Lock()
_running: dict[str, int] = {}  # task key -> thread, while the task may be interrupted


def call(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call `fn` as a task.

    Raises:
        TaskTimeoutError: It was told that its time is up.
        TaskFailedError: It raised something that cannot be sent, or tried to end the process.
    """
    key = thread_state.key
    try:
        with _lock:
            _running[key] = threading.get_ident()
        try:
            return fn(*args, **kwargs)
        finally:
            with _lock:
                _running.pop(key, None)
    except TimeUp as late:
        raise TaskTimeoutError(f"the task ran longer than its {late.limit_s:g} s") from None
    except (SystemExit, KeyboardInterrupt) as error:
        # Either would end the worker, and with it tasks that are none of this one's business.
        raise TaskFailedError(f"the task raised {type(error).__name__}({error})") from None
    except Exception as error:
        if _survives(error):
            raise
        told = (
            f"{type(error).__qualname__}: {error}\n"
            "(this exception cannot be pickled; its traceback on the worker:)\n"
            + "".join(traceback.format_exception(error))
        )
    # Outside the handler: the new error must not drag the old one along as its context.
    raise TaskFailedError(told)


def end(key: str, signal: type[BaseException]) -> bool:
    """Raise `signal` inside the thread that runs a task; False if none does."""
    with _lock:  # the task cannot leave `call` meanwhile, so nothing else is hit
        thread = _running.get(key)
        if thread is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(signal)
            )
    return thread is not None


def running_in(key: str) -> int | None:
    """The thread that runs a task now."""
    return _running.get(key)


def all_running() -> list[str]:
    """The keys of the tasks that run now."""
    with _lock:
        return list(_running)


def _survives(error: Exception) -> bool:
    try:
        cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:  # noqa: BLE001 a foreign __reduce__ may raise anything
        return False
    return True
