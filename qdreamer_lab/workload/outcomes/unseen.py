"""What one more shot could add to a fragment's tensor, so that rare outcomes get honest error bars.

An outcome that no shot has read may still be possible, and the scatter of its shots, which is none,
does not tell. As Agresti and Coull's interval has it (The American Statistician 52, 119), a shot
more than was seen is allowed for. It counts once for whatever is asked, be it one outcome or many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.work_sizes import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["one_more_shot"]


def one_more_shot(
    fragment: ShotFragment,
    variants: NDArray[np.int64],
    sizes: NDArray[np.float64],
    seed: Sequence[int],
) -> NDArray[np.float64]:
    """Deviations that one shot more of an outcome would make, in any of the variants.

    A coordinate that many variants tell of is moved by the mean of them, not by their sum: shots
    that have not read an outcome in any of them say so together.

    Args:
        fragment: The fragment.
        variants: (variants,) those that were run.
        sizes: (variants,) by how much one shot moves the mean of its variant.
        seed: Of signs, where there are more variants than groups.

    Returns:
        (GROUPS, Π dims), whose outer products add up to the covariance, the same for each outcome.
    """
    rng = np.random.default_rng(seed)
    size = int(np.prod(fragment.dims, dtype=np.int64))
    found = np.zeros((GROUPS, size))
    second, fourth = np.zeros(size), np.zeros(size)
    slot = 0
    for variant, shot in zip(variants.tolist(), sizes.tolist(), strict=True):
        columns = fragment.readout(variant).T
        columns = columns * (shot / np.sqrt(len(columns)))
        squares = np.square(columns).sum(axis=0)
        second += squares
        fourth += np.square(squares)
        signs = rng.choice((-1.0, 1.0), size=len(columns))
        np.add.at(found, (slot + np.arange(len(columns))) % GROUPS, signs[:, None] * columns)
        slot += len(columns)
    return np.asarray(found * np.sqrt(fourth) / np.maximum(second, 1e-300))
