"""Kernel that prices a plan under any cost model, by number, so that other kernels can call it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.cost.exact_work import log2_work
from qdreamer_lab.kernels.cost.shared_cuts import group_cuts, shared_gate_bits, shared_wire_bits
from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LO, JOINT, LOCC, WORK = 0, 1, 2, 3

FORBIDDEN = 1e6
"""Bits of a cut of a kind that is not allowed.

More than any plan without one costs, yet so few that adding and subtracting it leaves the other
terms exact to 1e-9.
"""


class Blocks(NamedTuple):
    """Two-qubit blocks of a circuit, and what cutting them costs.

    Attributes:
        pairs: (m, 2) Qubits of each block, in time order.
        gate_cost: (m,) Bits of cutting each block on its own; `FORBIDDEN` if it must not be.
        wire_cost: Bits of cutting a wire on its own, likewise.
        sine: (m,) |sin theta| of rotations about one axis, NaN for other blocks.
        rank: (m,) Operator-Schmidt ranks.
        num_qubits: Number of wires.
    """

    pairs: Ints
    gate_cost: Floats
    wire_cost: float
    sine: Floats
    rank: Ints
    num_qubits: int


@kernel
def price(model: int, blocks: Blocks, labels: Ints) -> float:
    """Price labels of endpoints under one cost model.

    Args:
        model: `LO`, `JOINT`, `LOCC` or `WORK`.
        blocks: What is cut.
        labels: (m, 2) Fragment of each endpoint, numbered by first appearance.

    Returns:
        Bits of sampling overhead, or log2 of the work for `WORK`.
    """
    pairs, gate_cost, wire_cost, sine, rank, num_qubits = blocks
    bits = 0.0
    if model == WORK:
        bits = log2_work(pairs, labels, rank, num_qubits)
        if wire_cost < FORBIDDEN and (pairs.shape[0] == 0 or gate_cost.max() < FORBIDDEN):
            return bits
        for b in range(pairs.shape[0]):
            if labels[b, 0] != labels[b, 1] and gate_cost[b] >= FORBIDDEN:
                bits += FORBIDDEN
        if wire_cost < FORBIDDEN:
            return bits
    elif model == LO:
        for b in range(pairs.shape[0]):
            if labels[b, 0] != labels[b, 1]:
                bits += gate_cost[b]
    else:
        bits = shared_gate_bits(group_cuts(pairs, labels, sine, num_qubits), gate_cost, sine)
    if model == LOCC and wire_cost < FORBIDDEN:
        return bits + shared_wire_bits(pairs, labels, num_qubits, wire_cost)
    last = np.full(num_qubits, -1, np.int64)
    for b in range(pairs.shape[0]):
        for side in range(2):
            q = pairs[b, side]
            if last[q] >= 0 and last[q] != labels[b, side]:
                bits += wire_cost
            last[q] = labels[b, side]
    return bits
