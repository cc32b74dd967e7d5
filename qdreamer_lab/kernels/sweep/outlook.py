"""Kernels that look ahead in a sweep: which frontier pieces gates will soon join.

Only the choice which partial plans to drop rests on this, so it may be rough.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Pieces
from qdreamer_lab.kernels.sweep.frontier import Frontier

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Outlook(NamedTuple):
    """Where a sweep is, and room to list the pairs of slots whose pieces gates will soon join.

    Attributes:
        current: (n,) Piece placed last on each wire, -1 before the first.
        pair: (P, 2) Slots.
        bits: (P,) Bits of the gates that will join each pair.
        table: (slots, slots) The same bits while they are added up, else zeros.
    """

    current: Ints
    pair: Ints
    bits: Floats
    table: Floats


@kernel
def empty_outlook(num_qubits: int, slots: int) -> Outlook:
    """Make room for all pairs of slots; with no slots, for none."""
    return Outlook(
        np.full(num_qubits, -1, np.int64),
        np.empty((slots * slots, 2), np.int64),
        np.empty(slots * slots),
        np.zeros((slots, slots)),
    )


@kernel
def look_ahead(
    outlook: Outlook, pieces: Pieces, frontier: Frontier, step: int, horizon: int
) -> tuple[Ints, Floats]:
    """List the pairs of frontier pieces that gates will soon join, and by how many bits.

    Args:
        outlook: Room to work in; `current` must be up to date.
        pieces: What is swept over.
        frontier: Who is in the frontier, and when.
        step: Pieces up to this step are placed.
        horizon: Pieces to look ahead on each wire.

    Returns:
        (P, 2) pairs of slots and (P,) bits of the gates between them; nearer gates count more.
    """
    current, pair, bits, table = outlook
    if horizon == 0:
        return pair[:0], bits[:0]
    start, neighbour, cost = pieces.gates
    num = pieces.wire.shape[0]
    filled = 0
    for q in range(current.shape[0]):
        u = current[q]
        if u < 0:
            continue
        share = 0.5
        for v in range(u + 1, u + horizon + 1):
            if v >= num or pieces.wire[v] != q:
                break
            share *= 1.0 - 1.0 / horizon
            for k in range(start[v], start[v + 1]):
                other = current[pieces.wire[neighbour[k]]]
                if other < 0 or frontier.enters[neighbour[k]] <= step:
                    continue
                a, b = frontier.slot[u], frontier.slot[other]
                s, t = min(a, b), max(a, b)
                if table[s, t] == 0.0:
                    if filled == bits.shape[0]:
                        continue
                    pair[filled, 0], pair[filled, 1] = s, t
                    filled += 1
                table[s, t] += share * cost[k]
    for k in range(filled):
        s, t = pair[k, 0], pair[k, 1]
        bits[k] = table[s, t]
        table[s, t] = 0.0
    return pair[:filled], bits[:filled]


@kernel
def bits_ahead(pair: Ints, bits: Floats, labels: Bytes) -> float:
    """Add up the bits of the pairs of slots that have different labels."""
    total = 0.0
    for k in range(bits.shape[0]):
        if labels[pair[k, 0]] != labels[pair[k, 1]]:
            total += bits[k]
    return total
