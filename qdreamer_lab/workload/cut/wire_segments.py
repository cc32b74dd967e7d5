"""What follows from the labels of a plan: segments of wires, and the cuts between them.

Whole arrays at a time, because a plan is made anew at every move of a slider. It must not know
what a cut costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.gates.segments import parts_of, segments_of

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
    segments = np.empty((5, pairs.size), np.int64)
    of = np.empty(pairs.shape, np.int64)
    count = segments_of(_plain(pairs), _plain(labels), segments, of)
    qubit, fragment, first, last, previous = segments[:, :count]
    return Layout(qubit, fragment, first, last, previous, of)


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
    return parts_of(layout.of, np.ascontiguousarray(whole), len(layout.qubit))


def _plain(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """As the kernels take it."""
    return np.require(array, np.int64, ["C", "W"])
