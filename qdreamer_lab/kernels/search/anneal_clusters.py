"""Kernel that anneals a labelling of clusters by moving one of them at a time.

Clusters of many pieces make moves that no run of a single wire makes, such as that of a few qubits
for some time. As in `kernels/search/anneal.py`, the caller says how long it goes on.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Limits
from qdreamer_lab.kernels.random_numbers import MASK, advance, below
from qdreamer_lab.kernels.search.anneal import Cooling, accepts, fresh_label, total_overflow
from qdreamer_lab.kernels.search.clusters import Clusters, cluster_cost, cluster_widths

Ints = NDArray[np.int64]


@kernel
def move_cluster(clusters: Clusters, labels: Ints, width: Ints, v: int, target: int) -> float:
    """Give cluster `v` the label `target`; return the change of cost in bits.

    `labels` and `width` are updated in place.
    """
    start, neighbour, cost = clusters.edges
    here = labels[v]
    change = 0.0
    kept, found = 0, 0
    for k in range(start[v], start[v + 1]):
        other = labels[neighbour[k]]
        if other == here:
            change += cost[k]
            kept += clusters.wires[k]
        elif other == target:
            change -= cost[k]
            found += clusters.wires[k]
    width[here] -= clusters.weight[v] - kept
    width[target] += clusters.weight[v] - found
    labels[v] = target
    return change


@kernel
def propose_cluster(
    clusters: Clusters, labels: Ints, width: Ints, state: int
) -> tuple[int, int, int]:
    """Draw a move: a cluster, and the label of a neighbour, of any cluster, or a fresh one.

    Returns:
        The random state, the cluster, and its new label.
    """
    start, neighbour, _ = clusters.edges
    num = labels.shape[0]
    state = advance(state)
    v = below(state, num)
    state = advance(state)
    pick = below(state, 16)
    degree = start[v + 1] - start[v]
    state = advance(state)
    if pick < 14 and degree > 0:
        return state, v, labels[neighbour[start[v] + below(state, degree)]]
    if pick < 15:
        return state, v, labels[below(state, num)]
    return state, v, fresh_label(width, 0)


@kernel
def anneal_clusters(
    clusters: Clusters,
    labels: Ints,
    limits: Limits,
    cooling: Cooling,
    seed: int,
    forget: bool = False,
) -> tuple[Ints, float]:
    """Anneal from `labels` and return the cheapest feasible labelling met, with its cost.

    Args:
        clusters: What is labelled.
        labels: (S,) Fragment of each cluster, below `limits.max_labels`.
        limits: What the answer has to keep.
        cooling: How long to anneal at most, and from which temperature to which.
        seed: Seed of the random moves.
        forget: Whether only the second half of the moves counts. Else an annealing from a good plan
            gives back that plan, however hot it was.

    Returns:
        The best feasible labels, and their cost; infinite if none was met, and then the labels are
        those it came to in the end.
    """
    now = labels.copy()
    width = cluster_widths(clusters, now, limits.max_labels)
    value = cluster_cost(clusters, now)
    overflow = total_overflow(width, limits)
    best, best_value = now.copy(), value if overflow == 0 else np.inf
    state = advance(advance((seed * 2654435761 + 12345) & MASK))
    factor = (cooling.cold / cooling.hot) ** (1.0 / max(1, cooling.moves))
    heat, penalty = cooling.hot, 3.0
    for step in range(cooling.moves):
        if cooling.stop[0] != 0:
            break
        if forget and step == cooling.moves // 2:
            best_value = value if overflow == 0 else np.inf
            best[:] = now
        heat *= factor
        penalty = min(1e4, penalty * 1.002) if overflow > 0 else max(1.0, penalty * 0.999)
        state, v, target = propose_cluster(clusters, now, width, state)
        here = now[v]
        if target == here:
            continue
        change = move_cluster(clusters, now, width, v, target)
        over = total_overflow(width, limits)
        state = advance(state)
        if accepts(change + penalty * (over - overflow), heat, state):
            value += change
            overflow = over
            if over == 0 and value < best_value - 1e-9:
                best_value = value
                best[:] = now
        else:
            move_cluster(clusters, now, width, v, here)
    if best_value == np.inf:
        best[:] = now
    return best, best_value
