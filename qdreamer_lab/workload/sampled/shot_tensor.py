"""Folding shots into a fragment's tensor, as they come.

The tensor holds, per local operator, the coordinates at all legs. Beside their sum it is kept for a
fixed number of groups of shots, so that an error bar can be taken of anything that is computed from
the tensor, correlations included, and memory does not grow with variants or shots. It must not know
where shots come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.work_sizes import GROUPS, SAMPLE_GROUPS, tensor_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Sample", "ShotTensor"]


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """What the shots of one variant read, in groups.

    Attributes:
        sums: (groups, outcomes, operators of its basis) float64.
        counts: (groups,) shots.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(
        cls, sums: NDArray[np.float64], counts: NDArray[np.int64], groups: int = SAMPLE_GROUPS
    ) -> Sample:
        """With at most so many groups."""
        starts = np.arange(0, len(counts), -(-len(counts) // groups))
        return cls(np.add.reduceat(sums, starts, axis=0), np.add.reduceat(counts, starts))


@dataclass(frozen=True, eq=False, slots=True)
class ShotTensor:
    """An unbiased estimate of a fragment's tensor.

    Attributes:
        mean: (operators, Π dims) float64.
        deviations: (GROUPS, operators, Π dims) float64; the covariance of `mean` is the sum over
            groups of their outer products.
        shots: How many were folded in.
    """

    mean: NDArray[np.float64]
    deviations: NDArray[np.float64]
    shots: int = 0

    @staticmethod
    def size_bytes(fragment: ShotFragment) -> int:
        """Memory of a fragment's tensor."""
        return tensor_bytes(fragment.num_operators, math.prod(fragment.dims))

    @classmethod
    def empty(cls, fragment: ShotFragment) -> ShotTensor:
        """Zeros of the right size."""
        size = int(np.prod(fragment.dims, dtype=np.int64))
        mean = np.zeros((fragment.num_operators, size))
        return cls(mean, np.zeros((GROUPS, *mean.shape)))

    def counted(self, shots: int) -> ShotTensor:
        """The same with its number of shots."""
        return ShotTensor(self.mean, self.deviations, shots)

    def __add__(self, other: ShotTensor) -> ShotTensor:
        """Both together: disjoint variants of one round."""
        return ShotTensor(
            self.mean + other.mean, self.deviations + other.deviations, self.shots + other.shots
        )

    def mixed(self, other: ShotTensor, share: float) -> ShotTensor:
        """This estimate with weight 1 - share and an independent one with weight share."""
        return ShotTensor(
            (1 - share) * self.mean + share * other.mean,
            (1 - share) * self.deviations + share * other.deviations,
            self.shots + other.shots,
        )

    def add(
        self,
        fragment: ShotFragment,
        variant: int,
        sums: NDArray[np.float64],
        counts: NDArray[np.int64],
        scale: float = 1.0,
    ) -> None:
        """Fold in one variant, in place.

        Args:
            fragment: Whose tensor this is.
            variant: Which variant was run.
            sums: (groups, outcomes, operators of its basis) sums over the shots of each group.
            counts: (groups,) shots in each group, which differ by one at most.
            scale: How many variants this one stands for.
        """
        shots = int(counts.sum())
        mean = sums.sum(axis=0) / shots
        readout = scale * fragment.readout(variant)
        # With many legs a variant says something about few coordinates only.
        rows = np.flatnonzero(readout.any(axis=1))
        readout = readout[rows]
        columns = fragment.basis(variant).operators
        self.mean[np.ix_(columns, rows)] += (readout @ mean).T
        if shots > 1:
            away = (sums - counts[:, None, None] * mean) / shots
            # Makes Σ_g away² the unbiased variance of the mean, for groups of any size.
            away *= np.sqrt(shots / (shots - np.square(counts).sum() / shots))
            # Few shots fill few groups; every variant begins at another, so that all are used.
            slots = (np.arange(len(counts)) + 7 * variant) % GROUPS
            self.deviations[np.ix_(slots, columns, rows)] += (readout @ away).swapaxes(1, 2)

    def add_draw(
        self,
        fragment: ShotFragment,
        variant: int,
        mean: NDArray[np.float64],
        scale: float,
        draw: int,
    ) -> None:
        """Fold in one of several variants drawn at random, in place; `centred` comes last.

        Args:
            fragment: Whose tensor this is.
            variant: Which variant was drawn.
            mean: (outcomes, operators of its basis) mean over the shots it got.
            scale: How many variants it stands for, divided by the number of draws.
            draw: Number of the draw.
        """
        part = scale * (fragment.readout(variant) @ mean).T
        columns = fragment.basis(variant).operators
        self.mean[columns] += part
        self.deviations[draw % GROUPS, columns] += part

    def move(
        self, fragment: ShotFragment, variant: int, moves: NDArray[np.float64], scale: float
    ) -> None:
        """Add deviations that one variant shares with others, in place.

        Args:
            fragment: Whose tensor this is.
            variant: Which variant it is.
            moves: (GROUPS, outcomes, operators of its basis) of its mean.
            scale: How many variants it stands for.
        """
        columns = fragment.basis(variant).operators
        readout = scale * fragment.readout(variant)
        self.deviations[:, columns] += (readout @ moves).swapaxes(1, 2)

    def centred(self, draws: int) -> ShotTensor:
        """With deviations from the mean, after all draws were folded in."""
        counts = np.bincount(np.arange(draws) % GROUPS, minlength=GROUPS)
        away = self.deviations - (counts / draws)[:, None, None] * self.mean
        away *= np.sqrt(draws / (draws - np.square(counts).sum() / draws))
        return ShotTensor(self.mean, away, self.shots)
