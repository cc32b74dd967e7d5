"""Segments of wires from labels of the ends of blocks, and what hangs together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]


class Segments(NamedTuple):
    """As `qdreamer_lab.workload.cut.wire_segments.Layout`, which says what each is."""

    qubit: Ints
    fragment: Ints
    first: Ints
    last: Ints
    previous: Ints
    of: Ints


@kernel
def segments_of(pairs: Ints, labels: Ints) -> Segments:
    """Return the segments of labels (m, 2) on blocks (m, 2), in order of time."""
    most = pairs.size
    qubit, fragment = np.empty(most, np.int64), np.empty(most, np.int64)
    first, last = np.empty(most, np.int64), np.empty(most, np.int64)
    previous, of = np.empty(most, np.int64), np.empty(pairs.shape, np.int64)
    on_wire = np.full(1 + (pairs.max() if most else -1), -1, np.int64)
    count = 0
    for block in range(len(pairs)):
        for side in range(2):
            wire, label = pairs[block, side], labels[block, side]
            segment = on_wire[wire]
            if segment < 0 or fragment[segment] != label:
                qubit[count], fragment[count] = wire, label
                first[count], previous[count] = block, segment
                segment = on_wire[wire] = count
                count += 1
            last[segment] = block
            of[block, side] = segment
    return Segments(
        qubit[:count].copy(),
        fragment[:count].copy(),
        first[:count].copy(),
        last[:count].copy(),
        previous[:count].copy(),
        of,
    )


@kernel
def parts_of(of: Ints, whole: NDArray[np.bool_], num_segments: int) -> Ints:
    """Return labels (m, 2) of what hangs together, numbered by first appearance.

    Args:
        of: (m, 2) segment of each end of each block.
        whole: (m,) which blocks join the segments at their ends.
        num_segments: How many there are.
    """
    parent = np.arange(num_segments)
    for block in range(len(of)):
        if whole[block]:
            low, high = root_of(parent, of[block, 0]), root_of(parent, of[block, 1])
            parent[max(low, high)] = min(low, high)
    number = np.full(num_segments, -1, np.int64)
    labels = np.empty(of.shape, np.int64)
    count = 0
    for block in range(len(of)):
        for side in range(2):
            root = root_of(parent, of[block, side])
            if number[root] < 0:
                number[root] = count
                count += 1
            labels[block, side] = number[root]
    return labels


@kernel
def root_of(parent: Ints, node: int) -> int:
    """Return the root of a node, and shorten the way to it."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
