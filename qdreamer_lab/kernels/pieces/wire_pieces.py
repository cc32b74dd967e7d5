"""Kernel that cuts every wire into the longest pieces that are worth keeping whole.

A piece is a run of consecutive block endpoints on one wire. It sees only arrays; what a piece
means for a circuit is told in `search/strategies/piece_graph.py`.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel


@kernel
def wire_pieces(
    pairs: NDArray[np.int64], gate_cost: NDArray[np.float64], num_qubits: int, wire_cost: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the pieces of all wires, joining endpoints that no optimal plan separates.

    The wire between endpoint i and i + 1 is never worth cutting when all gates before it, or all
    gates after it, cost no more than the wire: moving that end of the wire to the other side
    replaces the wire cut by gate cuts that are no dearer, and no fragment gets wider. Each such
    move removes a wire cut, so all of these places can be closed at once.

    Args:
        pairs: (m, 2) Qubits of each block, in time order.
        gate_cost: (m,) Cost of cutting each block, in bits.
        num_qubits: Number of wires.
        wire_cost: Cost of cutting a wire, in bits.

    Returns:
        `piece` (m, 2), the piece of each endpoint, numbered wire by wire and in time order
        within a wire; and `piece_wire` (S,), the wire of each piece.
    """
    m = pairs.shape[0]
    total = np.zeros(num_qubits)
    count = np.zeros(num_qubits, np.int64)
    for b in range(m):
        for side in range(2):
            total[pairs[b, side]] += gate_cost[b]
            count[pairs[b, side]] += 1
    # First pass: which endpoints open a piece. Second pass: numbers, once wires are known.
    before = np.zeros(num_qubits)
    opens = np.zeros((m, 2), np.bool_)
    pieces = np.zeros(num_qubits, np.int64)
    for b in range(m):
        for side in range(2):
            q = pairs[b, side]
            cheap = before[q] <= wire_cost or total[q] - before[q] <= wire_cost
            if pieces[q] == 0 or not cheap:
                opens[b, side] = True
                pieces[q] += 1
            before[q] += gate_cost[b]
    start = np.zeros(num_qubits + 1, np.int64)
    for q in range(num_qubits):
        start[q + 1] = start[q] + pieces[q]
    piece_wire = np.empty(start[num_qubits], np.int64)
    for q in range(num_qubits):
        piece_wire[start[q] : start[q + 1]] = q
    piece = np.empty((m, 2), np.int64)
    current = start[:num_qubits] - 1
    for b in range(m):
        for side in range(2):
            q = pairs[b, side]
            if opens[b, side]:
                current[q] += 1
            piece[b, side] = current[q]
    return piece, piece_wire
