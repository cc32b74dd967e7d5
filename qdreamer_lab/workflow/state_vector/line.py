"""What ranks tell each other, and what that costs: every message goes through here and is counted.

It takes a communicator with mpi4py's methods, so that threads can play ranks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Line", "pieces"]


@dataclass
class Line:
    """A rank's connection to the others.

    Attributes:
        comm: The communicator.
        chunk: Most amplitudes in a message.
        rank: This rank's number.
        ranks: How many there are.
        messages: Sent so far.
        sent_bytes: Sent so far.
        seconds: Spent sending, receiving and waiting for others.
    """

    comm: Any
    chunk: int
    rank: int = 0
    ranks: int = 1
    messages: int = 0
    sent_bytes: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.rank, self.ranks = int(self.comm.Get_rank()), int(self.comm.Get_size())

    def trade(self, partner: int, mine: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """Send an array to a rank that sends one of the same size.

        Args:
            partner: The rank.
            mine: C-contiguous, `chunk` amplitudes at most.
        """
        theirs = np.empty_like(mine)
        began = time.perf_counter()
        self.comm.Sendrecv(mine, partner, 0, theirs, partner, 0)
        self.seconds += time.perf_counter() - began
        self.messages += 1
        self.sent_bytes += mine.nbytes
        return theirs

    def total(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum of all ranks' arrays; nobody goes on before all have come."""
        began = time.perf_counter()
        found = self.comm.allreduce(values)
        self.seconds += time.perf_counter() - began
        if self.ranks > 1:
            self.messages += 1
            self.sent_bytes += values.nbytes
        return np.asarray(found)


def pieces(block: Any, most: int) -> Iterator[Any]:
    """Cut an array, a view of amplitudes, into views of bounded size, in the order of its axes.

    Args:
        block: Of any shape.
        most: Most amplitudes in a piece.
    """
    if block.size <= most:
        yield block
        return
    inner = block.size // block.shape[0]
    step = max(1, most // inner)
    for first in range(0, block.shape[0], step):
        part = block[first : first + step]
        yield from pieces(part if inner <= most else part[0], most)
