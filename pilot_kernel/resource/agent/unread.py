"""Whether a client has sent more than the agent has read so far, or has hung up.

The system knows both before the agent has read what came before: a client that was killed is gone
as soon as its last bytes lie in the socket's buffer, however late the agent comes to read them.
"""

import array
import fcntl
import select
import termios
from typing import Any

__all__ = ["hung_up", "unread", "write_to_the_living"]

_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


def hung_up(comm: Any) -> bool:
    """Whether the other side of a Dask comm has closed it, or its process has ended."""
    descriptor = _descriptor(comm)
    if descriptor is None:
        return True
    poll = select.poll()
    poll.register(descriptor, _GONE)
    return any(event & (_GONE | select.POLLNVAL) for _, event in poll.poll(0))


def unread(comm: Any) -> bool:
    """Whether bytes of the other side lie in the socket of a Dask comm."""
    descriptor = _descriptor(comm)
    if descriptor is None:
        return False
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0] > 0


def write_to_the_living(comm: Any) -> None:
    """See that a Dask comm sends nothing any more once the other side has hung up.

    A write to one that has gone fails, and closes the comm with all that is unread on it.
    """
    write = comm.write

    async def considerate(*args: Any, **kwargs: Any) -> int:
        if hung_up(comm):
            return 0
        count: int = await write(*args, **kwargs)
        return count

    comm.write = considerate


def _descriptor(comm: Any) -> int | None:
    """The file descriptor of a comm's socket; None if that is closed."""
    stream = comm.stream
    if stream is None or stream.closed():
        return None
    number: int = stream.socket.fileno()
    return None if number < 0 else number
