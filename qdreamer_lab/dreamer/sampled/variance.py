"""How much shots of each variant vary, and how much that moves the values, before any shot.

For small fragments this is computed: every variant's probabilities, without drawing from them. It
is what infinitely many shots would show. It must not decide how shots are spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.simulate.shot_counts import read_all
from qdreamer_lab.workload.sampled.allocation import believed, most
from qdreamer_lab.workload.sampled.shot_tensor import ShotTensor
from qdreamer_lab.workload.sampled.simulate import Batch
from qdreamer_lab.workload.sampled.work_sizes import SAMPLE_GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.lower import SampledProgram
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Moments", "ShotVariance", "fragment_moments", "fragment_variances"]


@dataclass(frozen=True, eq=False, slots=True)
class ShotVariance:
    """What one shot of each variant of a fragment contributes to the variance of the values.

    Attributes:
        true: (observables, variants).
        most: (observables, variants), what `sampled.allocation` takes it for before any shot.
    """

    true: NDArray[np.float64]
    most: NDArray[np.float64]

    def believed(self, shots: NDArray[np.int64]) -> NDArray[np.float64]:
        """What `workload.sampled.allocation` takes it for after (variants,) shots, about."""
        degrees = np.minimum(shots, SAMPLE_GROUPS) - 1
        return believed(degrees * self.true, degrees, self.most)


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """What every variant of a fragment reads with infinitely many shots.

    Attributes:
        tensor: (operators, Π dims).
        means: Per variant, (outcomes, operators of its basis).
        moments: Per variant, (outcomes, operators, operators) means of products.
    """

    tensor: NDArray[np.float64]
    means: list[NDArray[np.float64]]
    moments: list[NDArray[np.float64]]

    def spread(self, variant: int) -> NDArray[np.float64]:
        """(operators of its basis, outcomes, outcomes) covariance of one shot of a variant."""
        means = self.means[variant].T
        squares = np.einsum("okk->ko", self.moments[variant])
        own = squares[:, :, None] * np.eye(squares.shape[1])
        return np.asarray(own - means[:, :, None] * means[:, None, :])


def fragment_moments(program: SampledProgram) -> list[Moments]:
    """Of every fragment of a run; takes about as long as a round of a few shots."""
    return [_seen(fragment) for fragment in program.fragments]


def fragment_variances(program: SampledProgram, seen: list[Moments]) -> list[ShotVariance]:
    """What shots of every fragment of a run contribute."""
    gradients = program.gluing.gradients([moments.tensor for moments in seen])
    return [
        _variance(fragment, moments, gradient)
        for fragment, moments, gradient in zip(program.fragments, seen, gradients, strict=True)
    ]


def _seen(fragment: ShotFragment) -> Moments:
    batch = Batch(fragment)
    tensor = ShotTensor.empty(fragment).mean
    signs = [_signs(basis, batch.num_bits) for basis in fragment.bases]
    means, moments = [], []
    for variant in range(fragment.num_variants):
        digit = fragment.digits(variant)[0]
        basis, table = fragment.bases[digit], signs[digit]
        probabilities = batch.probabilities(variant)
        mean = np.zeros((len(probabilities), len(basis.operators)))
        read_all(probabilities, basis.parity, basis.care, basis.value, mean)
        tensor[basis.operators] += (fragment.readout(variant) @ mean).T
        means.append(mean)
        moments.append(np.array([(row * table) @ table.T for row in probabilities]))
    return Moments(tensor, means, moments)


def _signs(basis: Basis, num_bits: int) -> NDArray[np.float64]:
    """(operators, 2**num_bits): what every operator reads off every bit string."""
    x = np.arange(1 << num_bits)
    odd = np.bitwise_count(x & basis.parity[:, None]) & 1
    fits = (x & basis.care[:, None]) == basis.value[:, None]
    return np.asarray(np.where(fits, 1.0 - 2.0 * odd, 0.0))


def _variance(fragment: ShotFragment, seen: Moments, gradient: NDArray[np.float64]) -> ShotVariance:
    true, prior = np.empty((2, len(gradient), fragment.num_variants))
    for variant, (mean, moment) in enumerate(zip(seen.means, seen.moments, strict=True)):
        operators = fragment.basis(variant).operators
        weights = gradient[:, operators] @ fragment.readout(variant)  # (n, operators, outcomes)
        square = np.einsum("nko,okl,nlo->n", weights, moment, weights, optimize=True)
        average = np.einsum("nko,ok->n", weights, mean)
        true[:, variant] = np.maximum(0.0, square - np.square(average))
        prior[:, variant] = most(weights)
    return ShotVariance(true, prior)
