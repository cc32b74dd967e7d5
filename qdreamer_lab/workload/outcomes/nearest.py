"""The probability distribution nearest to quasi-probabilities, and whole counts near to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["nearest_counts", "nearest_distribution"]


def nearest_distribution(quasi: NDArray[np.float64]) -> NDArray[np.float64]:
    """The point of the simplex at least Euclidean distance from some numbers.

    What is negative becomes zero, and what that took is taken from the others in equal parts
    (Smolin, Gambetta and Smith, PRL 108, 070502).

    Args:
        quasi: (n,) at least one; they need not add up to 1.
    """
    falling = np.sort(quasi)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(falling) + 1)
    kept = int(np.flatnonzero(falling > excess)[-1])
    return np.asarray(np.maximum(quasi - excess[kept], 0.0))


def nearest_counts(probabilities: NDArray[np.float64], shots: int) -> NDArray[np.int64]:
    """(n,) whole numbers that add up to `shots`, in proportion: the largest remainders get one."""
    ideal = probabilities * (shots / probabilities.sum())
    counts: NDArray[np.int64] = np.floor(ideal).astype(np.int64)
    left = shots - int(counts.sum())
    if left > 0:
        counts[np.argsort(counts - ideal, kind="stable")[:left]] += 1
    return counts
