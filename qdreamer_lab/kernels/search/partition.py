"""Kernels of multilevel graph partitioning: match nodes to make a graph coarser, and grow parts.

Nodes have weights (how many wires they stand for), edges have costs in bits. The scheme is the
classical one of Hendrickson and Leland, and Karypis and Kumar.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.adjacency import Adjacency
from qdreamer_lab.kernels.random_numbers import MASK, advance, below

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class WeightedGraph(NamedTuple):
    """What is partitioned.

    Attributes:
        edges: Which of the S nodes are joined, and the bits of parting them.
        weight: (S,) Wires that each node stands for.
    """

    edges: Adjacency
    weight: Ints


@kernel
def match_heavy(graph: WeightedGraph, heaviest: int, seed: int) -> tuple[Ints, int]:
    """Pair each node with the free neighbour it is most strongly joined to.

    Args:
        graph: What is to be made coarser.
        heaviest: Weight a pair may have at most.
        seed: Seed of the order in which nodes choose.

    Returns:
        The coarse node of each node (S,), and how many there are.
    """
    (start, neighbour, cost), weight = graph
    num = weight.shape[0]
    order = np.arange(num)
    state = advance((seed * 7919 + 17) & MASK)
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
def free_node(part: Ints, skip: int) -> int:
    """Return the node without a part that comes after `skip` others without."""
    v = 0
    while part[v] >= 0 or skip > 0:
        if part[v] < 0:
            skip -= 1
        v += 1
    return v


@kernel
def place_rest(graph: WeightedGraph, part: Ints, load: Ints, used: int, rooms: Ints) -> int:
    """Put each node without a part where it is joined best among the parts that have room.

    `part` and `load` are updated in place.

    Returns:
        The number of parts, which grows where a node fits in none. If there can be no more, such a
        node goes where it is least too much.
    """
    (start, neighbour, cost), weight = graph
    for v in np.argsort(-weight, kind="mergesort"):
        if part[v] >= 0:
            continue
        best, strongest = -1, -1.0
        for f in range(used):
            if load[f] + weight[v] > rooms[f]:
                continue
            joined = 0.0
            for k in range(start[v], start[v + 1]):
                if part[neighbour[k]] == f:
                    joined += cost[k]
            if joined > strongest:
                best, strongest = f, joined
        if best < 0 and used < rooms.shape[0]:
            best = used
            used += 1
        if best < 0:
            best = int(np.argmin(load - rooms))
        part[v] = best
        load[best] += weight[v]
    return used


@kernel
def grow_parts(graph: WeightedGraph, rooms: Ints, parts: int, seed: int) -> tuple[Ints, Ints, int]:
    """Fill parts one after the other with the free node most strongly joined to the part.

    Args:
        graph: What is partitioned.
        rooms: Weight that each part may hold, of all parts that there may be.
        parts: Parts to aim for; more are opened if some node fits in none.
        seed: Seed of the nodes that parts start from.

    Returns:
        The part of each node (S,), the load of each part, and the number of parts.
    """
    (start, neighbour, cost), weight = graph
    num = weight.shape[0]
    part = np.full(num, -1, np.int64)
    load = np.zeros(rooms.shape[0], np.int64)
    pull = np.zeros(num)
    state = advance((seed * 104729 + 5) & MASK)
    left = num
    used = 0
    while left > 0 and used < parts:
        pull[:] = 0.0
        state = advance(state)
        v = free_node(part, below(state, left))
        while v >= 0 and load[used] + weight[v] <= rooms[used]:
            part[v] = used
            load[used] += weight[v]
            left -= 1
            for k in range(start[v], start[v + 1]):
                pull[neighbour[k]] += cost[k]
            v = -1
            for u in range(num):
                fits = part[u] < 0 and load[used] + weight[u] <= rooms[used]
                if fits and (v < 0 or pull[u] > pull[v]):
                    v = u
        used += 1
    used = place_rest(graph, part, load, used, rooms)
    return part, load[:used].copy(), used
