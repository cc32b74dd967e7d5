"""What follows from the labels of a plan: segments of wires, and the cuts between them.

Whole arrays at a time, because a plan is made anew at every move of a slider. It must not know
what a cut costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.labels import renumbered

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Layout", "connected", "layout_of"]


@dataclass(frozen=True, eq=False, slots=True)
class Layout:
    """Segments of wires inside one fragment each, by the block in which they begin.

    Attributes:
        qubit: (s,) wire of each segment.
        fragment: (s,) fragment of each segment.
        first: (s,) first block of each segment.
        last: (s,) last block of each segment.
        previous: (s,) the segment before it on its wire, or -1; a wire cut lies between them.
        of: (m, 2) segment of each end of each block.
    """

    qubit: NDArray[np.int64]
    fragment: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    previous: NDArray[np.int64]
    of: NDArray[np.int64]

    def widths(self, num_fragments: int) -> NDArray[np.int64]:
        """(num_fragments,) segments of each fragment."""
        return np.bincount(self.fragment, minlength=num_fragments)


def layout_of(pairs: NDArray[np.int64], labels: NDArray[np.int64]) -> Layout:
    """Find the segments of labels (m, 2) on blocks (m, 2)."""
    ends = np.argsort(pairs.ravel(), kind="stable")  # by wire, then by time
    qubit, label = pairs.ravel()[ends], labels.ravel()[ends]
    same_wire = np.zeros(len(ends), dtype=bool)
    same_wire[1:] = qubit[1:] == qubit[:-1]
    opens = ~same_wire
    opens[1:] |= label[1:] != label[:-1]
    starts = np.flatnonzero(opens)
    by_time = np.argsort(ends[starts])
    number = np.empty(len(starts), dtype=np.int64)
    number[by_time] = np.arange(len(starts))
    previous = np.full(len(starts), -1, dtype=np.int64)
    follows = np.flatnonzero(same_wire[starts])
    previous[number[follows]] = number[follows - 1]
    of = np.empty(pairs.size, dtype=np.int64)
    of[ends] = number[np.cumsum(opens) - 1]
    last = ends[np.append(starts[1:], len(ends)) - 1] if len(starts) else ends[:0]
    return Layout(
        qubit=qubit[starts][by_time],
        fragment=label[starts][by_time],
        first=(ends[starts] // 2)[by_time],
        last=(last // 2)[by_time],
        previous=previous,
        of=of.reshape(pairs.shape),
    )


def connected(
    pairs: NDArray[np.int64],
    labels: NDArray[np.int64],
    whole: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Give every connected part of a circuit a label of its own.

    Args:
        pairs: (m, 2) qubits of each block.
        labels: (m, 2); a wire is cut where they change along it.
        whole: (m,) which blocks join the segments at their ends; by default those with equal
            labels, so that the cuts stay as they are and fragments that fall apart become several.

    Returns:
        (m, 2) labels, numbered by first appearance.
    """
    layout = layout_of(pairs, labels)
    if whole is None:
        whole = labels[:, 0] == labels[:, 1]
    parent = list(range(len(layout.qubit)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for first, second in np.unique(layout.of[whole], axis=0).tolist():
        parent[root(second)] = root(first)
    roots = np.array([root(node) for node in parent], dtype=np.int64)
    return renumbered(roots[layout.of])
