"""Kernels that line the pieces up so that a sweep over them remembers as little as possible."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import follows

Ints = NDArray[np.int64]


@kernel
def next_piece(ready: Ints, start: Ints, neighbour: Ints, since: Ints, open_ends: Ints) -> int:
    """Choose which of the pieces that are ready is placed next.

    What counts is first by how much it makes the frontier grow, then whether it has neighbours in
    the frontier, then the step that placed the oldest of these.

    Args:
        ready: The first piece of each wire that is not placed.
        start: (S + 1,) Where the neighbours of each piece begin.
        neighbour: Neighbours of all pieces.
        since: (S,) Step that placed each piece, -1 for those not placed.
        open_ends: (S,) How many neighbours wait for each piece that is placed; of a piece not
            placed, all its neighbours.

    Returns:
        Where in `ready` the piece is.
    """
    best, least = -1, 1e18
    for r in range(ready.shape[0]):
        v = ready[r]
        grows = 1 if open_ends[v] > 0 else 0
        touches = 0
        oldest = since.shape[0]
        for k in range(start[v], start[v + 1]):
            u = neighbour[k]
            if since[u] >= 0:
                touches += 1
                oldest = min(oldest, since[u])
                if open_ends[u] == 1:
                    grows -= 1
        if touches == open_ends[v] and open_ends[v] > 0:
            grows -= 1
        delay = grows * 1e6 + (0.0 if touches > 0 else 5e5) + oldest + 1e-6 * v
        if delay < least:
            best, least = r, delay
    return best


@kernel
def place_piece(v: int, start: Ints, neighbour: Ints, since: Ints, open_ends: Ints) -> int:
    """Tell the neighbours of piece `v`, now placed; return by how much the frontier grows.

    The arguments are those of `delay`; `open_ends` is updated in place.
    """
    grows = 1 if open_ends[v] > 0 else 0
    for k in range(start[v], start[v + 1]):
        u = neighbour[k]
        if since[u] >= 0:
            open_ends[u] -= 1
            open_ends[v] -= 1
            if open_ends[u] == 0:
                grows -= 1
            if open_ends[v] == 0:
                grows -= 1
    return grows


@kernel
def sweep_order(wire: Ints, start: Ints, neighbour: Ints, first: int) -> tuple[Ints, float, int]:
    """Order pieces greedily by the size of the frontier they leave, each wire in time order.

    The frontier is the set of placed pieces with a neighbour not yet placed.

    Args:
        wire: (S,) Wire of each piece; pieces of one wire are consecutive, in time order.
        start: (S + 1,) Where the neighbours of each piece begin, as in `joined_pieces`.
        neighbour: Neighbours of all pieces, by gates and by the wire.
        first: A piece that opens its wire, to start from.

    Returns:
        The order (S,), the log2 of the sum of 2^frontier over all steps as a measure of the
        effort a sweep will take, and the largest frontier.
    """
    num = wire.shape[0]
    ready, num_ready, best = np.empty(num, np.int64), 0, 0
    for v in range(num):
        if not follows(wire, v):
            if v == first:
                best = num_ready
            ready[num_ready] = v
            num_ready += 1
    open_ends = start[1:] - start[:-1]
    since = np.full(num, -1, np.int64)
    order = np.empty(num, np.int64)
    frontier, widest = 0, 0
    effort = 0.0
    for step in range(num):
        v = ready[best]
        if follows(wire, v + 1):
            ready[best] = v + 1
        else:
            num_ready -= 1
            ready[best] = ready[num_ready]
        order[step] = v
        since[v] = step
        frontier += place_piece(v, start, neighbour, since, open_ends)
        widest = max(widest, frontier)
        effort += 2.0 ** min(frontier, 1000)
        best = next_piece(ready[:num_ready], start, neighbour, since, open_ends)
    return order, np.log2(effort + 1.0), widest
