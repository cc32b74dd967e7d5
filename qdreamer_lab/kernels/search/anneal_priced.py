"""Kernel that anneals under a cost model whose cuts share decompositions or have no bits at all.

Every move is priced afresh, so a move takes far longer than in `kernels/search/anneal.py`; it
starts from plans found there.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.cost.plan_price import Blocks, price
from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.piece_costs import piece_widths
from qdreamer_lab.kernels.pieces.pieces import Limits, Pieces
from qdreamer_lab.kernels.random_numbers import MASK, advance
from qdreamer_lab.kernels.search.anneal import Cooling, accepts, propose, total_overflow

Ints = NDArray[np.int64]


@kernel
def spread(labels: Ints, piece_of: Ints, num_labels: int) -> Ints:
    """Give labels of pieces (S,) to block endpoints (m, 2), numbered by first appearance."""
    name = np.full(num_labels, -1, np.int64)
    out = np.empty(piece_of.shape, np.int64)
    used = 0
    for b in range(piece_of.shape[0]):
        for side in range(2):
            label = labels[piece_of[b, side]]
            if name[label] < 0:
                name[label] = used
                used += 1
            out[b, side] = name[label]
    return out


@kernel
def move_some(
    now: Ints, pieces: Pieces, num_labels: int, moves: int, state: int
) -> tuple[int, bool]:
    """Make `moves` random moves in place; return the random state and whether anything moved."""
    moved = False
    for _ in range(moves):
        width = piece_widths(now, pieces.wire, num_labels)
        state, first, last, target = propose(now, width, pieces, state)
        if target >= 0:
            now[first : last + 1] = target
            moved = True
    return state, moved


@kernel
def anneal_priced(
    model: int,
    blocks: Blocks,
    labels: Ints,
    piece_of: Ints,
    pieces: Pieces,
    limits: Limits,
    cooling: Cooling,
    seed: int,
) -> tuple[Ints, float]:
    """Anneal from feasible labels of pieces; return the best feasible ones and their price.

    Moves to too wide fragments are refused, and every fourth step moves two runs at once, so that
    full fragments can trade.

    Args:
        model: Cost model, as in `price`.
        blocks: What is cut.
        labels: (S,) Fragment of each piece.
        piece_of: (m, 2) The piece of each endpoint.
        pieces: What is labelled; its costs are not used.
        limits: What the answer has to keep.
        cooling: How long to anneal, and from which temperature to which.
        seed: Seed of the random moves.
    """
    now = labels.copy()
    value = price(model, blocks, spread(now, piece_of, limits.max_labels))
    best, best_value = now.copy(), value
    saved = now.copy()
    state = advance(advance((seed * 2654435761 + 777) & MASK))
    factor = (cooling.cold / cooling.hot) ** (1.0 / max(1, cooling.moves))
    heat = cooling.hot
    for step in range(cooling.moves):
        if cooling.stop[0] != 0:
            break
        heat *= factor
        saved[:] = now
        moves = 2 if step % 4 == 0 else 1
        state, moved = move_some(now, pieces, limits.max_labels, moves, state)
        if not moved:
            continue
        width = piece_widths(now, pieces.wire, limits.max_labels)
        if total_overflow(width, limits) > 0:
            now[:] = saved
            continue
        fresh = price(model, blocks, spread(now, piece_of, limits.max_labels))
        state = advance(state)
        if accepts(fresh - value, heat, state):
            value = fresh
            if value < best_value - 1e-9:
                best_value = value
                best[:] = now
        else:
            now[:] = saved
    return best, best_value
