"""What lies in a pipe, asked of the system from either end of it."""

import fcntl
import select
import sys
import termios

__all__ = ["abandoned", "bytes_in_pipe"]

_NOTHING = bytes(4)


def bytes_in_pipe(descriptor: int) -> int:
    """Bytes that were written to a pipe and not read yet.

    Raises:
        OSError: It is closed, or cannot be asked.
    """
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, _NOTHING), sys.byteorder)


def abandoned(descriptor: int) -> bool:
    """Whether nobody is left to write to a pipe that is read from, and nothing is in it."""
    look = select.poll()
    look.register(descriptor, select.POLLIN)
    hung_up = any(event & select.POLLHUP for _, event in look.poll(0))
    return hung_up and not bytes_in_pipe(descriptor)  # in that order: now nobody can add to it
