"""The piece graph and the limits of plans, as kernels see them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.adjacency import Adjacency

Ints = NDArray[np.int64]


class Pieces(NamedTuple):
    """Pieces of wires and what joins them.

    Attributes:
        wire: (S,) Wire of each piece; pieces of one wire are consecutive, in time order.
        gates: Which pieces are joined by gates, and the bits of cutting these.
        wire_cost: Bits of a wire cut.
    """

    wire: Ints
    gates: Adjacency
    wire_cost: float


class Limits(NamedTuple):
    """What a plan has to keep.

    Attributes:
        max_width: Qubits a fragment may hold.
        total_room: Qubits all fragments together may hold.
        max_labels: Fragments there may be at most; labels lie below it.
        rooms: Qubits that the widest fragment may hold, the second widest, and so on: widths of
            `max_labels` devices, widest first. Empty if `max_width` is all that counts.
    """

    max_width: int
    total_room: int
    max_labels: int
    rooms: Ints


@kernel
def follows(wire: Ints, piece: int) -> bool:
    """Whether a piece goes on where the piece before it ends; False for a piece not there."""
    return 0 < piece < wire.shape[0] and bool(wire[piece - 1] == wire[piece])


@kernel
def joined_pieces(pieces: Pieces) -> tuple[Ints, Ints]:
    """List the pieces joined to each piece by gates or by its wire.

    Returns:
        `start` (S + 1,) and `neighbour`: piece v is joined to `neighbour[start[v]:start[v + 1]]`.
    """
    gates, by_gate, _ = pieces.gates
    num = pieces.wire.shape[0]
    start = np.zeros(num + 1, np.int64)
    neighbour = np.empty(by_gate.shape[0] + 2 * num, np.int64)
    used = 0
    for v in range(num):
        if follows(pieces.wire, v):
            neighbour[used] = v - 1
            used += 1
        if follows(pieces.wire, v + 1):
            neighbour[used] = v + 1
            used += 1
        for k in range(gates[v], gates[v + 1]):
            neighbour[used] = by_gate[k]
            used += 1
        start[v + 1] = used
    return start, neighbour
