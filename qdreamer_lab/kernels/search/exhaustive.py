"""Kernel that tries all labellings of a small circuit, leaving out only what cannot be cheaper."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.cost.exact_work import log2_work
from qdreamer_lab.kernels.cost.plan_price import WORK, Blocks, price
from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Limits

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class LeastCosts(NamedTuple):
    """Bits that every cut adds at least, whatever it shares a decomposition with.

    Attributes:
        gates: (m,) Bits of cutting each block.
        wire: Bits of cutting a wire.
    """

    gates: Floats
    wire: float


@kernel
def previous_ends(blocks: Blocks) -> Ints:
    """Find the endpoint before each endpoint (2m,) on its wire, -1 where there is none."""
    ends = 2 * blocks.pairs.shape[0]
    before = np.full(ends, -1, np.int64)
    last = np.full(blocks.num_qubits, -1, np.int64)
    for e in range(ends):
        q = blocks.pairs[e // 2, e % 2]
        before[e] = last[q]
        last[q] = e
    return before


@kernel
def added_bits(labels: Ints, end: int, wire_cut: bool, least: LeastCosts) -> float:
    """Return the bits that the cuts at endpoint `end`, just labelled, add at least."""
    bits = least.wire if wire_cut else 0.0
    if end % 2 == 1 and labels[end // 2, 0] != labels[end // 2, 1]:
        bits += least.gates[end // 2]
    return bits


@kernel
def may_grow(width: Ints, label: int, limits: Limits) -> bool:
    """Whether a fragment may hold a qubit more, given what the others (`width`) hold.

    Fragments fit if they do sorted by width. One more qubit changes the widths so sorted in a
    single place, the first of all fragments that are as wide.
    """
    room = limits.max_width
    if limits.rooms.shape[0] > 0:
        wider = 0
        for f in range(limits.max_labels):
            if width[f] > width[label]:
                wider += 1
        room = limits.rooms[wider]
    return bool(width[label] < room)


@kernel
def exhaustive(
    model: int,
    blocks: Blocks,
    least: LeastCosts,
    limits: Limits,
    upper: float,
    max_nodes: int,
    stop: Ints,
) -> tuple[Ints, float, bool]:
    """Label endpoints in time order, depth first, fragments numbered by first appearance.

    A partial labelling is given up when fragments are too wide, or when its cuts alone cost as
    much as the best plan known, counting each at the least it can cost in any group.

    Args:
        model: Cost model, as in `price`.
        blocks: What is cut.
        least: What every cut adds at least.
        limits: What the answer has to keep.
        upper: Only plans cheaper than this are looked for.
        max_nodes: Give up after this many partial labellings.
        stop: (1,) Flag that another thread raises; the search gives up when it is no longer 0.

    Returns:
        The best labels (m, 2), all -1 if none is cheaper than `upper`; their price; and whether
        the search was complete.
    """
    pairs = blocks.pairs
    ends = 2 * pairs.shape[0]
    labels = np.full(pairs.shape, -1, np.int64)
    best_labels, best = labels.copy(), upper
    before = previous_ends(blocks)
    # By depth, the number of endpoints labelled: bits and fragments so far.
    bound, used = np.zeros(ends + 1), np.zeros(ends + 1, np.int64)
    width, total = np.zeros(max(ends + 1, limits.rooms.shape[0]), np.int64), 0
    entered = np.full(ends, -1, np.int64)  # the fragment to which each endpoint brought a qubit
    depth = 0
    for _ in range(max_nodes):
        if depth < 0:
            return best_labels, best, True
        if stop[0] != 0:
            break
        if depth == ends:
            value = price(model, blocks, labels)
            if value < best - 1e-9:
                best = value
                best_labels[:] = labels
            depth -= 1
            continue
        if entered[depth] >= 0:
            width[entered[depth]] -= 1
            total -= 1
            entered[depth] = -1
        b, side = depth // 2, depth % 2
        labels[b, side] += 1
        label = labels[b, side]
        if label > used[depth] or label >= limits.max_labels:
            labels[b, side] = -1
            depth -= 1
            continue
        previous = before[depth]
        enters = previous < 0 or labels[previous // 2, previous % 2] != label
        if enters and (total >= limits.total_room or not may_grow(width, label, limits)):
            continue
        low = bound[depth] + added_bits(labels, depth, enters and previous >= 0, least)
        bound[depth + 1] = low
        if model == WORK:
            low = max(low, log2_work(pairs, labels, blocks.rank, blocks.num_qubits))
        if low >= best - 1e-9:
            continue
        if enters:
            width[label] += 1
            total += 1
            entered[depth] = label
        used[depth + 1] = max(used[depth], label + 1)
        depth += 1
    return best_labels, best, depth < 0
