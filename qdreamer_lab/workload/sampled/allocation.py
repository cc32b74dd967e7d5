"""How many shots each variant gets.

The variance of a value is Σ_s v_s / n_s, over all variants s of all fragments, with n_s shots and
v_s what one shot contributes (squared derivative times variance of the outcome). For a given total
it is least when n_s is proportional to √v_s (Neyman). Pure arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "believed",
    "most",
    "needed_shots",
    "neyman",
    "predicted_variance",
    "rounded",
    "unseen_variance",
]

_PRIOR = 2.0
"""Groups' worth of belief that an outcome varies as much as it can: few equal outcomes do not
prove that all are equal."""


def neyman(spread: NDArray[np.float64], total: int, floor: NDArray[np.int64]) -> NDArray[np.int64]:
    """Deal out shots in proportion to `spread`, but at least `floor`.

    Args:
        spread: (k,) standard deviations, not negative.
        total: Shots to deal out, at least the sum of `floor`.
        floor: (k,) least number of shots of each.

    Returns:
        (k,) whole numbers that add up to `total`.
    """
    ideal = floor.astype(float)
    free = np.ones(len(spread), dtype=bool)
    while free.any():
        rest = total - int(floor[~free].sum())
        weight = spread[free] if spread[free].any() else np.ones(int(free.sum()))
        ideal[free] = rest * weight / weight.sum()
        low = free & (ideal < floor)
        if not low.any():
            break
        ideal[low] = floor[low]
        free &= ~low
    shots: NDArray[np.int64] = np.floor(ideal).astype(np.int64)
    left = total - int(shots.sum())  # fewer than k: the largest remainders get one each
    shots[np.argsort(shots - ideal, kind="stable")[:left]] += 1
    return shots


def rounded(shots: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round shots to few different numbers: one base times powers of two, with no greater total.

    A device takes circuits with equal shots in one job. Shots that are off by a factor of up to
    √2 cost 4 % more variance.

    Args:
        shots: (k,), at least 2 each.

    Returns:
        (k,), at least 2 each.
    """
    best, most = np.full(len(shots), 2), 0
    for step in np.linspace(0, 1, 64, endpoint=False):  # of all ladders, the one that uses most
        found = 2.0 ** (np.rint(np.log2(shots) - step) + step)
        whole = np.maximum(2, np.floor(found)).astype(np.int64)
        if most < whole.sum() <= shots.sum():
            best, most = whole, int(whole.sum())
    return best


def most(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) variance of a shot whose outcomes are all equally likely, operators uncorrelated.

    Args:
        weights: (n, operators, outcomes) derivatives by the mean of each outcome.
    """
    return np.asarray(np.square(weights).sum(axis=(1, 2)) / weights.shape[2])


def believed(
    squares: NDArray[np.float64], degrees: NDArray[np.int64] | int, prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance estimated from a sum of squares, its degrees of freedom, and a prior."""
    return np.asarray((squares + _PRIOR * prior) / (degrees + _PRIOR))


def unseen_variance(most: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(observables,) variance that shots may hide which all read the same.

    They do not tell how much they may vary. As Agresti and Coull's interval has it (The American
    Statistician 52, 119), one shot more than was seen is allowed for, that reads the opposite; it
    counts once, where it matters most.

    Args:
        most: (observables, variants) variance of a shot whose outcomes are all equally likely.
        sizes: (variants,) by how much one shot moves the mean of its variant.
    """
    return np.asarray(4 * (most * np.square(sizes)).max(axis=1, initial=0.0))


def predicted_variance(
    per_shot: Sequence[NDArray[np.float64]], shots: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(fragments, observables): variance from each fragment, of (observables, variants) each."""
    return np.array([(v / n).sum(axis=1) for v, n in zip(per_shot, shots, strict=True)])


def needed_shots(
    per_shot: Sequence[NDArray[np.float64]], precision: float, off: NDArray[np.float64] | float = 1
) -> float:
    """Shots, dealt out by `neyman`, that bring every observable's standard error to `precision`.

    Args:
        per_shot: Per fragment, (observables, variants) what a shot contributes to the variance.
        precision: Standard error.
        off: (observables,) how much more their variance turned out to be than that says.
    """
    together = np.concatenate(per_shot, axis=1)
    spread = np.sqrt(together.sum(axis=0))
    each = np.divide(together, spread, out=np.zeros_like(together), where=spread > 0)
    return float(spread.sum() * (each.sum(axis=1) * off).max(initial=0.0) / precision**2)
