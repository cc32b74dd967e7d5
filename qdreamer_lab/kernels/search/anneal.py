"""Kernel that anneals a labelling of wire pieces by moving runs of one wire between fragments.

Works on the piece graph of `search/strategies/piece_graph.py`, with costs that add up edge by
edge. It never decides how long to run: the caller gives the number of moves.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.random_numbers import advance, below, unit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def relabel(
    labels: Ints,
    piece_wire: Ints,
    width: Ints,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    wire_cost: float,
    first: int,
    last: int,
    target: int,
) -> float:
    """Give pieces `first`..`last` of one wire the label `target`; return the change of cost.

    `labels` and `width` are updated in place.
    """
    change = 0.0
    num = labels.shape[0]
    for v in range(first, last + 1):
        old = labels[v]
        width[old] -= 1
        width[target] += 1
        if old != target:
            for k in range(start[v], start[v + 1]):
                other = labels[neighbour[k]]
                if other == old:
                    change += cost[k]
                elif other == target:
                    change -= cost[k]
    low = first - 1 if first > 0 and piece_wire[first - 1] == piece_wire[first] else first
    high = last + 1 if last + 1 < num and piece_wire[last + 1] == piece_wire[last] else last
    for v in range(low, high):
        if labels[v] == labels[v + 1]:
            width[labels[v]] += 1
        else:
            change -= wire_cost
    for v in range(first, last + 1):
        labels[v] = target
    for v in range(low, high):
        if labels[v] == labels[v + 1]:
            width[labels[v]] -= 1
        else:
            change += wire_cost
    return change


@kernel
def total_overflow(width: Ints, max_width: int, total_room: int) -> int:
    """Return how many qubits are held beyond `max_width` per fragment and `total_room` in all."""
    overflow: int = 0
    total: int = 0
    for f in range(width.shape[0]):
        total += width[f]
        if width[f] > max_width:
            overflow += width[f] - max_width
    if total > total_room:
        overflow += total - total_room
    return int(overflow)


@kernel
def fresh_label(width: Ints, wanted: int) -> int:
    """Return an unused label, the first from `wanted` on, or `wanted` itself if all are used."""
    num = width.shape[0]
    for step in range(num):
        label = (wanted + step) % num
        if width[label] == 0:
            return int(label)
    return wanted


@kernel
def propose(
    now: Ints, piece_wire: Ints, width: Ints, start: Ints, neighbour: Ints, state: int
) -> tuple[int, int, int, int]:
    """Draw a move: a random piece, stretched to a run of its wire, and a label to give it.

    The label is that of a gate neighbour, of a wire neighbour, of any piece, or a fresh one.

    Returns:
        The random state, the first and last piece, and the label (-1 for no move).
    """
    num = now.shape[0]
    state = advance(state)
    v = below(state, num)
    here = now[v]
    state = advance(state)
    pick = below(state, 16)
    target = here
    if pick < 9 and start[v + 1] > start[v]:
        state = advance(state)
        target = now[neighbour[start[v] + below(state, start[v + 1] - start[v])]]
    elif pick < 11 and v > 0 and piece_wire[v - 1] == piece_wire[v]:
        target = now[v - 1]
    elif pick < 13 and v + 1 < num and piece_wire[v + 1] == piece_wire[v]:
        target = now[v + 1]
    elif pick < 15:
        state = advance(state)
        target = now[below(state, num)]
    else:
        state = advance(state)
        target = fresh_label(width, below(state, width.shape[0]))
    if target == here:
        return state, v, v, -1
    state = advance(state)
    reach = below(state, 8)
    first, last = v, v
    whole = reach == 7
    if reach >= 2:
        if reach != 3:
            while (
                first > 0
                and piece_wire[first - 1] == piece_wire[v]
                and (whole or now[first - 1] == here)
            ):
                first -= 1
        if reach != 2:
            while (
                last + 1 < num
                and piece_wire[last + 1] == piece_wire[v]
                and (whole or now[last + 1] == here)
            ):
                last += 1
    return state, first, last, target


@kernel
def anneal(
    labels: Ints,
    piece_wire: Ints,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    wire_cost: float,
    max_width: int,
    total_room: int,
    num_labels: int,
    moves: int,
    hot: float,
    cold: float,
    seed: int,
) -> tuple[Ints, float]:
    """Anneal from `labels` and return the cheapest feasible labelling met, with its cost.

    Moves are those of `propose`. Too wide fragments are allowed on the way, because with tight
    widths no single move stays feasible; what a qubit too many costs rises while there are some
    and falls while there are none.

    Args:
        labels: (S,) fragment of each piece, values below `num_labels`.
        piece_wire: (S,) wire of each piece; pieces of one wire are consecutive, in time order.
        start: adjacency of gates between pieces, see `kernels/pieces/adjacency.py`.
        neighbour: see `start`.
        cost: see `start`.
        wire_cost: cost of a wire cut, in bits.
        max_width: qubits a fragment may hold.
        total_room: qubits all fragments together may hold.
        num_labels: fragments there may be at most.
        moves: moves to try.
        hot: temperature at the start, in bits.
        cold: temperature at the end, in bits.
        seed: of the random moves.

    Returns:
        The best feasible labels, and their cost (infinite if none was met).
    """
    num = labels.shape[0]
    now = labels.copy()
    width = np.zeros(num_labels, np.int64)
    value = 0.0
    for v in range(num):
        width[now[v]] += 1
        if v > 0 and piece_wire[v - 1] == piece_wire[v]:
            if now[v - 1] == now[v]:
                width[now[v]] -= 1
            else:
                value += wire_cost
        for k in range(start[v], start[v + 1]):
            if neighbour[k] > v and now[neighbour[k]] != now[v]:
                value += cost[k]
    overflow = total_overflow(width, max_width, total_room)
    best = now.copy()
    best_value = value if overflow == 0 else np.inf
    saved = np.empty(num, np.int64)
    state = advance(advance((seed * 2654435761 + 12345) & ((1 << 48) - 1)))
    cooling = (cold / hot) ** (1.0 / max(1, moves))
    heat = hot
    penalty = 3.0
    for _ in range(moves):
        heat *= cooling
        penalty = min(1e4, penalty * 1.002) if overflow > 0 else max(1.0, penalty * 0.999)
        state, first, last, target = propose(now, piece_wire, width, start, neighbour, state)
        if target < 0:
            continue
        for u in range(first, last + 1):
            saved[u] = now[u]
        change = relabel(
            now, piece_wire, width, start, neighbour, cost, wire_cost, first, last, target
        )
        over = total_overflow(width, max_width, total_room)
        rise = change + penalty * (over - overflow)
        state = advance(state)
        if rise <= 0.0 or unit(state) < np.exp(-rise / heat):
            value += change
            overflow = over
            if over == 0 and value < best_value - 1e-9:
                best_value = value
                best[:] = now
        else:
            # Undo piece by piece: a run may have held several labels.
            for u in range(first, last + 1):
                relabel(now, piece_wire, width, start, neighbour, cost, wire_cost, u, u, saved[u])
    return best, best_value
