"""Kernel that anneals a partition of whole wires by letting two of them change places.

With little room to spare no single wire can move, and two that trade places leave every load as it
is. Free places count as wires that nothing is joined to, so a trade with one is a move.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.adjacency import Adjacency
from qdreamer_lab.kernels.random_numbers import MASK, advance, below
from qdreamer_lab.kernels.search.anneal import Cooling, accepts

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def bits_between(edges: Adjacency, v: int, u: int) -> float:
    """Return the bits of the edge between two nodes, 0 if there is none."""
    for k in range(edges.start[v], edges.start[v + 1]):
        if edges.neighbour[k] == u:
            return float(edges.cost[k])
    return 0.0


@kernel
def put(edges: Adjacency, part: Ints, joined: Floats, v: int, there: int) -> None:
    """Put node or free place `v` into part `there`; `part` and `joined` are updated in place."""
    here = part[v]
    part[v] = there
    if v < joined.shape[0]:
        for k in range(edges.start[v], edges.start[v + 1]):
            joined[edges.neighbour[k], here] -= edges.cost[k]
            joined[edges.neighbour[k], there] += edges.cost[k]


@kernel
def anneal_swaps(edges: Adjacency, part: Ints, rooms: Ints, cooling: Cooling, seed: int) -> Ints:
    """Anneal from `part` and return the partition with the cheapest cut that was met.

    Args:
        edges: Which of the S nodes are joined, and the bits of parting them.
        part: (S,) Part of each node.
        rooms: (K,) Nodes that each part may hold, and holds no more of.
        cooling: How long to anneal, and from which temperature to which.
        seed: Seed of the random trades.

    Returns:
        (S,) Part of each node.
    """
    num, parts = part.shape[0], rooms.shape[0]
    free = rooms.copy()
    for v in range(num):
        free[part[v]] -= 1
    now = np.append(part, np.repeat(np.arange(parts), free))
    joined = np.zeros((num, parts))
    for v in range(num):
        for k in range(edges.start[v], edges.start[v + 1]):
            joined[v, part[edges.neighbour[k]]] += edges.cost[k]
    best, value, best_value = part.copy(), 0.0, 0.0
    state = advance(advance((seed * 2654435761 + 12345) & MASK))
    factor = (cooling.cold / cooling.hot) ** (1.0 / max(1, cooling.moves))
    heat = cooling.hot
    for _ in range(cooling.moves):
        if cooling.stop[0] != 0:
            break
        heat *= factor
        state = advance(state)
        v = below(state, num)
        state = advance(state)
        u = below(state, now.shape[0])
        here, there = now[v], now[u]
        if here == there:
            continue
        state = advance(state)
        rise = joined[v, here] - joined[v, there]
        if u < num:
            rise += joined[u, there] - joined[u, here]
        # What joins the two is looked for last: most trades are too dear without it.
        if not accepts(rise, heat, state):
            continue
        if u < num:
            rise += 2.0 * bits_between(edges, v, u)
            if not accepts(rise, heat, state):
                continue
        put(edges, now, joined, v, there)
        put(edges, now, joined, u, here)
        value += rise
        if value < best_value - 1e-9:
            best_value = value
            best[:] = now[:num]
    return best
