"""Shots of one fragment: what a worker is asked for, and what it hands back.

Simulators and devices take the same requests and fold what they read in the same way. This module
must not know where shots come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.workload.sampled.shot_tensor import Sample, ShotTensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Drawn", "ShotRequest", "ShotResult", "fold"]


@dataclass(frozen=True, eq=False, slots=True)
class ShotRequest:
    """Variants to run, and how often.

    Attributes:
        variants: (k,) int64 numbers of variants.
        shots: (k,) int64, each at least 1.
        seed: Entropy of this round of this fragment; every variant gets a stream of its own, so
            that the outcome does not depend on how variants are spread over tasks.
        places: (k,) int64 numbers in the round, unlike all others of the same fragment there;
            streams of random numbers go by them. Those from zero, if none are given.
        scales: (k,) how many variants each stands for, over the number of draws, where they were
            drawn at random; None where all variants are run.
        shares: (k,) which part of its variant's shots these are, where several devices share them;
            None where all of them are together.
        report: Also return every variant's sample.
    """

    variants: NDArray[np.int64]
    shots: NDArray[np.int64]
    seed: tuple[int, ...]
    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scales: NDArray[np.float64] | None = None
    report: bool = False
    shares: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if len(self.places) != len(self.variants):
            object.__setattr__(self, "places", np.arange(len(self.variants)))

    def part(self, index: slice | NDArray[np.int64]) -> ShotRequest:
        """Some of it, by positions."""
        return replace(
            self,
            variants=self.variants[index],
            shots=self.shots[index],
            places=self.places[index],
            scales=None if self.scales is None else self.scales[index],
            shares=None if self.shares is None else self.shares[index],
        )

    def shared(self, shots: NDArray[np.int64], places: NDArray[np.int64]) -> ShotRequest:
        """With some of the shots, others of which are taken elsewhere, in other places."""
        return replace(self, shots=shots, places=places, shares=shots / self.shots)


@dataclass(frozen=True, eq=False, slots=True)
class ShotResult:
    """What a task hands back.

    Attributes:
        tensor: The variants' share of the fragment's tensor.
        samples: Of each variant, if asked for.
        seconds: Wall time on the worker.
        besides: Shots of other circuits, which show how the device errs.
    """

    tensor: ShotTensor
    samples: tuple[Sample, ...]
    seconds: float
    besides: int = 0


class Drawn(NamedTuple):
    """What was drawn of one variant.

    Attributes:
        sums: (groups, outcomes, operators) over the shots of each group.
        counts: (groups,) shots.
        moves: (GROUPS, outcomes, operators) deviations of the mean that all variants share; None
            for none.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    moves: NDArray[np.float64] | None = None


def fold(
    fragment: ShotFragment, request: ShotRequest, drawn: Iterator[Drawn]
) -> tuple[ShotTensor, tuple[Sample, ...]]:
    """Fold what was drawn of each variant, in the request's order."""
    tensor = ShotTensor.empty(fragment)
    samples = []
    shots = 0  # a device may return others than were asked for
    for k, (sums, counts, moves) in enumerate(drawn):
        shots += int(counts.sum())
        variant = int(request.variants[k])
        mean = sums.sum(axis=0) / counts.sum()
        scale = 1.0 if request.scales is None else float(request.scales[k])
        if request.scales is None:
            scale = 1.0 if request.shares is None else float(request.shares[k])
            tensor.add(fragment, variant, sums, counts, scale)
        else:
            tensor.add_draw(fragment, variant, mean, scale, int(request.places[k]))
        if moves is not None:
            tensor.move(fragment, variant, moves, scale)
        if request.report:
            # Of whole outcomes the shares alone say how much a shot varies, and groups are large.
            whole = fragment.basis(variant).whole
            samples.append(Sample.of(sums, counts, *((1,) if whole else ())))
    return tensor.counted(shots), tuple(samples)
