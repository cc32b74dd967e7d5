"""Kernels that remember the choices of a sweep, and turn those that led to a plan into labels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.sweep.beam import Beam
from qdreamer_lab.kernels.sweep.frontier import Frontier

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]


class Path(NamedTuple):
    """All partial plans that were kept, step after step.

    Attributes:
        parent: Row of the plan that each one extends, among those of the step before.
        choice: Fragment chosen for the piece just placed, numbered as in that plan.
        start: (S + 1,) Where the plans of each step begin.
    """

    parent: NDArray[np.int32]
    choice: Bytes
    start: Ints


@kernel
def empty_path(num: int) -> Path:
    """Make room for the plans of `num` steps; it grows as needed."""
    size = max(1024, num)
    return Path(np.empty(size, np.int32), np.empty(size, np.uint8), np.zeros(num + 1, np.int64))


@kernel
def remember(path: Path, step: int, beam: Beam, made: int) -> Path:
    """Add the first `made` plans of a beam as those of a step; return the longer path."""
    parent, choice, start = path
    base = start[step]
    if base + made > parent.shape[0]:
        parent = np.concatenate((parent, np.empty(base + made, np.int32)))
        choice = np.concatenate((choice, np.empty(base + made, np.uint8)))
    parent[base : base + made] = beam.parent[:made]
    choice[base : base + made] = beam.choice[:made]
    start[step + 1] = base + made
    return Path(parent, choice, start)


@kernel
def choices_of(path: Path, row: int) -> Bytes:
    """Return the choices (S,) that led to a plan of the last step."""
    num = path.start.shape[0] - 1
    choices = np.empty(num, np.uint8)
    for step in range(num - 1, -1, -1):
        choices[step] = path.choice[path.start[step] + row]
        row = int(path.parent[path.start[step] + row])
    return choices


@kernel
def label_in_frontier(labels: Ints, holder: Ints, choice: int) -> int:
    """Return the label of the fragment number `choice` in the frontier, or -1 past the last.

    Args:
        labels: (S,) Fragment of each piece.
        holder: Piece in each slot, -1 for empty ones.
        choice: Number of the fragment, by its first slot.
    """
    rank = 0
    for s in range(holder.shape[0]):
        if holder[s] < 0:
            continue
        first = True
        for t in range(s):
            if holder[t] >= 0 and labels[holder[t]] == labels[holder[s]]:
                first = False
                break
        if first:
            if rank == choice:
                return int(labels[holder[s]])
            rank += 1
    return -1


@kernel
def labels_of_path(frontier: Frontier, path: Bytes) -> Ints:
    """Turn the choices (S,) along one path of a sweep into labels of pieces.

    A choice counts the fragments in the frontier, in slot order; one past the last is a fresh one.
    """
    num = frontier.order.shape[0]
    labels = np.full(num, -1, np.int64)
    holder = np.full(frontier.slots, -1, np.int64)
    fragments = 0
    for step in range(num):
        v = frontier.order[step]
        label = label_in_frontier(labels, holder, path[step])
        if label < 0:
            label = fragments
            fragments += 1
        labels[v] = label
        holder[frontier.slot[v]] = v
        for s in range(frontier.slots):
            if holder[s] >= 0 and frontier.leaves[holder[s]] <= step:
                holder[s] = -1
    return labels
