"""Kernel that tries all labellings of a small circuit, leaving out only what cannot be cheaper."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.cost.exact_work import log2_work
from qdreamer_lab.kernels.cost.plan_price import WORK, price
from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def exhaustive(
    model: int,
    pairs: Ints,
    gate_cost: Floats,
    wire_cost: float,
    sine: Floats,
    rank: Ints,
    num_qubits: int,
    gate_low: Floats,
    wire_low: float,
    max_width: int,
    total_room: int,
    max_labels: int,
    upper: float,
    max_nodes: int,
) -> tuple[Ints, float, bool]:
    """Label endpoints in time order, depth first, fragments numbered by first appearance.

    A partial labelling is given up when a fragment is too wide, or when its cuts alone cost as
    much as the best plan known, counting each at the least it can cost in any group.

    Args:
        model: cost model, see `kernels/cost/plan_price.py`.
        pairs: see `price`.
        gate_cost: see `price`.
        wire_cost: see `price`.
        sine: see `price`.
        rank: see `price`.
        num_qubits: see `price`.
        gate_low: (m,) the least bits each block adds when cut.
        wire_low: the least bits a wire cut adds.
        max_width: qubits a fragment may hold.
        total_room: qubits all fragments together may hold.
        max_labels: fragments there may be at most.
        upper: only plans cheaper than this are looked for.
        max_nodes: give up after this many partial labellings.

    Returns:
        The best labels (m, 2), all -1 if none is cheaper than `upper`; their price; and whether
        the search was complete.
    """
    m = pairs.shape[0]
    ends = 2 * m
    labels = np.full((m, 2), -1, np.int64)
    best_labels = np.full((m, 2), -1, np.int64)
    best = upper
    before = np.full(ends, -1, np.int64)
    last = np.full(num_qubits, -1, np.int64)
    for e in range(ends):
        q = pairs[e // 2, e % 2]
        before[e] = last[q]
        last[q] = e
    bound = np.zeros(ends + 1)
    used = np.zeros(ends + 1, np.int64)
    width = np.zeros(ends + 1, np.int64)
    total = 0
    depth = 0
    nodes = 0
    entered = np.full(ends, -1, np.int64)
    while depth >= 0:
        nodes += 1
        if nodes > max_nodes:
            return best_labels, best, False
        if depth == ends:
            value = price(model, pairs, labels, gate_cost, wire_cost, sine, rank, num_qubits)
            if value < best - 1e-9:
                best = value
                best_labels[:] = labels
            depth -= 1
            continue
        b, side = depth // 2, depth % 2
        if entered[depth] >= 0:
            width[entered[depth]] -= 1
            total -= 1
            entered[depth] = -1
        labels[b, side] += 1
        label = labels[b, side]
        if label > used[depth] or label >= max_labels:
            labels[b, side] = -1
            depth -= 1
            continue
        previous = before[depth]
        enters = previous < 0 or labels[previous // 2, previous % 2] != label
        if enters and (width[label] >= max_width or total >= total_room):
            continue
        step = wire_low if enters and previous >= 0 else 0.0
        if side == 1 and labels[b, 0] != label:
            step += gate_low[b]
        bound[depth + 1] = bound[depth] + step
        low = bound[depth + 1]
        if model == WORK:
            low = max(low, log2_work(pairs, labels, rank, num_qubits))
        if low >= best - 1e-9:
            continue
        if enters:
            width[label] += 1
            total += 1
            entered[depth] = label
        used[depth + 1] = max(used[depth], label + 1)
        depth += 1
    return best_labels, best, True
