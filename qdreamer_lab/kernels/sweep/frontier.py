"""Kernels about the frontier of a sweep: who is in it, and what a path through a sweep chose.

The frontier is the set of placed pieces with a neighbour not yet placed. Its members live in
slots, which are reused. `kernels/sweep/sweep.py` does the sweeping.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Pieces, follows, joined_pieces

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Frontier(NamedTuple):
    """When and where each of S pieces is in the frontier.

    Attributes:
        order: (S,) Pieces by the step that places them.
        slot: (S,) Slot of each piece.
        enters: (S,) Step that places it.
        leaves: (S,) Step after which it leaves the frontier.
        slots: Number of slots.
    """

    order: Ints
    slot: Ints
    enters: Ints
    leaves: Ints
    slots: int


@kernel
def frontier_of(order: Ints, pieces: Pieces) -> Frontier:
    """Give every piece a slot in the frontier, reused once its last neighbour is placed."""
    num = order.shape[0]
    enters = np.empty(num, np.int64)
    for step in range(num):
        enters[order[step]] = step
    leaves = enters.copy()
    start, neighbour = joined_pieces(pieces)
    for v in range(num):
        for k in range(start[v], start[v + 1]):
            leaves[v] = max(leaves[v], enters[neighbour[k]])
    slot = np.full(num, -1, np.int64)
    holder = np.full(num, -1, np.int64)
    slots = 0
    for step in range(num):
        chosen = -1
        for s in range(slots):
            if holder[s] < 0 or leaves[holder[s]] < step:
                chosen = s
                break
        if chosen < 0:
            chosen = slots
            slots += 1
        holder[chosen] = order[step]
        slot[order[step]] = chosen
    return Frontier(order, slot, enters, leaves, slots)


@kernel
def slots_around(frontier: Frontier, pieces: Pieces, step: int) -> tuple[Ints, Floats, Ints]:
    """Look at the frontier from the piece that a step places.

    Returns:
        Slots of the placed pieces that it is joined to, that of the piece before it on its wire
        last; the bits by which it is joined to each; and the slots of the pieces that leave the
        frontier once the step is done.
    """
    _, slot, enters, leaves, _ = frontier
    start, neighbour, cost = pieces.gates
    v = frontier.order[step]
    room = start[v + 1] - start[v] + 2
    joined, bits, count = np.empty(room, np.int64), np.empty(room), 0
    leaving, num_leaving = np.empty(room, np.int64), 0
    for k in range(start[v], start[v + 1] + 1):
        if k < start[v + 1]:
            u, weight = neighbour[k], cost[k]
        else:
            u, weight = v - 1 if follows(pieces.wire, v) else v, pieces.wire_cost
        if enters[u] < step:
            joined[count], bits[count] = slot[u], weight
            count += 1
            if leaves[u] == step:
                leaving[num_leaving] = slot[u]
                num_leaving += 1
    if leaves[v] <= step:
        leaving[num_leaving] = slot[v]
        num_leaving += 1
    return joined[:count], bits[:count], leaving[:num_leaving]
