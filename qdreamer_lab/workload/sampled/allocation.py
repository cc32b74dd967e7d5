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

    from qdreamer_lab.workload.sampled.tensor import Sample
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = [
    "believed",
    "most",
    "needed_shots",
    "neyman",
    "predicted_variance",
    "rounded",
    "variances",
]

_MOST_ELEMENTS = 1 << 22
"""Derivatives that are looked at together: 32 MB."""

_PRIOR = 2.0
"""Groups' worth of belief that an outcome varies as much as it can: few equal outcomes do not
prove that all are equal."""


def neyman(spread: NDArray[np.float64], total: int, floor: NDArray[np.int64]) -> NDArray[np.int64]:
    """Deal out shots in proportion to `spread`, but at least `floor`.

    Args:
        spread: (k,) standard deviations, not negative.
        total: shots to deal out, at least the sum of `floor`.
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
    """Few different numbers instead of many: a number times powers of two, below the same total.

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


def variances(
    fragment: ShotFragment,
    variants: NDArray[np.int64],
    samples: Sequence[Sample],
    gradient: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What one shot of each variant contributes to the variance of each observable.

    Seen from how groups of shots differ, so that operators read off the same shots count with
    their correlations.

    Args:
        fragment: whose variants they are.
        variants: all of them, in any order.
        samples: of each of `variants`.
        gradient: (observables, operators, Π dims) derivative of the values by the tensor.

    Returns:
        (observables, variants), by number of the variant.
    """
    out = np.empty((len(gradient), len(samples)))
    bases = np.array([fragment.digits(variant)[0] for variant in variants.tolist()])
    for digit, basis in enumerate(fragment.bases):
        mine = np.flatnonzero(bases == digit)
        rows = gradient[:, basis.operators].reshape(-1, gradient.shape[2])
        for some in np.array_split(mine, 1 + 4 * len(rows) * len(mine) // _MOST_ELEMENTS):
            readouts = [fragment.readout(int(variants[place])) for place in some]
            # One product for many variants; each by itself is too small to be fast.
            weights = rows @ np.concatenate([np.zeros((rows.shape[1], 0)), *readouts], axis=1)
            ends = np.cumsum([readout.shape[1] for readout in readouts])
            for place, each in zip(some, np.split(weights, ends, axis=1), strict=False):
                one = each.reshape(len(gradient), -1, each.shape[1])
                out[:, variants[place]] = _variance(one, samples[place])
    return out


def _variance(weights: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """(observables,) from a variant's (observables, operators, outcomes) derivatives."""
    counts = sample.counts
    sums = sample.sums.reshape(len(counts), -1)
    totals = weights.swapaxes(1, 2).reshape(len(weights), -1) @ sums.T
    away = totals - counts * (totals.sum(axis=1, keepdims=True) / counts.sum())
    squares = np.square(away / np.sqrt(counts)).sum(axis=1)
    return believed(squares, len(counts) - 1, most(weights))


def most(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) variance of a shot whose outcomes are all equally likely, operators uncorrelated.

    Args:
        weights: (n, operators, outcomes) derivatives by the mean of each outcome.
    """
    return np.asarray(np.square(weights).sum(axis=(1, 2)) / weights.shape[2])


def believed(
    squares: NDArray[np.float64], degrees: NDArray[np.int64] | int, prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance from a sum of squares with so many degrees of freedom, and a prior."""
    return np.asarray((squares + _PRIOR * prior) / (degrees + _PRIOR))


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
        per_shot: per fragment, (observables, variants) what a shot contributes to the variance.
        precision: standard error.
        off: (observables,) how much more their variance turned out to be than that says.
    """
    together = np.concatenate(per_shot, axis=1)
    spread = np.sqrt(together.sum(axis=0))
    each = np.divide(together, spread, out=np.zeros_like(together), where=spread > 0)
    return float(spread.sum() * (each.sum(axis=1) * off).max(initial=0.0) / precision**2)
