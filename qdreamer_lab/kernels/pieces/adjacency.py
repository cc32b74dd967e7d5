"""Kernel that turns a list of weighted edges into a compressed adjacency."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel


@kernel
def adjacency(
    ends: NDArray[np.int64], weight: NDArray[np.float64], num_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Compress the edges of an undirected graph, summing the weights of parallel edges.

    Args:
        ends: (m, 2) the two nodes of each edge; an edge from a node to itself is dropped.
        weight: (m,) the edges' weights.
        num_nodes: number of nodes S.

    Returns:
        `start` (S + 1,), `neighbour` and `cost`: the neighbours of node v are
        `neighbour[start[v]:start[v + 1]]`, each once, in order of first appearance.
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
    return start, neighbour[:used].copy(), cost[:used].copy()
