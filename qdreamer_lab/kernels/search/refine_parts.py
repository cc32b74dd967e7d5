"""Kernel that refines a partition of a graph by moving nodes, after Fiduccia and Mattheyses.

Theirs is for two parts; this is for any number.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.search.partition import WeightedGraph

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Parts(NamedTuple):
    """Parts of S nodes.

    Attributes:
        part: (S,) Part of each node.
        load: (K,) Weight of each part.
        room: (K,) Weight each part may hold in the end.
        most: (K,) Weight each part may hold on the way.
    """

    part: Ints
    load: Ints
    room: Ints
    most: Ints


class Moves(NamedTuple):
    """What is known of moves of S nodes between K parts.

    The best move of each node is kept up to date, so that choosing one is a single scan.

    Attributes:
        joined: (S, K) Bits of the edges from each node to the nodes of each part.
        gain: (S,) Bits that the best move of each node saves.
        target: (S,) Part to which that move goes, -1 if there is none.
        stale: (S,) Whether the best move has to be looked for again.
        locked: (S,) Whether the node has been moved in this pass.
    """

    joined: Floats
    gain: Floats
    target: Ints
    stale: Bools
    locked: Bools


@kernel
def bits_joined(graph: WeightedGraph, parts: Parts) -> Floats:
    """Add up the bits of the edges (S, K) from each node to the nodes of each part."""
    start, neighbour, cost = graph.edges
    joined = np.zeros((graph.weight.shape[0], parts.load.shape[0]))
    for v in range(graph.weight.shape[0]):
        for k in range(start[v], start[v + 1]):
            joined[v, parts.part[neighbour[k]]] += cost[k]
    return joined


@kernel
def overflow_of(parts: Parts, f: int) -> int:
    """Return by how much part `f` is too heavy."""
    return max(0, int(parts.load[f] - parts.room[f]))


@kernel
def best_target(joined: Floats, v: int, load: Ints, here: int, most: Ints, mine: int) -> int:
    """Return the part that node `v`, in part `here`, should move to.

    Args:
        joined: (S, K) Bits of the edges from each node to the nodes of each part.
        v: The node.
        load: (K,) Weight of each part.
        here: The node's part.
        most: (K,) What each part may weigh.
        mine: Weight of the node.

    Returns:
        The part that the node is joined to most, or -1 if all others are too heavy.
    """
    target = -1
    for f in range(load.shape[0]):
        fits = f != here and load[f] + mine <= most[f]
        if fits and (target < 0 or joined[v, f] > joined[v, target]):
            target = f
    return target


@kernel
def choose_node(weight: Ints, parts: Parts, moves: Moves, overflow: int) -> int:
    """Return the node whose best move saves most, or -1 if none can move.

    While some part is too heavy, only moves out of such a part count.
    """
    part, load, room, most = parts
    joined, gain, target, stale, locked = moves
    chosen = -1
    for v in range(part.shape[0]):
        if locked[v]:
            continue
        here, mine = part[v], weight[v]
        if stale[v] or target[v] < 0 or load[target[v]] + mine > most[target[v]]:
            target[v] = best_target(joined, v, load, here, most, mine)
            stale[v] = False
            if target[v] >= 0:
                gain[v] = joined[v, target[v]] - joined[v, here]
        if target[v] < 0 or (overflow > 0 and load[here] <= room[here]):
            continue
        if overflow > 0 and load[target[v]] + mine > room[target[v]]:
            other = best_target(joined, v, load, here, room, mine)
            if other >= 0:
                target[v] = other
                gain[v] = joined[v, other] - joined[v, here]
                stale[v] = True
        if chosen < 0 or gain[v] > gain[chosen]:
            chosen = v
    return chosen


@kernel
def move_node(graph: WeightedGraph, parts: Parts, moves: Moves, v: int, there: int) -> int:
    """Put node `v` into part `there`; return by how much the sum of overflows grows."""
    start, neighbour, cost = graph.edges
    here = parts.part[v]
    before = overflow_of(parts, here) + overflow_of(parts, there)
    parts.load[here] -= graph.weight[v]
    parts.load[there] += graph.weight[v]
    parts.part[v] = there
    for k in range(start[v], start[v + 1]):
        moves.joined[neighbour[k], here] -= cost[k]
        moves.joined[neighbour[k], there] += cost[k]
        moves.stale[neighbour[k]] = True
    return overflow_of(parts, here) + overflow_of(parts, there) - before


@kernel
def one_pass(graph: WeightedGraph, parts: Parts, moves: Moves) -> tuple[float, int]:
    """Move every node at most once, best move first, then take back what came after the best.

    Returns:
        By how much the cut fell, in bits, and how many moves were kept. The cut may have risen so
        that parts keep within their room.
    """
    num = graph.weight.shape[0]
    moves.locked[:] = False
    moves.stale[:] = True
    moved, origin = np.empty(num, np.int64), np.empty(num, np.int64)
    overflow = 0
    for f in range(parts.load.shape[0]):
        overflow += overflow_of(parts, f)
    total, best_total = 0.0, 0.0
    count, best_count = 0, 0
    best_overflow = overflow
    patience = min(num, 50 + num // 10)
    while count < num and count - best_count < patience:
        v = choose_node(graph.weight, parts, moves, overflow)
        if v < 0:
            break
        moved[count], origin[count] = v, parts.part[v]
        count += 1
        total += moves.gain[v]
        overflow += move_node(graph, parts, moves, v, moves.target[v])
        moves.locked[v] = True
        better = overflow == best_overflow and total > best_total + 1e-9
        if overflow < best_overflow or better:
            best_total, best_count, best_overflow = total, count, overflow
    for c in range(count - 1, best_count - 1, -1):
        move_node(graph, parts, moves, moved[c], origin[c])
    return best_total, best_count


@kernel
def refine_parts(graph: WeightedGraph, part: Ints, load: Ints, room: Ints, passes: int) -> float:
    """Move nodes between parts, best move first, and keep the best prefix of each pass.

    Parts may be too heavy on the way by the weight of one node.

    Args:
        graph: What is partitioned.
        part: (S,) Part of each node, updated in place.
        load: (K,) Weight of each part, updated in place.
        room: (K,) Weight each part may hold.
        passes: Passes at most; a pass that moves nothing is the last.

    Returns:
        By how much the cut fell, in bits.
    """
    num = graph.weight.shape[0]
    parts = Parts(part, load, room, room + graph.weight.max())
    moves = Moves(
        bits_joined(graph, parts),
        np.empty(num),
        np.empty(num, np.int64),
        np.ones(num, np.bool_),
        np.zeros(num, np.bool_),
    )
    gained = 0.0
    for _ in range(passes):
        gain, count = one_pass(graph, parts, moves)
        gained += gain
        if count == 0:
            break
    return gained
