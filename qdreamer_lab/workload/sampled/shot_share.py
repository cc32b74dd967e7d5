"""A round of shots of one fragment, as work that can be divided into tasks.

It must not decide how many shots there are, or where they run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.sampled.work_sizes import batch_operations, variant_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.sampled.shot_tensor import Sample, ShotTensor
    from qdreamer_lab.workload.sampled.shots import ShotRequest, ShotResult
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["ShotShare"]


@dataclass(eq=False, slots=True)
class ShotShare:
    """What one fragment of one binding does in one round; work that can be divided.

    Attributes:
        binding: Number of the binding.
        fragment: The fragment.
        request: All that it is to run.
        suffix: Of its tasks' names.
        call: The function, and its arguments with the request last, that runs a part.
        tensor: Of the shots that have come back; None before the first.
        samples: The outcomes that have come back, by the first of a part's variants.
        taken: Variants that were handed out.
        done_shots: Shots that have come back.
        under_way: Parts that were handed out and have not come back, by their first variants.
    """

    binding: int
    fragment: ShotFragment
    request: ShotRequest
    suffix: str
    call: Callable[[ShotRequest], tuple[Callable[..., Any], tuple[Any, ...]]]
    tensor: ShotTensor | None = None
    samples: dict[int, tuple[Sample, ...]] = field(default_factory=dict)
    taken: int = 0
    done_shots: int = 0
    under_way: dict[int, Chunk] = field(default_factory=dict)

    @property
    def remaining(self) -> int:
        """Variants not taken yet."""
        return len(self.request.variants) - self.taken

    @property
    def work_per_variant(self) -> float:
        """Rough floating-point operations of one variant."""
        return variant_operations(self._amplitudes, float(self.request.shots.mean()))

    @property
    def _amplitudes(self) -> float:
        """Of the fragment's batch of states."""
        return math.ldexp(self.fragment.program.variants, self.fragment.program.width)

    def take(self, number: int) -> Chunk:
        """The next chunk of variants."""
        part = slice(self.taken, self.taken + number)
        self.taken += number
        scales = self.request.scales
        request = replace(
            self.request,
            variants=self.request.variants[part],
            shots=self.request.shots[part],
            first=part.start,
            scales=None if scales is None else scales[part],
        )
        program = self.fragment.program
        states = batch_operations(self._amplitudes, len(program.steps))
        function, args = self.call(request)
        self.under_way[part.start] = chunk = Chunk(
            binding=self.binding,
            fragment=program.id,
            width=program.width,
            variants=number,
            work=states + number * self.work_per_variant,
            function=function,
            args=args,
            suffix=self.suffix,
            shots=int(request.shots.sum()),
        )
        return chunk

    def unfinished(self) -> list[Chunk]:
        """All that has not come back, as chunks."""
        if self.remaining:
            self.take(self.remaining)
        return list(self.under_way.values())

    @property
    def shots_left(self) -> int:
        """Shots that have not come back yet."""
        return int(self.request.shots.sum()) - self.done_shots

    def keep(self, chunk: Chunk, result: ShotResult) -> None:
        """Fold in what a chunk gave."""
        self.tensor = result.tensor if self.tensor is None else self.tensor + result.tensor
        first = chunk.args[-1].first
        self.samples[first] = result.samples
        self.under_way.pop(first, None)
        self.done_shots += chunk.shots

    def result(self) -> tuple[ShotTensor, list[Sample]]:
        """The tensor and the variants' samples in order, when all chunks are in."""
        assert self.tensor is not None
        return self.tensor, [
            sample for first in sorted(self.samples) for sample in self.samples[first]
        ]
