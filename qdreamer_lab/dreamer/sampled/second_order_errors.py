"""Errors of two fragments that multiply: what few shots add to the variance of the values.

With many shots the errors of fragments add up. With few, or where a value depends little on either
fragment alone, their product counts too: its variance is the contraction of both tensors'
covariances. Computed for runs of two fragments. It must not decide how shots are spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.sampled.variance import Moments
    from qdreamer_lab.workload.sampled.lower import SampledProgram

__all__ = ["product_variance"]

_MOST_ELEMENTS = 1 << 22
"""Numbers in a covariance; a fragment that needs more is left out."""


def product_variance(
    program: SampledProgram, seen: Sequence[Moments], shots: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(observables,) variance from two fragments erring together; zeros if there are not two.

    Args:
        program: The circuit, lowered.
        seen: Per fragment, the moments of what its variants read.
        shots: Per fragment, (variants,).
    """
    gluing = program.gluing
    nothing = np.zeros(gluing.num_observables)
    sizes = [f.num_operators * int(np.prod(f.dims)) ** 2 for f in program.fragments]
    if len(sizes) != 2 or max(sizes) > _MOST_ELEMENTS:
        return nothing
    maps = gluing.glued([np.eye(int(np.prod(f.dims)))[None] for f in program.fragments])
    spreads = []
    for fragment, moments, glued, number in zip(program.fragments, seen, maps, shots, strict=True):
        flat = glued.reshape(len(glued[0]), -1)
        found = np.zeros((fragment.num_operators, *flat.shape))
        for variant, shot in enumerate(number.tolist()):
            readout = flat.T @ fragment.readout(variant)
            spread = moments.spread(variant) / shot
            found[fragment.basis(variant).operators] += readout @ spread @ readout.T
        spreads.append(found)
    return gluing.paired(spreads)
