"""Kernels about the frontier of a sweep: who is in it, what lies ahead, what a path chose.

The frontier is the set of placed pieces with a neighbour not yet placed. Its members live in
slots, which are reused. `kernels/sweep/sweep.py` does the sweeping.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@kernel
def frontier_slots(
    order: Ints, piece_wire: Ints, start: Ints, neighbour: Ints
) -> tuple[Ints, Ints, Ints, int]:
    """Give every piece a slot in the frontier, reused once its last neighbour is placed.

    Returns:
        `slot` (S,) of each piece, `enters` (S,) the step that places it, `leaves` (S,) the step
        after which it leaves the frontier, and the number of slots.
    """
    num = order.shape[0]
    enters = np.empty(num, np.int64)
    for step in range(num):
        enters[order[step]] = step
    leaves = enters.copy()
    for v in range(num):
        for k in range(start[v], start[v + 1]):
            leaves[v] = max(leaves[v], enters[neighbour[k]])
        if v > 0 and piece_wire[v - 1] == piece_wire[v]:
            leaves[v] = max(leaves[v], enters[v - 1])
        if v + 1 < num and piece_wire[v + 1] == piece_wire[v]:
            leaves[v] = max(leaves[v], enters[v + 1])
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
    return slot, enters, leaves, slots


@kernel
def outlook(
    step: int,
    piece_wire: Ints,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    slot: Ints,
    enters: Ints,
    current: Ints,
    horizon: int,
    pair: Ints,
    weight: Floats,
    table: Floats,
) -> int:
    """List which frontier pieces will soon be joined by gates, and by how many bits.

    Args:
        step: pieces up to this step are placed.
        piece_wire: (S,) wire of each piece.
        start: adjacency of gates between pieces.
        neighbour: see `start`.
        cost: see `start`.
        slot: see `frontier_slots`.
        enters: see `frontier_slots`.
        current: (n,) last placed piece of each wire, -1 before its first.
        horizon: pieces to look ahead on each wire; nearer gates count more.
        pair: (P, 2) filled with slots.
        weight: (P,) filled with bits.
        table: (slots, slots) zeros, left as zeros.

    Returns:
        How many entries of `pair` and `weight` were filled.
    """
    num = piece_wire.shape[0]
    filled = 0
    for a in range(current.shape[0]):
        u = current[a]
        if u < 0:
            continue
        share = 0.5
        for k in range(1, horizon + 1):
            v = u + k
            if v >= num or piece_wire[v] != a:
                break
            share *= 1.0 - 1.0 / horizon
            for j in range(start[v], start[v + 1]):
                other = current[piece_wire[neighbour[j]]]
                if other < 0 or enters[neighbour[j]] <= step:
                    continue
                s, t = min(slot[u], slot[other]), max(slot[u], slot[other])
                if table[s, t] == 0.0:
                    if filled == weight.shape[0]:
                        continue
                    pair[filled, 0], pair[filled, 1] = s, t
                    filled += 1
                table[s, t] += share * cost[j]
    for k in range(filled):
        weight[k] = table[pair[k, 0], pair[k, 1]]
        table[pair[k, 0], pair[k, 1]] = 0.0
    return filled


@kernel
def replay(order: Ints, slot: Ints, leaves: Ints, slots: int, path: Bytes) -> Ints:
    """Turn the choices along one path of a sweep into labels.

    A choice counts the fragments in the frontier, in slot order; one past the last is a fresh one.
    """
    num = order.shape[0]
    labels = np.full(num, -1, np.int64)
    holder = np.full(slots, -1, np.int64)
    fragments = 0
    for step in range(num):
        v = order[step]
        rank = 0
        label = -1
        for s in range(slots):
            if holder[s] < 0:
                continue
            first = True
            for t in range(s):
                if holder[t] >= 0 and labels[holder[t]] == labels[holder[s]]:
                    first = False
                    break
            if first:
                if rank == path[step]:
                    label = labels[holder[s]]
                rank += 1
        if label < 0:
            label = fragments
            fragments += 1
        labels[v] = label
        holder[slot[v]] = v
        for s in range(slots):
            if holder[s] >= 0 and leaves[holder[s]] <= step:
                holder[s] = -1
    return labels
