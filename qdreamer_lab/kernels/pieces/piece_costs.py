"""Kernels that add up what labels of pieces cost and how wide they make each fragment."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Pieces, follows

Ints = NDArray[np.int64]


@kernel
def piece_widths(labels: Ints, wire: Ints, num_labels: int) -> Ints:
    """Count the qubits of each fragment: one for every maximal run of its label on a wire.

    Args:
        labels: (S,) Fragment of each piece.
        wire: (S,) Wire of each piece.
        num_labels: Length of the answer.
    """
    width = np.zeros(num_labels, np.int64)
    for v in range(labels.shape[0]):
        if not (follows(wire, v) and labels[v - 1] == labels[v]):
            width[labels[v]] += 1
    return width


@kernel
def piece_cost(labels: Ints, pieces: Pieces) -> float:
    """Add up the gate cuts and wire cuts that labels (S,) of pieces imply, in bits."""
    start, neighbour, cost = pieces.gates
    total = 0.0
    for v in range(labels.shape[0]):
        if follows(pieces.wire, v) and labels[v - 1] != labels[v]:
            total += pieces.wire_cost
        for k in range(start[v], start[v + 1]):
            if neighbour[k] > v and labels[neighbour[k]] != labels[v]:
                total += cost[k]
    return total
