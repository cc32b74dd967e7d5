"""Labels of block endpoints: which fragment each end of each two-qubit block belongs to.

Only the partition they make matters, not the numbers; here they get numbers to compare by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["renumbered"]


def renumbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the same partition with labels 0, 1, 2, … by first appearance.

    Args:
        labels: Labels of endpoints (m, 2), or of anything else, in time order.
    """
    _, first, where = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[where], np.int64).reshape(labels.shape)
