"""Kernels of multilevel graph partitioning: match, merge, grow parts, refine them.

Nodes have weights (how many wires they stand for), edges have costs in bits. The scheme is the
classical one of Hendrickson and Leland, and Karypis and Kumar; the refinement follows Fiduccia and
Mattheyses, for any number of parts.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.random_numbers import advance, below

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def match_heavy(
    start: Ints, neighbour: Ints, cost: Floats, weight: Ints, heaviest: int, seed: int
) -> tuple[Ints, int]:
    """Pair each node with the free neighbour it is most strongly joined to.

    Args:
        start: (S + 1,) adjacency.
        neighbour: see `start`.
        cost: see `start`.
        weight: (S,) weights of nodes.
        heaviest: weight a pair may have at most.
        seed: of the order in which nodes choose.

    Returns:
        The coarse node of each node (S,), and how many there are.
    """
    num = weight.shape[0]
    order = np.arange(num)
    state = advance((seed * 7919 + 17) & ((1 << 48) - 1))
    for i in range(num - 1, 0, -1):
        state = advance(state)
        j = below(state, i + 1)
        order[i], order[j] = order[j], order[i]
    coarse = np.full(num, -1, np.int64)
    count = 0
    for v in order:
        if coarse[v] >= 0:
            continue
        mate, strongest = -1, 0.0
        for k in range(start[v], start[v + 1]):
            u = neighbour[k]
            # Relative to the weights, so that light nodes are joined first.
            strength = cost[k] / (weight[u] * weight[v])
            free = coarse[u] < 0 and weight[u] + weight[v] <= heaviest
            if free and strength > strongest:
                mate, strongest = u, strength
        coarse[v] = count
        if mate >= 0:
            coarse[mate] = count
        count += 1
    return coarse, count


@kernel
def grow_parts(
    start: Ints, neighbour: Ints, cost: Floats, weight: Ints, room: int, parts: int, seed: int
) -> tuple[Ints, Ints, int]:
    """Fill parts one after the other with the free node most strongly joined to the part.

    Args:
        start: adjacency, as in `match_heavy`.
        neighbour: see `start`.
        cost: see `start`.
        weight: (S,) weights of nodes.
        room: weight a part may hold.
        parts: parts to aim for; more are opened if some node fits in none.
        seed: of the nodes that parts start from.

    Returns:
        The part of each node (S,), the load of each part, and the number of parts.
    """
    num = weight.shape[0]
    part = np.full(num, -1, np.int64)
    load = np.zeros(parts + num, np.int64)
    pull = np.zeros(num)
    state = advance((seed * 104729 + 5) & ((1 << 48) - 1))
    left = num
    used = 0
    while left > 0 and used < parts:
        pull[:] = 0.0
        state = advance(state)
        skip = below(state, left)
        v = 0
        while part[v] >= 0 or skip > 0:
            if part[v] < 0:
                skip -= 1
            v += 1
        target = room
        while v >= 0 and load[used] + weight[v] <= target:
            part[v] = used
            load[used] += weight[v]
            left -= 1
            for k in range(start[v], start[v + 1]):
                pull[neighbour[k]] += cost[k]
            v = -1
            for u in range(num):
                fits = part[u] < 0 and load[used] + weight[u] <= target
                if fits and (v < 0 or pull[u] > pull[v]):
                    v = u
        used += 1
    # What is left over goes where it is joined best among the parts that have room.
    for v in np.argsort(-weight, kind="mergesort"):
        if part[v] >= 0:
            continue
        best, strongest = -1, -1.0
        for f in range(used):
            if load[f] + weight[v] > room:
                continue
            joined = 0.0
            for k in range(start[v], start[v + 1]):
                if part[neighbour[k]] == f:
                    joined += cost[k]
            if joined > strongest:
                best, strongest = f, joined
        if best < 0:
            best = used
            used += 1
        part[v] = best
        load[best] += weight[v]
    return part, load[:used].copy(), used


@kernel
def refine_parts(
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    weight: Ints,
    part: Ints,
    load: Ints,
    room: int,
    passes: int,
) -> float:
    """Move nodes between parts, best move first, and keep the best prefix of each pass.

    Parts may be too full on the way by the weight of one node. `part` and `load` are updated in
    place.

    Returns:
        By how much the cut fell, in bits.
    """
    num = weight.shape[0]
    parts = load.shape[0]
    gained = 0.0
    heaviest = weight.max()
    joined = np.zeros((num, parts))
    for v in range(num):
        for k in range(start[v], start[v + 1]):
            joined[v, part[neighbour[k]]] += cost[k]
    moved_node = np.empty(num, np.int64)
    moved_from = np.empty(num, np.int64)
    # Best move of each node, kept up to date, so that choosing one is a single scan.
    best_gain = np.empty(num)
    best_part = np.empty(num, np.int64)
    for _ in range(passes):
        locked = np.zeros(num, np.bool_)
        stale = np.ones(num, np.bool_)
        overflow = 0
        for f in range(parts):
            overflow += max(0, load[f] - room)
        total, best_total, best_count = 0.0, 0.0, 0
        best_overflow = overflow
        count = 0
        patience = min(num, 50 + num // 10)
        while count < num and count - best_count < patience:
            chosen = -1
            for v in range(num):
                if locked[v]:
                    continue
                f = best_part[v]
                if stale[v] or f < 0 or load[f] + weight[v] > room + heaviest:
                    best_gain[v], best_part[v] = -np.inf, -1
                    for g in range(parts):
                        if g == part[v] or load[g] + weight[v] > room + heaviest:
                            continue
                        gain = joined[v, g] - joined[v, part[v]]
                        if gain > best_gain[v]:
                            best_gain[v], best_part[v] = gain, g
                    stale[v] = False
                if best_part[v] < 0:
                    continue
                # While some part is too full, only moves out of such a part count.
                if overflow > 0 and load[part[v]] <= room:
                    continue
                if overflow > 0 and load[best_part[v]] + weight[v] > room:
                    target = -1
                    for g in range(parts):
                        fits = g != part[v] and load[g] + weight[v] <= room
                        if fits and (target < 0 or joined[v, g] > joined[v, target]):
                            target = g
                    if target >= 0:
                        best_part[v] = target
                        best_gain[v] = joined[v, target] - joined[v, part[v]]
                        stale[v] = True
                if chosen < 0 or best_gain[v] > best_gain[chosen]:
                    chosen = v
            if chosen < 0:
                break
            v, here, there = chosen, part[chosen], best_part[chosen]
            overflow -= max(0, load[here] - room) + max(0, load[there] - room)
            load[here] -= weight[v]
            load[there] += weight[v]
            overflow += max(0, load[here] - room) + max(0, load[there] - room)
            total += joined[v, there] - joined[v, here]
            part[v] = there
            locked[v] = True
            for k in range(start[v], start[v + 1]):
                joined[neighbour[k], here] -= cost[k]
                joined[neighbour[k], there] += cost[k]
                stale[neighbour[k]] = True
            moved_node[count], moved_from[count] = v, here
            count += 1
            if overflow < best_overflow or (
                overflow == best_overflow and total > best_total + 1e-9
            ):
                best_total, best_count, best_overflow = total, count, overflow
        for c in range(count - 1, best_count - 1, -1):
            v, here, there = moved_node[c], part[moved_node[c]], moved_from[c]
            load[here] -= weight[v]
            load[there] += weight[v]
            part[v] = there
            for k in range(start[v], start[v + 1]):
                joined[neighbour[k], here] -= cost[k]
                joined[neighbour[k], there] += cost[k]
        gained += best_total
        if best_count == 0:
            break
    return gained
