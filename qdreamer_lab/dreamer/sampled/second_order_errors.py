"""Errors of fragments that multiply: what few shots add to the variance of the values.

With many shots the errors of fragments add up. With few, or where a value depends little on either
fragment alone, their products count too. They are drawn at random, from the covariances that shots
of each variant have. It must not decide how shots are spent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.sampled.variance import Moments
    from qdreamer_lab.workload.sampled.lower import SampledProgram
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Alike", "ShotErrors", "alike", "product_variance"]

_MOST_NUMBERS = 1 << 22
"""Random numbers that are drawn at once: 32 MB."""

_MOST_READOUTS = 1 << 23
"""Numbers in all readouts: 64 MB. Where there are more, no errors are drawn."""

_DRAWS = 256


class Alike(NamedTuple):
    """Variants of a fragment that read the same operators and have as many outcomes.

    Attributes:
        variants: (v,) their numbers.
        operators: (o,) what they read.
        readout: (v, Π dims, outcomes) what the mean of each outcome adds to each coordinate.
        spread: (v, o, outcomes, outcomes) covariance of one shot.
    """

    variants: NDArray[np.int64]
    operators: NDArray[np.int64]
    readout: NDArray[np.float64]
    spread: NDArray[np.float64]


def alike(fragment: ShotFragment, seen: Moments) -> list[Alike]:
    """The variants of a fragment, those together that can be computed with together."""
    found: dict[tuple[int, int], list[int]] = {}
    for variant in range(fragment.num_variants):
        key = fragment.digits(variant)[0], len(seen.means[variant])
        found.setdefault(key, []).append(variant)
    return [
        Alike(
            variants=np.array(mine),
            operators=np.asarray(fragment.bases[basis].operators),
            readout=np.array([fragment.readout(variant) for variant in mine]),
            spread=np.array([seen.spread(variant) for variant in mine]),
        )
        for (basis, _), mine in found.items()
    ]


class ShotErrors:
    """Errors that fragments' tensors may have after some shots.

    Operators that are read off the same shots are taken as uncorrelated: a term has one operator of
    each fragment. Fragments with so many cuts that readouts would fill memory are taken to be
    without errors, all of them.

    Args:
        program: The circuit, lowered.
        seen: Per fragment, the moments of what its variants read.

    Attributes:
        exact: Per fragment, (operators, Π dims) its tensor without errors.
        groups: Per fragment, its variants; none where no errors are drawn.
    """

    def __init__(self, program: SampledProgram, seen: Sequence[Moments]) -> None:
        self.exact = [moments.tensor for moments in seen]
        few = sum(map(_readout_numbers, program.fragments)) <= _MOST_READOUTS
        self.groups = [
            alike(fragment, moments) if few else []
            for fragment, moments in zip(program.fragments, seen, strict=True)
        ]
        self._gluing = program.gluing
        self._roots = [[_root(group.spread) for group in groups] for groups in self.groups]

    def drawn(
        self, rng: np.random.Generator, inverse: Sequence[NDArray[np.float64]], count: int
    ) -> list[NDArray[np.float64]]:
        """Per fragment, (count, operators, Π dims): errors as they may come.

        Args:
            rng: Of the errors.
            inverse: Per fragment, (variants,) one over its shots.
            count: How many times.
        """
        return [self._of_fragment(place, rng, mine, count) for place, mine in enumerate(inverse)]

    def products(
        self,
        rng: np.random.Generator,
        tensors: Sequence[NDArray[np.float64]],
        inverse: Sequence[NDArray[np.float64]],
        count: int,
    ) -> NDArray[np.float64]:
        """(observables,) variance from several fragments erring together, as so many draws show it.

        Args:
            rng: Of the errors.
            tensors: Per fragment, (operators, Π dims) what errors are added to.
            inverse: Per fragment, (variants,) one over its shots.
            count: Draws.
        """
        gluing = self._gluing
        total = np.zeros(gluing.num_observables)
        if len(tensors) < 2 or not all(self.groups):
            return total
        values = gluing.values(tensors)
        slopes = [each.reshape(len(values), -1) for each in gluing.gradients(tensors)]
        for some in self._portions(count):
            errors = self.drawn(rng, inverse, some)
            moved = [one + error for one, error in zip(tensors, errors, strict=True)]
            straight = values + sum(
                error.reshape(some, -1) @ slope.T
                for error, slope in zip(errors, slopes, strict=True)
            )
            total += np.square(gluing.replicas(moved) - straight).sum(axis=0)
        return total / count

    def _of_fragment(
        self, place: int, rng: np.random.Generator, inverse: NDArray[np.float64], count: int
    ) -> NDArray[np.float64]:
        errors = np.zeros((count, *self.exact[place].shape))
        for group, root in zip(self.groups[place], self._roots[place], strict=True):
            normal = rng.standard_normal((count, *root.shape[:3]))
            means = np.einsum("nvok,vomk->novm", normal, root)  # to plan it would take longer
            means *= np.sqrt(inverse[group.variants])[:, None]
            readout = group.readout.swapaxes(0, 1).reshape(group.readout.shape[1], -1)
            errors[:, group.operators] += means.reshape(*means.shape[:2], -1) @ readout.T
        return errors

    def _portions(self, count: int) -> Iterator[int]:
        """Draws that are made at once."""
        each = sum(root.size // root.shape[-1] for roots in self._roots for root in roots)
        most = max(1, _MOST_NUMBERS // max(1, each))
        while count > 0:
            yield min(most, count)
            count -= most


def product_variance(
    program: SampledProgram, seen: Sequence[Moments], shots: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(observables,) variance from several fragments erring together.

    Args:
        program: The circuit, lowered.
        seen: Per fragment, the moments of what its variants read.
        shots: Per fragment, (variants,).
    """
    errors = ShotErrors(program, seen)
    inverse = [1.0 / number for number in shots]
    return errors.products(np.random.default_rng(0), errors.exact, inverse, _DRAWS)


def _readout_numbers(fragment: ShotFragment) -> int:
    """Numbers in the readouts of all variants of a fragment."""
    columns = math.prod(leg.side.dual.shape[1] for leg in fragment.legs)
    return int(len(fragment.bases) * columns * math.prod(fragment.dims))


def _root(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square roots of covariances, those that have no inverse among them."""
    squares, vectors = np.linalg.eigh(spread)
    return np.asarray(vectors * np.sqrt(np.maximum(squares, 0.0))[..., None, :])
