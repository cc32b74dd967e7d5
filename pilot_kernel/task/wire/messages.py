"""How a worker and its task process talk: messages of a kind and some parts, on a local socket."""

import signal
import socket
import struct
from collections.abc import Iterator, Sequence

from pilot_kernel.task.wire.packing import Bytes

__all__ = [
    "LENGTH",
    "STOP",
    "TIME_UP",
    "Kind",
    "Message",
    "Reader",
    "frame",
    "receive",
    "send",
    "send_text",
]

LENGTH = struct.Struct("!I")
"""Precedes a request to the nursery: the length of its JSON text."""

_HEAD = struct.Struct("!cI")
_SIZE = struct.Struct("!Q")
_TEXT = struct.Struct("!cIQQ")
_CHUNK = 262_144

STOP = signal.SIGUSR1
"""Tells a task process that its task was canceled."""

TIME_UP = signal.SIGUSR2
"""Tells a task process that its task has run for as long as it may."""

Message = tuple[bytes, list[Bytes]]


class Kind:
    """The kinds of message.

    A worker sends CALL (a JSON text with `keep` and the number of parts of each input, then the
    parts of the call and of the inputs). A task process sends OUTPUT (stream, text) at any time,
    and one answer: VALUE (parts of the packed result), KEPT (JSON text), ERROR (text, pickle),
    UNSENDABLE (text), or ENDED when it was told to stop.
    """

    CALL = b"C"
    OUTPUT = b"O"
    VALUE = b"V"
    KEPT = b"K"
    ERROR = b"E"
    UNSENDABLE = b"U"
    ENDED = b"X"


def frame(kind: bytes, parts: Sequence[Bytes]) -> bytes:
    """The head of a message: its kind and the sizes of its parts."""
    sizes = (_SIZE.pack(memoryview(part).nbytes) for part in parts)
    return _HEAD.pack(kind, len(parts)) + b"".join(sizes)


def send(sock: socket.socket, kind: bytes, parts: Sequence[Bytes]) -> None:
    """Send a message on a blocking socket."""
    head = frame(kind, parts)
    if sum(memoryview(part).nbytes for part in parts) < _CHUNK:
        sock.sendall(b"".join((head, *parts)))
        return
    sock.sendall(head)
    for part in parts:
        sock.sendall(part)


def send_text(sock: socket.socket, stream: str, text: str) -> None:
    """Send a `Kind.OUTPUT`, which is done often."""
    first, second = stream.encode(), text.encode("utf-8", "backslashreplace")
    head = _TEXT.pack(Kind.OUTPUT, 2, len(first), len(second))
    sock.sendall(b"".join((head, first, second)))


def receive(sock: socket.socket) -> Message | None:
    """Wait for the next message on a blocking socket; None when the other side has hung up.

    The parts are bytearrays, so that arrays made of them can be written to.
    """
    head = _exactly(sock, _HEAD.size)
    if head is None:
        return None
    kind, count = _HEAD.unpack(head)
    sizes = _exactly(sock, _SIZE.size * count)
    if sizes is None:
        return None
    parts: list[Bytes] = []
    for (size,) in _SIZE.iter_unpack(sizes):
        part = _exactly(sock, size)
        if part is None:
            return None
        parts.append(part)
    return kind, parts


def _exactly(sock: socket.socket, size: int) -> bytearray | None:
    got = bytearray(size)
    view, at = memoryview(got), 0
    while at < size:
        count = sock.recv_into(view[at:])
        if not count:
            return None
        at += count
    return got


class Reader:
    """Takes messages from a socket that does not block, as they come."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._got = bytearray()
        self._view: memoryview | None = None  # of a message too large to gather in chunks
        self._at = 0
        self.closed = False

    def read(self) -> Iterator[Message]:
        """The messages that are complete by now."""
        while self._fill():
            yield from self._complete()

    def _fill(self) -> bool:
        try:
            if self._view is not None:
                count = self._sock.recv_into(self._view[self._at :])
                self._at += count
            else:
                chunk = self._sock.recv(_CHUNK)
                count = len(chunk)
                self._got += chunk
        except BlockingIOError:
            return False
        except ConnectionError:  # the process died with data of ours unread
            count = 0
        self.closed = self.closed or not count
        return bool(count)

    def _complete(self) -> Iterator[Message]:
        if self._view is not None:
            if self._at < len(self._view):
                return
            whole, self._view = self._view, None
            message, _ = _split(whole, 0)
            yield message
            return
        at, got = 0, self._got
        while (length := _length(got, at)) is not None and len(got) - at >= length:
            message, at = _split(memoryview(bytes(got[at : at + length])), at)
            yield message
        del got[:at]
        if (length := _length(got, 0)) is not None and length > 2 * _CHUNK:
            large = bytearray(length)
            large[: len(got)] = got
            self._view, self._at = memoryview(large), len(got)
            self._got = bytearray()


def _length(got: bytearray, at: int) -> int | None:
    """How long the message that begins at `at` is, once its head is there."""
    if len(got) - at < _HEAD.size:
        return None
    _, count = _HEAD.unpack_from(got, at)
    begin = at + _HEAD.size
    end = begin + _SIZE.size * count
    if len(got) < end:
        return None
    return int(end - at + sum(struct.unpack_from(f"!{count}Q", got, begin)))


def _split(whole: memoryview, begin: int) -> tuple[Message, int]:
    """A message from its bytes, and where in the stream it ends if it began at `begin`."""
    kind, count = _HEAD.unpack_from(whole)
    at = _HEAD.size + _SIZE.size * count
    parts: list[Bytes] = []
    for size in struct.unpack_from(f"!{count}Q", whole, _HEAD.size):
        parts.append(whole[at : at + size])
        at += size
    return (kind, parts), begin + at
