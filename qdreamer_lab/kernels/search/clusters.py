"""Kernels that join pieces of wires to clusters, and clusters to larger ones.

A cluster is a set of pieces that move together. It holds a qubit for each of its pieces, less one
for each place where a wire goes on inside of it; so what clusters weigh, and how many places join
two of them, is all that it takes to know how wide fragments are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.adjacency import Adjacency
from qdreamer_lab.kernels.pieces.pieces import Pieces, follows
from qdreamer_lab.kernels.random_numbers import MASK, advance, below, unit

Ints = NDArray[np.int64]


class Clusters(NamedTuple):
    """Clusters of pieces, and what joins them.

    Attributes:
        edges: Which of the S clusters are joined, by gates or wires, and the bits of parting them.
        wires: Places where a wire goes from one cluster to the other, for each entry of
            `edges.neighbour`.
        weight: (S,) Qubits that each holds by itself.
    """

    edges: Adjacency
    wires: Ints
    weight: Ints


@kernel
def single_clusters(pieces: Pieces) -> Clusters:
    """Make a cluster of every piece."""
    start, neighbour, cost = pieces.gates
    num = pieces.wire.shape[0]
    opens = np.zeros(num + 1, np.int64)
    joined = np.empty(neighbour.shape[0] + 2 * num, np.int64)
    bits, wires = np.empty(joined.shape[0]), np.zeros(joined.shape[0], np.int64)
    used = 0
    for v in range(num):
        for u in (v - 1, v + 1):
            if follows(pieces.wire, max(u, v)) and u >= 0:
                joined[used], bits[used], wires[used] = u, pieces.wire_cost, 1
                used += 1
        for k in range(start[v], start[v + 1]):
            joined[used], bits[used] = neighbour[k], cost[k]
            used += 1
        opens[v + 1] = used
    edges = Adjacency(opens, joined[:used].copy(), bits[:used].copy())
    return Clusters(edges, wires[:used].copy(), np.ones(num, np.int64))


@kernel
def match_alike(
    clusters: Clusters, kind: Ints, heaviest: int, power: float, seed: int
) -> tuple[Ints, int]:
    """Pair each cluster with a free neighbour of its kind to which it is strongly joined.

    Args:
        clusters: What is to be made coarser.
        kind: (S,) Clusters of different kinds are not joined.
        heaviest: Qubits a pair may hold at most.
        power: How much light pairs are preferred: bits are divided by their qubits to this power.
        seed: Seed of the order in which clusters choose, and of a little noise.

    Returns:
        The coarse cluster of each cluster (S,), and how many there are.
    """
    start, neighbour, cost = clusters.edges
    weight = clusters.weight
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
        mate, strongest = -1, -1.0
        for k in range(start[v], start[v + 1]):
            u = neighbour[k]
            both = weight[u] + weight[v] - clusters.wires[k]
            if coarse[u] >= 0 or kind[u] != kind[v] or both > heaviest:
                continue
            state = advance(state)
            strength = cost[k] / both**power * (0.7 + 0.6 * unit(state))
            if strength > strongest:
                mate, strongest = u, strength
        coarse[v] = count
        if mate >= 0:
            coarse[mate] = count
        count += 1
    return coarse, count


@kernel
def join(clusters: Clusters, coarse: Ints, count: int) -> Clusters:
    """Join clusters: cluster v goes into cluster `coarse[v]`, of `count`."""
    (start, neighbour, cost), wires, weight = clusters
    num = weight.shape[0]
    first, following = np.full(count, -1, np.int64), np.full(num, -1, np.int64)
    for v in range(num - 1, -1, -1):
        following[v] = first[coarse[v]]
        first[coarse[v]] = v
    opens, heavy = np.zeros(count + 1, np.int64), np.zeros(count, np.int64)
    joined, between = np.empty_like(neighbour), np.empty_like(neighbour)
    bits = np.empty_like(cost)
    seen = np.full(count, -1, np.int64)
    used = 0
    for c in range(count):
        inside, v = 0, first[c]
        while v >= 0:
            heavy[c] += weight[v]
            for k in range(start[v], start[v + 1]):
                d = coarse[neighbour[k]]
                if d == c:
                    inside += wires[k]
                elif seen[d] >= opens[c]:
                    bits[seen[d]] += cost[k]
                    between[seen[d]] += wires[k]
                else:
                    seen[d] = used
                    joined[used], bits[used], between[used] = d, cost[k], wires[k]
                    used += 1
            v = following[v]
        heavy[c] -= inside // 2
        opens[c + 1] = used
    edges = Adjacency(opens, joined[:used].copy(), bits[:used].copy())
    return Clusters(edges, between[:used].copy(), heavy)


@kernel
def cluster_widths(clusters: Clusters, labels: Ints, num_labels: int) -> Ints:
    """Count the qubits of each fragment, given the fragment of each cluster (S,)."""
    start, neighbour, _ = clusters.edges
    twice = np.zeros(num_labels, np.int64)
    for v in range(labels.shape[0]):
        twice[labels[v]] += 2 * clusters.weight[v]
        for k in range(start[v], start[v + 1]):
            if labels[neighbour[k]] == labels[v]:
                twice[labels[v]] -= clusters.wires[k]
    return twice // 2


@kernel
def cluster_cost(clusters: Clusters, labels: Ints) -> float:
    """Add up the bits of all cuts, given the fragment of each cluster (S,)."""
    start, neighbour, cost = clusters.edges
    total = 0.0
    for v in range(labels.shape[0]):
        for k in range(start[v], start[v + 1]):
            if neighbour[k] > v and labels[neighbour[k]] != labels[v]:
                total += cost[k]
    return total
