"""Kernel that turns a list of weighted edges into a compressed adjacency."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel


class Adjacency(NamedTuple):
    """Who is joined to whom in an undirected graph of S nodes.

    Node v is joined to `neighbour[start[v]:start[v + 1]]`, each once.

    Attributes:
        start: (S + 1,) Where the neighbours of each node begin.
        neighbour: Neighbours of all nodes.
        cost: Weights of the edges to them, in bits.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    cost: NDArray[np.float64]


@kernel
def adjacency(ends: NDArray[np.int64], weight: NDArray[np.float64], num_nodes: int) -> Adjacency:
    """Compress the edges of an undirected graph, summing the weights of parallel edges.

    Args:
        ends: (m, 2) The two nodes of each edge; an edge from a node to itself is dropped.
        weight: (m,) The edges' weights.
        num_nodes: Number of nodes S.

    Returns:
        The adjacency, with the neighbours of each node in order of first appearance.
    """
    m = ends.shape[0]
    fill = np.zeros(num_nodes + 1, np.int64)
    for e in range(m):
        fill[ends[e, 0] + 1] += 1
        fill[ends[e, 1] + 1] += 1
    fill = np.cumsum(fill)
    raw = np.empty(2 * m, np.int64)
    raw_weight = np.empty(2 * m)
    place = fill[:num_nodes].copy()
    for e in range(m):
        u, v = ends[e, 0], ends[e, 1]
        raw[place[u]], raw_weight[place[u]] = v, weight[e]
        place[u] += 1
        raw[place[v]], raw_weight[place[v]] = u, weight[e]
        place[v] += 1
    start = np.zeros(num_nodes + 1, np.int64)
    neighbour = np.empty(2 * m, np.int64)
    cost = np.empty(2 * m)
    seen = np.full(num_nodes, -1, np.int64)
    used = 0
    for v in range(num_nodes):
        start[v] = used
        for k in range(fill[v], fill[v + 1]):
            u = raw[k]
            if u == v:
                continue
            if seen[u] >= start[v]:
                cost[seen[u]] += raw_weight[k]
            else:
                seen[u] = used
                neighbour[used], cost[used] = u, raw_weight[k]
                used += 1
    start[num_nodes] = used
    return Adjacency(start, neighbour[:used].copy(), cost[:used].copy())
