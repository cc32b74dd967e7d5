"""Plans beside a plan: labels that differ from given ones in few cuts.

Whatever separates blocks that a coupling map has far apart is among them, whether it is needed for
the width or not. It must not price anything.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.cut.wire_segments import connected, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.wire_segments import Layout

__all__ = ["neighbouring"]

_MOST_EDGES = 80
"""Of a plan with more pairs of qubits that interact, only one at a time is taken apart."""


def neighbouring(
    pairs: NDArray[np.int64], labels: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Labels (m, 2) beside given ones, some of them more than once; numbers may be left out.

    Args:
        pairs: (m, 2) qubits of each block.
        labels: (m, 2) fragment of each end of each block.
    """
    layout = layout_of(pairs, labels)
    yield from _joined(labels)
    yield from _moved(pairs, labels)
    yield from _apart(pairs, labels, layout)


def _apart(
    pairs: NDArray[np.int64], labels: NDArray[np.int64], layout: Layout
) -> Iterator[NDArray[np.int64]]:
    """Fragments that fall apart where one or two pairs of qubits in them interact no more."""
    whole = labels[:, 0] == labels[:, 1]
    ends = np.sort(layout.of, axis=1)
    edges, edge_of = np.unique(ends[whole], axis=0, return_inverse=True)
    number = np.full(len(pairs), -1)
    number[whole] = edge_of.ravel()
    count = int(labels.max(initial=-1)) + 1
    sizes = (1, 2) if len(edges) <= _MOST_EDGES else (1,)
    for size in sizes:
        for chosen in itertools.combinations(range(len(edges)), size):
            parts = connected(pairs, labels, whole & ~np.isin(number, chosen))
            if int(parts.max()) + 1 > count:
                yield parts


def _joined(labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Two fragments that share a gate cut made one."""
    cut = labels[labels[:, 0] != labels[:, 1]]
    for low, high in np.unique(np.sort(cut, axis=1), axis=0).tolist():
        yield np.where(labels == high, low, labels)


def _moved(pairs: NDArray[np.int64], labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Stretches of one wire in another fragment: that of a partner, or one of their own.

    A stretch is a whole wire, a segment, or a segment up to one block or from it on.
    """
    fresh = int(labels.max(initial=-1)) + 1
    flat = labels.ravel()
    for wire in np.unique(pairs).tolist():
        ends = np.flatnonzero(pairs.ravel() == wire)
        mine = flat[ends]
        partners = set(flat[ends ^ 1].tolist()) | set(mine.tolist()) | {fresh}
        for first, last in _stretches(mine):
            for target in sorted(partners):
                if (mine[first:last] != target).any():
                    moved = flat.copy()
                    moved[ends[first:last]] = target
                    yield moved.reshape(labels.shape)


def _stretches(mine: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First end and end after the last of what is moved together, of a wire's labels (k,)."""
    breaks = [0, *(np.flatnonzero(np.diff(mine)) + 1).tolist(), len(mine)]
    found = {(0, len(mine))}
    for begin, end in itertools.pairwise(breaks):
        found |= {(begin, k) for k in range(begin + 1, end + 1)}
        found |= {(k, end) for k in range(begin, end)}
    return sorted(found)
