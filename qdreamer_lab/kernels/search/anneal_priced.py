"""Kernel that anneals under a cost model whose cuts share decompositions or have no bits at all.

Every move is priced afresh, so a move takes far longer than in `kernels/search/anneal.py`; it
starts from plans found there.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.cost.plan_price import price
from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.piece_costs import piece_widths
from qdreamer_lab.kernels.random_numbers import advance, unit
from qdreamer_lab.kernels.search.anneal import propose, total_overflow

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def spread(labels: Ints, piece: Ints, num_labels: int) -> Ints:
    """Give labels of pieces (S,) to block endpoints (m, 2), numbered by first appearance."""
    name = np.full(num_labels, -1, np.int64)
    out = np.empty(piece.shape, np.int64)
    used = 0
    for b in range(piece.shape[0]):
        for side in range(2):
            label = labels[piece[b, side]]
            if name[label] < 0:
                name[label] = used
                used += 1
            out[b, side] = name[label]
    return out


@kernel
def anneal_priced(
    model: int,
    labels: Ints,
    piece: Ints,
    piece_wire: Ints,
    start: Ints,
    neighbour: Ints,
    pairs: Ints,
    gate_cost: Floats,
    wire_cost: float,
    sine: Floats,
    rank: Ints,
    num_qubits: int,
    max_width: int,
    total_room: int,
    num_labels: int,
    moves: int,
    hot: float,
    cold: float,
    seed: int,
) -> tuple[Ints, float]:
    """Anneal from the feasible `labels` of pieces; return the best feasible ones and their price.

    The arguments are those of `anneal` and `price`; `piece` (m, 2) is the piece of each endpoint.
    Moves to too wide fragments are refused, and every fourth step moves two runs at once, so that
    full fragments can trade.
    """
    now = labels.copy()
    value = price(
        model,
        pairs,
        spread(now, piece, num_labels),
        gate_cost,
        wire_cost,
        sine,
        rank,
        num_qubits,
    )
    best, best_value = now.copy(), value
    saved = now.copy()
    state = advance(advance((seed * 2654435761 + 777) & ((1 << 48) - 1)))
    cooling = (cold / hot) ** (1.0 / max(1, moves))
    heat = hot
    for step in range(moves):
        heat *= cooling
        saved[:] = now
        changed = False
        for _ in range(2 if step % 4 == 0 else 1):
            width = piece_widths(now, piece_wire, num_labels)
            state, first, last, target = propose(now, piece_wire, width, start, neighbour, state)
            if target >= 0:
                now[first : last + 1] = target
                changed = True
        if not changed:
            continue
        width = piece_widths(now, piece_wire, num_labels)
        if total_overflow(width, max_width, total_room) > 0:
            now[:] = saved
            continue
        fresh = price(
            model,
            pairs,
            spread(now, piece, num_labels),
            gate_cost,
            wire_cost,
            sine,
            rank,
            num_qubits,
        )
        state = advance(state)
        if fresh <= value or unit(state) < np.exp((value - fresh) / heat):
            value = fresh
            if value < best_value - 1e-9:
                best_value = value
                best[:] = now
        else:
            now[:] = saved
    return best, best_value
