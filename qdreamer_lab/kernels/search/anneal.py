"""Kernel that anneals a labelling of wire pieces by moving runs of one wire between fragments.

Works on the piece graph with costs that add up edge by edge. It never decides how long to run:
the caller gives the number of moves.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.piece_costs import piece_cost, piece_widths
from qdreamer_lab.kernels.pieces.pieces import Limits, Pieces, follows
from qdreamer_lab.kernels.random_numbers import MASK, advance, below, unit

Ints = NDArray[np.int64]


NEVER = np.zeros(1, np.int64)
"""A flag that stays down; see `Cooling.stop`."""


class Cooling(NamedTuple):
    """How an annealing goes on.

    Attributes:
        moves: Moves to try.
        hot: Temperature at the start, in bits.
        cold: Temperature at the end, in bits.
        stop: (1,) Flag that another thread raises; annealing ends when it is no longer 0.
    """

    moves: int
    hot: float
    cold: float
    stop: Ints = NEVER


@kernel
def relabel(labels: Ints, width: Ints, pieces: Pieces, first: int, last: int, target: int) -> float:
    """Give pieces `first`..`last` of one wire the label `target`; return the change of cost.

    `labels` and `width` are updated in place.
    """
    start, neighbour, cost = pieces.gates
    change = 0.0
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
    low = first - 1 if follows(pieces.wire, first) else first
    high = last + 1 if follows(pieces.wire, last + 1) else last
    for v in range(low, high):
        if labels[v] == labels[v + 1]:
            width[labels[v]] += 1
        else:
            change -= pieces.wire_cost
    for v in range(first, last + 1):
        labels[v] = target
    for v in range(low, high):
        if labels[v] == labels[v + 1]:
            width[labels[v]] -= 1
        else:
            change += pieces.wire_cost
    return change


@kernel
def wider_fragments(width: Ints, fragment: int) -> int:
    """Count the fragments before `fragment` if they are sorted by width, widest first."""
    before = 0
    for f in range(width.shape[0]):
        if width[f] > width[fragment] or (width[f] == width[fragment] and f < fragment):
            before += 1
    return before


@kernel
def total_overflow(width: Ints, limits: Limits) -> int:
    """Count the qubits held beyond what each fragment, and all fragments together, may hold."""
    overflow: int = 0
    total: int = 0
    for f in range(width.shape[0]):
        total += width[f]
        room = limits.max_width
        if limits.rooms.shape[0] > 0:
            room = limits.rooms[wider_fragments(width, f)]
        if width[f] > room:
            overflow += width[f] - room
    if total > limits.total_room:
        overflow += total - limits.total_room
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
def stretch(labels: Ints, wire: Ints, piece: int, reach: int) -> tuple[int, int]:
    """Return the first and last piece of the run around `piece` that moves along with it.

    Args:
        labels: (S,) Fragment of each piece.
        wire: (S,) Wire of each piece.
        piece: Where the run is.
        reach: 0 or 1 for the piece alone, 2 for its label's run up to it, 3 for that from it on,
            4 to 6 for both, 7 for its whole wire.
    """
    first, last = piece, piece
    if reach < 2:
        return first, last
    whole = reach == 7
    if reach != 3:
        while follows(wire, first) and (whole or labels[first - 1] == labels[piece]):
            first -= 1
    if reach != 2:
        while follows(wire, last + 1) and (whole or labels[last + 1] == labels[piece]):
            last += 1
    return first, last


@kernel
def propose(now: Ints, width: Ints, pieces: Pieces, state: int) -> tuple[int, int, int, int]:
    """Draw a move: a random piece, stretched to a run of its wire, and a label to give it.

    The label is that of a gate neighbour, of a wire neighbour, of any piece, or a fresh one.

    Returns:
        The random state, the first and last piece, and the label (-1 for no move).
    """
    start, neighbour, _ = pieces.gates
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
    elif pick < 11 and follows(pieces.wire, v):
        target = now[v - 1]
    elif pick < 13 and follows(pieces.wire, v + 1):
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
    first, last = stretch(now, pieces.wire, v, below(state, 8))
    return state, first, last, target


@kernel
def accepts(rise: float, heat: float, state: int) -> bool:
    """Whether a move that costs `rise` bits more is made, by the rule of Metropolis."""
    return rise <= 0.0 or unit(state) < np.exp(-rise / heat)


@kernel
def anneal(
    labels: Ints, pieces: Pieces, limits: Limits, cooling: Cooling, seed: int
) -> tuple[Ints, float]:
    """Anneal from `labels` and return the cheapest feasible labelling met, with its cost.

    Moves are those of `propose`. Too wide fragments are allowed on the way, because with tight
    widths no single move stays feasible; what a qubit too many costs rises while there are some
    and falls while there are none.

    Args:
        labels: (S,) Fragment of each piece.
        pieces: What is labelled.
        limits: What the answer has to keep.
        cooling: How long to anneal, and from which temperature to which.
        seed: Seed of the random moves.

    Returns:
        The best feasible labels, and their cost (infinite if none was met).
    """
    now = labels.copy()
    width = piece_widths(now, pieces.wire, limits.max_labels)
    value = piece_cost(now, pieces)
    overflow = total_overflow(width, limits)
    best = now.copy()
    best_value = value if overflow == 0 else np.inf
    saved = now.copy()
    state = advance(advance((seed * 2654435761 + 12345) & MASK))
    factor = (cooling.cold / cooling.hot) ** (1.0 / max(1, cooling.moves))
    heat = cooling.hot
    penalty = 3.0
    for _ in range(cooling.moves):
        if cooling.stop[0] != 0:
            break
        heat *= factor
        penalty = min(1e4, penalty * 1.002) if overflow > 0 else max(1.0, penalty * 0.999)
        state, first, last, target = propose(now, width, pieces, state)
        if target < 0:
            continue
        for u in range(first, last + 1):
            saved[u] = now[u]
        change = relabel(now, width, pieces, first, last, target)
        over = total_overflow(width, limits)
        state = advance(state)
        if accepts(change + penalty * (over - overflow), heat, state):
            value += change
            overflow = over
            if over == 0 and value < best_value - 1e-9:
                best_value = value
                best[:] = now
        else:
            # Undo piece by piece: a run may have held several labels.
            for u in range(first, last + 1):
                relabel(now, width, pieces, u, u, saved[u])
    return best, best_value
