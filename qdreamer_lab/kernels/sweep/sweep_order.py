"""Kernel that lines the pieces up so that a sweep over them remembers as little as possible."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]


@kernel
def sweep_order(
    piece_wire: Ints, start: Ints, neighbour: Ints, first: int
) -> tuple[Ints, float, int]:
    """Order pieces greedily by the size of the frontier they leave, each wire in time order.

    The frontier is the set of placed pieces with a neighbour not yet placed.

    Args:
        piece_wire: (S,) wire of each piece; pieces of one wire are consecutive.
        start: (S + 1,) adjacency of gates between pieces.
        neighbour: see `start`.
        first: a piece that opens its wire, to start from.

    Returns:
        The order (S,), the log2 of the sum of 2^frontier over all steps as a measure of the
        effort a sweep will take, and the largest frontier.
    """
    num = piece_wire.shape[0]
    open_ends = np.zeros(num, np.int64)
    for v in range(num):
        open_ends[v] = start[v + 1] - start[v]
        if v > 0 and piece_wire[v - 1] == piece_wire[v]:
            open_ends[v] += 1
        if v + 1 < num and piece_wire[v + 1] == piece_wire[v]:
            open_ends[v] += 1
    ready = np.empty(num, np.int64)
    num_ready = 0
    for v in range(num):
        if v == 0 or piece_wire[v - 1] != piece_wire[v]:
            ready[num_ready] = v
            num_ready += 1
    placed = np.zeros(num, np.bool_)
    since = np.full(num, -1, np.int64)
    order = np.empty(num, np.int64)
    frontier = 0
    widest = 0
    effort = 0.0
    for step in range(num):
        best, best_key = -1, 1e18
        for r in range(num_ready):
            v = ready[r]
            grow = 1 if open_ends[v] > 0 else 0
            touch = 0
            age = num
            for k in range(start[v] - 2, start[v + 1]):
                if k == start[v] - 2:
                    u = v - 1 if v > 0 and piece_wire[v - 1] == piece_wire[v] else -1
                elif k == start[v] - 1:
                    u = v + 1 if v + 1 < num and piece_wire[v + 1] == piece_wire[v] else -1
                else:
                    u = neighbour[k]
                if u >= 0 and placed[u]:
                    touch += 1
                    age = min(age, since[u])
                    if open_ends[u] == 1:
                        grow -= 1
            if touch == open_ends[v]:
                grow -= 1 if open_ends[v] > 0 else 0
            key = grow * 1e6 + (0.0 if touch > 0 else 5e5) + age + 1e-6 * v
            if step == 0:
                key = 0.0 if v == first else 1.0
            if key < best_key:
                best, best_key = r, key
        v = ready[best]
        if v + 1 < num and piece_wire[v + 1] == piece_wire[v]:
            ready[best] = v + 1
        else:
            num_ready -= 1
            ready[best] = ready[num_ready]
        order[step] = v
        placed[v] = True
        since[v] = step
        if open_ends[v] > 0:
            frontier += 1
        for k in range(start[v] - 2, start[v + 1]):
            if k == start[v] - 2:
                u = v - 1 if v > 0 and piece_wire[v - 1] == piece_wire[v] else -1
            elif k == start[v] - 1:
                u = v + 1 if v + 1 < num and piece_wire[v + 1] == piece_wire[v] else -1
            else:
                u = neighbour[k]
            if u >= 0 and placed[u]:
                open_ends[u] -= 1
                open_ends[v] -= 1
                if open_ends[u] == 0:
                    frontier -= 1
                if open_ends[v] == 0:
                    frontier -= 1
        widest = max(widest, frontier)
        effort += 2.0 ** min(frontier, 1000)
    return order, np.log2(effort + 1.0), widest
