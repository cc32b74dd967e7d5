"""Kernels that add up what labels of pieces cost and how wide they make each fragment."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def piece_widths(labels: Ints, piece_wire: Ints, num_labels: int) -> Ints:
    """Count the qubits of each fragment: one for every maximal run of its label on a wire.

    Args:
        labels: (S,) fragment of each piece.
        piece_wire: (S,) wire of each piece.
        num_labels: length of the answer.
    """
    width = np.zeros(num_labels, np.int64)
    for v in range(labels.shape[0]):
        goes_on = v > 0 and piece_wire[v - 1] == piece_wire[v] and labels[v - 1] == labels[v]
        if not goes_on:
            width[labels[v]] += 1
    return width


@kernel
def piece_cost(
    labels: Ints,
    piece_wire: Ints,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    wire_cost: float,
) -> float:
    """Add up the gate cuts and wire cuts that labels (S,) of pieces imply, in bits."""
    total = 0.0
    for v in range(labels.shape[0]):
        if v > 0 and piece_wire[v - 1] == piece_wire[v] and labels[v - 1] != labels[v]:
            total += wire_cost
        for k in range(start[v], start[v + 1]):
            if neighbour[k] > v and labels[neighbour[k]] != labels[v]:
                total += cost[k]
    return total
