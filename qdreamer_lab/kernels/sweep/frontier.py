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
def leaving_slots(frontier: Frontier, pieces: Pieces, step: int) -> Ints:
    """List the slots of the pieces that leave the frontier once `step` is done."""
    start, neighbour, _ = pieces.gates
    v = frontier.order[step]
    leaving = np.empty(frontier.slots + 1, np.int64)
    count = 0
    if frontier.leaves[v] <= step:
        leaving[count] = frontier.slot[v]
        count += 1
    if follows(pieces.wire, v) and frontier.leaves[v - 1] == step:
        leaving[count] = frontier.slot[v - 1]
        count += 1
    for k in range(start[v], start[v + 1]):
        u = neighbour[k]
        if frontier.enters[u] < step and frontier.leaves[u] == step:
            leaving[count] = frontier.slot[u]
            count += 1
    return leaving[:count]


@kernel
def joined_slots(frontier: Frontier, pieces: Pieces, step: int) -> tuple[Ints, Floats]:
    """List the slots of the placed pieces that `step`'s piece is joined to, and by how many bits.

    That of the piece before it on its wire, if there is one, comes last.
    """
    start, neighbour, cost = pieces.gates
    v = frontier.order[step]
    slots = np.empty(start[v + 1] - start[v] + 1, np.int64)
    bits = np.empty(slots.shape[0])
    count = 0
    for k in range(start[v], start[v + 1]):
        if frontier.enters[neighbour[k]] < step:
            slots[count] = frontier.slot[neighbour[k]]
            bits[count] = cost[k]
            count += 1
    if follows(pieces.wire, v):
        slots[count] = frontier.slot[v - 1]
        bits[count] = pieces.wire_cost
        count += 1
    return slots[:count], bits[:count]
