"""How much one shot of each variant varies, as the samples of a round show it.

It must not decide how shots are spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.allocation import believed, most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.shot_tensor import Sample
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["variances"]

_MOST_ELEMENTS = 1 << 22
"""Derivatives that are looked at together: 32 MB."""


def variances(
    fragment: ShotFragment,
    variants: NDArray[np.int64],
    samples: Sequence[Sample],
    gradient: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What one shot of each variant contributes to the variance of each observable.

    Seen from how groups of shots differ, so that operators read off the same shots count with
    their correlations.

    Args:
        fragment: Whose variants they are.
        variants: All of them, in any order.
        samples: Of each of `variants`.
        gradient: (observables, operators, Π dims) derivative of the values by the tensor.

    Returns:
        Two of (observables, variants), by number of the variant: what is believed after these
        samples, and what it would be if all outcomes were equally likely.
    """
    out, prior = np.empty((2, len(gradient), len(samples)))
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
                contributions = each.reshape(len(gradient), -1, each.shape[1])
                prior[:, variants[place]] = most(contributions)
                squares, degrees = _scatter(contributions, samples[place])
                out[:, variants[place]] = believed(squares, degrees, prior[:, variants[place]])
    return out, prior


def _scatter(weights: NDArray[np.float64], sample: Sample) -> tuple[NDArray[np.float64], int]:
    """(observables,) sum of squares and its degrees of freedom.

    Args:
        weights: (observables, operators, outcomes) a variant's derivatives.
        sample: Of the variant.
    """
    counts = sample.counts
    sums = sample.sums.reshape(len(counts), -1)
    totals = weights.swapaxes(1, 2).reshape(len(weights), -1) @ sums.T
    away = totals - counts * (totals.sum(axis=1, keepdims=True) / counts.sum())
    return np.square(away / np.sqrt(counts)).sum(axis=1), len(counts) - 1
