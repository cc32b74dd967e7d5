"""What a task writes, on its way out of the task process.

Python's streams go over the socket to the worker, so they stay in order with each other, whichever
thread writes. What C code and subprocesses write to descriptors 1 and 2 comes through pipes: line
by line, and what C code has begun comes before what Python prints next.
"""

import ctypes
import io
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.wire.pipes import bytes_in_pipe

__all__ = ["divert", "emit", "flush", "interrupt", "quiet", "restore"]

_DESCRIPTORS = {"stdout": 1, "stderr": 2}
_PATIENCE_S = 10.0  # a worker that reads nothing for so long does not get to see it in order
_POLL_S = 0.0005

_libc = ctypes.CDLL(None)
_LINE_BUFFERED = 1  # _IOLBF of the C library


def _stdout_of_c() -> ctypes.c_void_p | None:
    try:
        return ctypes.c_void_p.in_dll(_libc, "stdout")
    except ValueError:  # no library has to export it
        return None


_c_stdout = _stdout_of_c()
_streams: "list[_Diverted]" = []
_pipes: dict[int, tuple[int, int]] = {}  # what descriptors were that the worker reads from
_send: Callable[[str, str], None] | None = None
_lock = threading.RLock()  # a signal handler may print while its own thread holds it
_sending = 0  # how deep the main thread is in `quiet`
_postponed: type[BaseException] | None = None
_main = threading.main_thread().ident


def emit(stream: str, text: str) -> None:
    """Append a chunk to the output of the task that runs in this process.

    Args:
        stream: What kind of chunk: "stdout", "stderr", or one that the front end knows.
        text: The chunk. One that is neither stdout nor stderr arrives whole or not at all.

    Raises:
        PilotError: This process runs no task.
    """
    if _send is None:
        raise PilotError("emit() has somewhere to write to inside a task only")
    with quiet:
        if _c_stdout is not None:
            _libc.fflush(_c_stdout)
        for descriptor in _pipes:
            _let_raw_pass(descriptor)
        _send(stream, text)


class _Quiet:
    """Lets nothing else be sent meanwhile, and no `interrupt` break off what is."""

    def __enter__(self) -> None:
        global _sending
        if threading.get_ident() == _main:
            _sending += 1
        _lock.acquire()

    def __exit__(self, *_: object) -> None:
        global _sending, _postponed
        _lock.release()
        if threading.get_ident() == _main:
            _sending -= 1
            if not _sending and _postponed is not None:
                error, _postponed = _postponed, None
                raise error


quiet = _Quiet()


def interrupt(error: type[BaseException]) -> None:
    """Raise `error` in the main thread, from a signal handler, but not amid a message."""
    global _postponed
    if _sending:
        _postponed = error
    else:
        raise error


def divert(send: Callable[[str, str], None]) -> None:
    """Send what Python code prints to `send` from now on, as (stream, text).

    A process forked off by the task has no part in the conversation: it writes to its descriptors.
    """
    global _send
    _send = send
    _pipes.update({descriptor: _identity(descriptor) for descriptor in _DESCRIPTORS.values()})
    if _c_stdout is not None:  # else it would come when 4 kB are full, in whatever order
        _libc.setvbuf(_c_stdout, None, _LINE_BUFFERED, 0)
    _streams.extend((_Diverted("stdout"), _Diverted("stderr")))
    restore()
    os.register_at_fork(after_in_child=_forget)


def restore() -> None:
    """Undo what the last task has done to the text streams."""
    sys.stdout, sys.stderr = _streams


def flush() -> None:
    """Send what lies in buffers: those of streams of the task's making, and those of C code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001, S112 a task may have put anything there, or closed it
            continue
    _libc.fflush(None)


def _forget() -> None:
    global _send, _lock, _sending
    _send, _lock, _sending = None, threading.RLock(), 0


def _let_raw_pass(descriptor: int) -> None:
    """Wait until the worker has read what is in a pipe by now, which was written before.

    That keeps the output of a subprocess between what was printed before and after it, however
    late the worker gets to read. What something in the background adds meanwhile is not waited for.
    """
    ahead = there = _unread(descriptor)
    deadline = time.monotonic() + _PATIENCE_S if there else 0.0
    while ahead > 0 and there and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        before, there = there, _unread(descriptor)
        ahead -= max(0, before - there)


def _unread(descriptor: int) -> int:
    """Bytes in a pipe to the worker; none if the task has put something else in its place."""
    try:
        count = bytes_in_pipe(descriptor)
        return count if count and _identity(descriptor) == _pipes[descriptor] else 0
    except OSError:  # the task has closed it
        return 0


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


class _Diverted(io.TextIOBase):
    def __init__(self, stream: str) -> None:
        self._stream = stream
        self.buffer = io.FileIO(_DESCRIPTORS[stream], "wb", closefd=False)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "backslashreplace"

    @property
    def name(self) -> str:
        return f"<{self._stream}>"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._pass_on(text)
        return len(text)

    def _pass_on(self, text: str) -> None:
        if _send is None:
            os.write(self.fileno(), text.encode("utf-8", "backslashreplace"))
        else:
            emit(self._stream, text)

    def fileno(self) -> int:
        return _DESCRIPTORS[self._stream]

    def close(self) -> None:
        """Stay open: the next task needs it."""

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return getattr, (sys, self._stream)  # a function that prints can be sent on
