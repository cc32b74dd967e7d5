"""Segments of wires from labels of the ends of blocks, and what hangs together."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]


@kernel
def segments_of(pairs: Ints, labels: Ints, segments: Ints, of: Ints) -> int:
    """Find the segments of labels (m, 2) on blocks (m, 2), in order of time.

    Args:
        pairs: Qubits of each block.
        labels: Fragment of each end.
        segments: (5, 2 m) written: of each segment the wire, the fragment, the first and the last
            block, and the segment before it on its wire, or -1.
        of: (m, 2) written: the segment of each end.

    Returns:
        How many there are.
    """
    wires = 0
    for block in range(len(pairs)):
        wires = max(wires, 1 + max(pairs[block, 0], pairs[block, 1]))
    on_wire = np.full(wires, -1, np.int64)
    count = 0
    for block in range(len(pairs)):
        for side in range(2):
            wire, label = pairs[block, side], labels[block, side]
            segment = on_wire[wire]
            if segment < 0 or segments[1, segment] != label:
                segments[0, count], segments[1, count] = wire, label
                segments[2, count], segments[4, count] = block, segment
                segment = on_wire[wire] = count
                count += 1
            segments[3, segment] = block
            of[block, side] = segment
    return count


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
