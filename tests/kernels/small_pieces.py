"""Pieces of small random circuits, and what labels of them cost, in plain Python."""

from __future__ import annotations

import numpy as np

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.pieces import Pieces
from qdreamer_lab.kernels.pieces.wire_pieces import wire_pieces


def circuit(seed: int):
    """Qubits, pairs of the blocks, and their bits."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 9)), int(rng.integers(1, 40))
    pairs = np.array([rng.choice(n, 2, replace=False) for _ in range(m)], np.int64)
    return n, pairs, rng.random(m) * 4


def pieces_of(seed: int) -> Pieces:
    n, pairs, cost = circuit(seed)
    piece_of, wire = wire_pieces(pairs, cost, n, 4.0)
    return Pieces(wire, adjacency(piece_of, cost, len(wire)), 4.0)


def plain_account(labels, pieces: Pieces):
    """Bits of all cuts, and the widths of ten fragments."""
    wire = pieces.wire
    start, neighbour, cost = pieces.gates
    bits, width = 0.0, np.zeros(10, np.int64)
    for v in range(len(wire)):
        follows = v > 0 and wire[v - 1] == wire[v]
        width[labels[v]] += not (follows and labels[v - 1] == labels[v])
        bits += pieces.wire_cost * (follows and labels[v - 1] != labels[v])
        for k in range(start[v], start[v + 1]):
            bits += cost[k] / 2 * (labels[v] != labels[neighbour[k]])
    return bits, width
