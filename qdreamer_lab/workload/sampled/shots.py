"""Shots of one fragment: what a worker is asked for, and what it hands back.

Simulators and devices take the same requests and fold what they read in the same way. This module
must not know where shots come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from qdreamer_lab.workload.sampled.shot_tensor import Sample, ShotTensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
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
        first: Number of the first of them in its round.
        scales: (k,) how many variants each stands for, over the number of draws, where they were
            drawn at random; None where all variants are run.
        report: Also return every variant's sample.
    """

    variants: NDArray[np.int64]
    shots: NDArray[np.int64]
    seed: tuple[int, ...]
    first: int = 0
    scales: NDArray[np.float64] | None = None
    report: bool = False


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
            tensor.add(fragment, variant, sums, counts)
        else:
            tensor.add_draw(fragment, variant, mean, scale, request.first + k)
        if moves is not None:
            tensor.move(fragment, variant, moves, scale)
        if request.report:
            # Of whole outcomes the shares alone say how much a shot varies, and groups are large.
            whole = fragment.basis(variant).whole
            samples.append(Sample.of(sums, counts, *((1,) if whole else ())))
    return tensor.counted(shots), tuple(samples)
