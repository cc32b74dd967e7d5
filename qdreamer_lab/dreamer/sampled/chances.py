"""What a round of shots may show: variances along derivatives that carry errors of their own.

A run knows neither its tensors nor its derivatives but from its shots. So it takes some variants
for more important than they are, and some errors for greater or smaller. A game of chance draws
what it may find. It must not decide how shots are spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.sampled.second_order_errors import ShotErrors
from qdreamer_lab.dreamer.sampled.variance import ShotVariance
from qdreamer_lab.workload.sampled.work_sizes import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.sampled.variance import Moments
    from qdreamer_lab.workload.sampled.lower import SampledProgram

__all__ = ["Chances"]

_NOTHING = 1e-300
"""Stands for no variance at all, so that it can be divided by."""

_DRAWS = 256
"""Draws from which the variance of errors that multiply is taken."""

_LEAST_SHARE = 0.02
"""Outcomes that vary less than this, next to as much as they can, count as if they did."""


class Chances:
    """Draws what shots of a run may show.

    Args:
        program: The circuit, lowered.
        seen: Per fragment, the moments of what its variants read.
        known: Per fragment, what one shot contributes along the true derivatives.

    Attributes:
        errors: Draws errors of tensors.
        known: As given.
    """

    def __init__(
        self, program: SampledProgram, seen: Sequence[Moments], known: Sequence[ShotVariance]
    ) -> None:
        self.errors = ShotErrors(program, seen)
        self.known = list(known)
        self._gluing = program.gluing
        self._squares = np.square(program.gluing.coefficients)
        heaviest = self._squares.argmax(axis=1)
        self._leading = program.gluing.operator_of[heaviest].T
        self._exactly = self._along(self.errors.exact)

    def believed(self, tensors: Sequence[NDArray[np.float64]]) -> list[ShotVariance]:
        """Per fragment, what a shot contributes along the derivatives at these tensors.

        What is new of it is that of each term by itself, terms taken as uncorrelated.
        """
        found = []
        for known, (true, most), (own, own_most) in zip(
            self.known, self._along(tensors), self._exactly, strict=True
        ):
            found.append(
                ShotVariance(
                    np.maximum(0.0, known.true + true - own),
                    np.maximum(0.0, known.most + most - own_most),
                )
            )
        return found

    def variance(self, inverse: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(observables,) true variance of the values.

        Args:
            inverse: Per fragment, (variants,) one over its shots.
        """
        errors = self.errors
        alone = (known.true @ mine for known, mine in zip(self.known, inverse, strict=True))
        rng = np.random.default_rng(0)
        return np.asarray(sum(alone) + errors.products(rng, errors.exact, inverse, _DRAWS))

    def shown(
        self,
        rng: np.random.Generator,
        variance: Sequence[ShotVariance],
        shots: Sequence[NDArray[np.int64]],
    ) -> NDArray[np.float64]:
        """(fragments, observables): variance over true variance, as groups of shots show it.

        A shot of an operator that reads 1 as often as -1 has the same square whatever it reads, so
        few shots in a group say more of a variance than many. The relative variance of what is
        found is 2 Σ_g e_g² + Σ_s p_s² κ_s / n_s, with e_g a group's part in the whole, p_s a
        variant's, and κ_s the excess kurtosis of its n_s shots.

        Args:
            rng: Of the factors.
            variance: Per fragment, what a shot contributes.
            shots: Per fragment, (variants,) of the round.
        """
        found = []
        for place, (each, number) in enumerate(zip(variance, shots, strict=True)):
            parts = each.true / number
            squares = np.square(parts / np.maximum(parts.sum(axis=1, keepdims=True), _NOTHING))
            # Every variant begins at another group; what it leaves empty, others fill.
            groups = 1 / GROUPS + squares @ (_crowding(number) - 1 / GROUPS)
            share = np.clip(each.true / np.maximum(each.most, _NOTHING), _LEAST_SHARE, 1.0)
            excess = (squares * (4 / share - 6) / number).sum(axis=1)
            spread = np.maximum(0.0, 2 * groups + excess)
            found.append(_gamma(self._normal(rng, place), spread))
        return np.array(found)

    def together(
        self,
        rng: np.random.Generator,
        kept: NDArray[np.float64],
        gained: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(fragments, observables): what groups show more where two rounds add to the same ones.

        Args:
            rng: Of the numbers.
            kept: (fragments, observables) variance that the rounds before have left.
            gained: The same of the new round.
        """
        normal = np.array([self._normal(rng, place) for place in range(len(kept))])
        return np.asarray(2 * np.sqrt(kept * gained / GROUPS) * normal)

    def _normal(self, rng: np.random.Generator, place: int) -> NDArray[np.float64]:
        """(observables,) normal numbers: those that read the same operator see the same shots."""
        used = self._leading[place]
        return np.asarray(rng.standard_normal(int(used.max(initial=0)) + 1)[used])

    def _along(
        self, tensors: Sequence[NDArray[np.float64]]
    ) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Per fragment, (observables, variants) variance of a shot by terms, and at most."""
        found = []
        slopes = self._gluing.term_gradients(tensors)
        for place, (slope, groups) in enumerate(zip(slopes, self.errors.groups, strict=True)):
            used = self._gluing.operator_of[:, place]
            out = np.zeros((2, *self.known[place].true.shape))
            for group in groups:
                local = np.full(used.max() + 1, -1)
                inside = group.operators[group.operators < len(local)]
                local[inside] = np.arange(len(group.operators))[group.operators < len(local)]
                mine = np.flatnonzero(local[used] >= 0)
                weights = slope[mine] @ group.readout  # (variants, terms, outcomes)
                spread = group.spread[:, local[used[mine]]]
                squares = np.square(weights).sum(axis=2) / weights.shape[2]
                variance = ((weights[:, :, None] @ spread)[:, :, 0] * weights).sum(axis=2)
                factors = self._squares[:, mine]
                out[0][:, group.variants] = factors @ variance.T
                out[1][:, group.variants] = factors @ squares.T
            found.append((out[0], out[1]))
        return found


def _crowding(shots: NDArray[np.int64]) -> NDArray[np.float64]:
    """Σ_g n_g² / n² of shots that are dealt out to groups as evenly as they can be.

    Divided by what their own mean, from which they are counted, leaves of it: one shot, which has
    no spread, is none.
    """
    each, more = np.divmod(shots, GROUPS)
    crowd = (GROUPS * each**2 + more * (2 * each + 1)) / shots**2
    return np.asarray(crowd / np.maximum(1 - crowd, 1 / GROUPS))


def _gamma(normal: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positive numbers of mean 1 and of this variance (Wilson and Hilferty), from normal ones."""
    return np.asarray(np.maximum(0.0, 1 - spread / 9 + normal * np.sqrt(spread) / 3) ** 3)
