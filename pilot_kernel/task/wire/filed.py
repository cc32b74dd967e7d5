"""A packed value as the bytes of a file: each of its parts after its size."""

import struct
from collections.abc import Iterator

from pilot_kernel.errors import PilotError
from pilot_kernel.task.wire.packing import Bytes, Packed

__all__ = ["STRETCH_BYTES", "Assembly", "filed_size", "stretches"]

STRETCH_BYTES = 4 << 20
"""How much is handled at a time."""

_SIZE = struct.Struct("!Q")


def filed_size(packed: Packed) -> int:
    """Bytes of the file."""
    return packed.size + _SIZE.size * (1 + len(packed.buffers))


def stretches(packed: Packed) -> Iterator[Bytes]:
    """The file's bytes one after the other, a few megabytes at a time at most."""
    for part in (packed.header, *packed.buffers):
        view = memoryview(part).cast("B")
        yield _SIZE.pack(view.nbytes)
        for begin in range(0, view.nbytes, STRETCH_BYTES):
            yield view[begin : begin + STRETCH_BYTES]


class Assembly:
    """A packed value that is put together of its file's bytes, as they come.

    Its parts are bytearrays, so that arrays made of them can be written to.
    """

    def __init__(self) -> None:
        self._parts: list[bytearray] = []
        self._head = bytearray(_SIZE.size)
        self._target = self._head
        self._at = 0

    def room(self) -> memoryview:
        """Where the next bytes belong; never empty."""
        return memoryview(self._target)[self._at :]

    def filled(self, count: int) -> None:
        """So many bytes have been put there."""
        self._at += count
        while self._at == len(self._target):
            if self._target is self._head:
                self._target = bytearray(_SIZE.unpack(self._head)[0])
            else:
                self._parts.append(self._target)
                self._target = self._head
            self._at = 0

    def add(self, stretch: Bytes) -> None:
        """Put bytes there."""
        view = memoryview(stretch).cast("B")
        while view:
            room = self.room()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            self.filled(count)
            view = view[count:]

    def packed(self) -> Packed:
        """The value.

        Raises:
            PilotError: The bytes end amid a part.
        """
        if not self._parts or self._target is not self._head or self._at:
            raise PilotError("a result is damaged: it ends too early; run its task again")
        return Packed(self._parts[0], tuple(self._parts[1:]))
