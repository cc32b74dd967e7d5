"""A round of shots of one fragment, and parts of it as work that can be divided into tasks.

It must not decide how many shots there are, or where they run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.sampled.shot_tensor import Sample
from qdreamer_lab.workload.sampled.work_sizes import batch_operations, variant_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.sampled.shot_tensor import ShotTensor
    from qdreamer_lab.workload.sampled.shots import ShotRequest, ShotResult
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["ShotPart", "ShotShare"]


@dataclass(eq=False, slots=True)
class ShotShare:
    """What one fragment of one binding does in one round, and what has come of it.

    Attributes:
        binding: Number of the binding.
        fragment: The fragment.
        request: All that it is to run.
        suffix: Of its tasks' names.
        tensor: Of the shots that have come back; None before the first.
        samples: The outcomes that have come back, by their places in the round.
        done_shots: Shots that have come back.
        under_way: Parts that were handed out and have not come back, by their first places.
    """

    binding: int
    fragment: ShotFragment
    request: ShotRequest
    suffix: str
    tensor: ShotTensor | None = None
    samples: dict[int, Sample] = field(default_factory=dict)
    done_shots: int = 0
    under_way: dict[int, Chunk] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Id of the fragment."""
        return self.fragment.program.id

    @property
    def work_per_variant(self) -> float:
        """Rough floating-point operations of one variant."""
        return variant_operations(self.amplitudes, float(self.request.shots.mean()))

    @property
    def amplitudes(self) -> float:
        """Of the fragment's batch of states."""
        return math.ldexp(self.fragment.program.variants, self.fragment.program.width)

    @property
    def shots_left(self) -> int:
        """Shots that have not come back yet."""
        return int(self.request.shots.sum()) - self.done_shots

    def keep(self, chunk: Chunk, result: ShotResult) -> None:
        """Fold in what a chunk gave."""
        self.tensor = result.tensor if self.tensor is None else self.tensor + result.tensor
        places = chunk.args[-1].places.tolist()
        self.samples.update(zip(places, result.samples, strict=bool(result.samples)))
        self.done_shots += chunk.shots
        self.under_way.pop(places[0], None)

    def missed(self, chunk: Chunk) -> ShotRequest:
        """Take back what a chunk was to run."""
        request: ShotRequest = chunk.args[-1]
        del self.under_way[int(request.places[0])]
        return request

    def result(self) -> tuple[ShotTensor, list[Sample]]:
        """The tensor and the variants' samples in order, when all chunks are in.

        Shots of a variant that several devices share have places that differ by the number of
        variants or multiples of it.
        """
        assert self.tensor is not None
        size = len(self.request.variants)
        found: dict[int, Sample] = {}
        for place in sorted(self.samples):
            mine, before = self.samples[place], found.get(place % size)
            found[place % size] = mine if before is None else _together(before, mine)
        return self.tensor, [found[place] for place in sorted(found)]


@dataclass(eq=False, slots=True)
class ShotPart:
    """Some of a share, which runs in one place; work that can be divided.

    Attributes:
        share: Whose part it is.
        request: What it is to run.
        call: The function, and its arguments with the request last, that runs a part of it.
        taken: Variants that were handed out.
    """

    share: ShotShare
    request: ShotRequest
    call: Callable[[ShotRequest], tuple[Callable[..., Any], tuple[Any, ...]]]
    taken: int = 0
    _chunks: list[Chunk] = field(default_factory=list)

    @property
    def remaining(self) -> int:
        """Variants not taken yet."""
        return len(self.request.variants) - self.taken

    @property
    def work_per_variant(self) -> float:
        """Rough floating-point operations of one variant."""
        return self.share.work_per_variant

    def take(self, number: int) -> Chunk:
        """The next chunk of variants."""
        request = self.request.part(slice(self.taken, self.taken + number))
        self.taken += number
        program = self.share.fragment.program
        states = batch_operations(self.share.amplitudes, len(program.steps))
        function, args = self.call(request)
        chunk = Chunk(
            binding=self.share.binding,
            fragment=program.id,
            width=program.width,
            variants=number,
            work=states + number * self.work_per_variant,
            function=function,
            args=args,
            suffix=self.share.suffix,
            shots=int(request.shots.sum()),
        )
        self._chunks.append(chunk)
        self.share.under_way[int(request.places[0])] = chunk
        return chunk

    def unfinished(self) -> list[Chunk]:
        """All that has not come back, as chunks."""
        if self.remaining:
            self.take(self.remaining)
        under_way = self.share.under_way
        return [each for each in self._chunks if under_way.get(_place(each)) is each]


def _place(chunk: Chunk) -> int:
    return int(chunk.args[-1].places[0])


def _together(one: Sample, other: Sample) -> Sample:
    """The shots of both."""
    if len(one.counts) == len(other.counts):
        return Sample(one.sums + other.sums, one.counts + other.counts)
    sums = np.concatenate([one.sums, other.sums])
    return Sample(sums, np.concatenate([one.counts, other.counts]))
