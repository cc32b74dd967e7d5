"""Starting a nursery: the process that task processes are forked from, one for each host.

The agent starts a nursery with itself; a worker that finds none starts its own.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

__all__ = ["ONE_THREAD", "address_of", "start"]

_LONGEST = 100  # bytes; the system takes 104 to 108 for a socket's path
_WAITING = 128
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that keep libraries from starting a thread for every core."""


@contextlib.contextmanager
def address_of(path: str) -> Iterator[str]:
    """What to bind or connect to for the socket at `path`, however long that is."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def start(path: str) -> "subprocess.Popen[bytes]":
    """Start a nursery that listens at `path`; it can be connected to at once.

    It ends, with every task process and what those have started, when its standard input is
    closed, and so when the process that called this dies.

    Args:
        path: Where its socket will be, in a folder closed to other users.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        with address_of(path) as address:
            listener.bind(address)
        os.chmod(path, 0o600)
        listener.listen(_WAITING)
        descriptor = listener.fileno()
        return subprocess.Popen(  # noqa: S603 our own module, our own interpreter
            [
                sys.executable,
                "-m",
                "pilot_kernel.task.process.nursery",
                "--listen",
                str(descriptor),
            ],
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
            env={**dict.fromkeys(ONE_THREAD, "1"), **os.environ},
        )
