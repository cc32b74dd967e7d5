"""How a task's function is called in its process, and what becomes of what it returns or raises."""

import json
import os
import signal
import traceback
from types import FrameType
from typing import Any

import cloudpickle
import tblib.pickling_support

from pilot_kernel.task.process import cores, job_notes, streams
from pilot_kernel.task.wire import results
from pilot_kernel.task.wire.messages import STOP, TIME_UP, Kind, Message
from pilot_kernel.task.wire.packing import Packed, pack, reason, unpack, unpack_call

__all__ = ["TaskCanceled", "TimeUp", "answer", "listen"]


class TaskCanceled(BaseException):
    """Raised in a task that was canceled."""


class TimeUp(BaseException):
    """Raised in a task when it has run for as long as it may."""


_armed = False


def listen() -> None:
    """Let the two signals raise in the main thread while a task runs there."""
    for number in (STOP, TIME_UP):
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _armed
    if _armed:
        _armed = False  # once: what the task does to clean up is not cut short
        streams.interrupt(TaskCanceled if number == STOP else TimeUp)


def answer(request: Message) -> Message:
    """Call what was asked for."""
    global _armed
    process = os.getpid()
    try:
        _armed = True
        try:
            return _call(request)
        finally:
            _armed = False
            if os.getpid() != process:
                os._exit(0)  # a task has forked, and this is the copy
    except (TaskCanceled, TimeUp):
        return Kind.ENDED, []
    except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        # Either would end the process, and with it what it holds for tasks to come.
        return _in_words(f"the task raised {type(error).__name__}({error})")
    except BaseException as error:  # noqa: BLE001 whatever a task raises is its answer
        return _raised(error)


def _call(request: Message) -> Message:
    order = json.loads(bytes(request[1][0]))
    parts = iter(request[1][1:])
    packed = [Packed(next(parts), tuple(next(parts) for _ in range(n))) for n in order["buffers"]]
    inputs = [
        unpack(packed[at]) if isinstance(at, int) else results.read(results.Kept(**at))
        for at in order["inputs"]
    ]
    fn, args, kwargs = unpack_call(packed[0], inputs)
    del inputs, packed, parts
    request[1].clear()  # what the task lets go of is free
    with (
        cores.given(order.get("cores"), order.get("memory")),
        job_notes.of_task(order["keep"]),
    ):
        result = fn(*args, **kwargs)
    del fn, args, kwargs
    try:
        sent = pack(result)
    except (TaskCanceled, TimeUp):
        raise
    except BaseException as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
        return Kind.UNSENDABLE, [_words(_unsendable(result, error))]
    return _deliver(sent, order["keep"])


def _deliver(sent: Packed, keep: Any) -> Message:
    """Leave the result on disk, where it survives this process and its worker.

    A small one is sent all the same. Its file is for the case that the worker dies before the agent
    has heard of it.
    """
    if keep is not None:
        where = results.write(sent, **keep)
        if where is not None and sent.size > results.SMALL_BYTES:
            return Kind.KEPT, [json.dumps({"path": where.path, "size": where.size}).encode()]
    return Kind.VALUE, [sent.header, *sent.buffers]


def _unsendable(result: Any, error: BaseException) -> str:
    kind = type(result).__name__
    hint = ""
    if kind in ("coroutine", "async_generator"):
        hint = "; a task runs plain functions, so let it call asyncio.run()"
        getattr(result, "close", lambda: None)()  # else Python warns that it was never awaited
    elif kind == "generator":
        hint = "; return list(...) of it"
    return f"the result ({kind}) cannot be sent: {reason(error)}{hint}"


def _raised(error: BaseException) -> Message:
    told = "".join(traceback.format_exception(error))
    if not isinstance(error, Exception):  # asyncio.CancelledError, say: it means other things here
        return _in_words(f"the task raised {_named(error)}\n(its traceback:)\n{told}")
    pickled = _survivor(error)
    if pickled is not None:
        return Kind.ERROR, [_words(told), pickled]
    return _in_words(
        f"{_named(error)}\n(this exception cannot be pickled; its traceback on the worker:)\n{told}"
    )


def _named(error: BaseException) -> str:
    return f"{type(error).__qualname__}: {error}"


def _in_words(told: str) -> Message:
    return Kind.ERROR, [_words(told), b""]


def _words(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _survivor(error: Exception) -> bytes | None:
    """The exception with its traceback, pickled; None if it would not survive that."""
    tblib.pickling_support.install(*_chain(error))
    pickled = _pickled(error)
    if pickled is None and (error.__cause__ or error.__context__):
        # What it was raised in the course of may be at fault, and is worth less than its type.
        error.__cause__ = error.__context__ = None
        pickled = _pickled(error)
    return pickled


def _pickled(error: Exception) -> bytes | None:
    try:
        pickled: bytes = cloudpickle.dumps(error)
        cloudpickle.loads(pickled)
    except BaseException:  # noqa: BLE001 a foreign __reduce__ may raise KeyboardInterrupt, too
        return None
    return pickled


def _chain(error: BaseException) -> list[BaseException]:
    """The error with all that led to it."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in chain:
            chain.append(each)
            waiting += [each.__cause__, each.__context__]
    return chain
