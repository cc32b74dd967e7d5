"""The task process: runs a worker's tasks one at a time, each in its main thread.

It is a process group of its own, with all that its tasks start, so that everything can be ended
from outside at any time. It knows nothing of Dask.
"""

import ctypes
import faulthandler
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Iterator

from pilot_kernel.task.process import call, streams
from pilot_kernel.task.wire import messages

__all__ = ["adopt_orphans", "serve", "settle_in"]

_IDLE_MS = 300
"""How long there is no task before time is taken for something else."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def settle_in(environment: dict[str, str], folder: str) -> None:
    """Make a freshly forked process one that tasks can run in.

    Args:
        environment: The worker's environment variables.
        folder: The worker's working directory.
    """
    os.setsid()
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    adopt_orphans()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # else all task processes would draw the same numbers


def adopt_orphans() -> None:
    """Let processes whose parent has ended become children of this one, so that they are found."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def serve(sock: socket.socket, crashes: int, steps: Iterator[None]) -> None:
    """Run tasks until the worker hangs up.

    Args:
        sock: The worker is at its other end.
        crashes: A descriptor that takes what Python says of a crash in native code.
        steps: What is done, one step for every `next`, while there is no task.
    """
    os.set_inheritable(crashes, False)
    faulthandler.enable(file=crashes)
    call.listen()

    def tell(stream: str, text: str) -> None:
        messages.send_text(sock, stream, text)

    streams.divert(tell)
    while (request := _next(sock, steps)) is not None:
        streams.restore()
        kind, parts = call.answer(request)
        del request
        streams.flush()
        with streams.quiet:
            messages.send(sock, kind, parts)
        del parts


def _next(sock: socket.socket, steps: Iterator[None]) -> messages.Message | None:
    """The next request, as soon as it is there; None when the worker has hung up."""
    heard = select.poll()
    heard.register(sock, select.POLLIN)
    if not heard.poll(_IDLE_MS):  # else short tasks that follow each other would wait for steps
        while not heard.poll(0) and next(steps, sock) is not sock:
            pass
    return messages.receive(sock)
