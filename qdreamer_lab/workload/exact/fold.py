"""Running exact mode's fragments and folding what they give into values.

Tensors are contracted as soon as the last one of a group of terms has come, and then dropped. This
module must not plan.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qdreamer_lab.workload.exact.reconstruct import Reconstruction, paired
from qdreamer_lab.workload.exact.slicing import Slice, slices_of
from qdreamer_lab.workload.execution.chunk import Chunk, FragmentRow
from qdreamer_lab.workload.execution.progress import FragmentProgress, Report
from qdreamer_lab.workload.fragment.simulate import FragmentCall, FragmentResults, run_fragments

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.exact.lower import ExactProgram
    from qdreamer_lab.workload.exact.term_group import BoundGroup, Group
    from qdreamer_lab.workload.execution.execution import Execution

__all__ = ["Folding", "Unit", "waves"]


@dataclass(frozen=True, eq=False, slots=True)
class Contracted:
    """How the tensors of a group are put together, whatever the parameter values.

    Attributes:
        sliced: The cuts that are summed over outside, to keep tensors small.
        slices: What is to be summed over; one, with nothing fixed, if no cut is sliced.
        contraction: Of one slice.
    """

    sliced: tuple[int, ...]
    slices: tuple[Slice, ...]
    contraction: Reconstruction

    @classmethod
    def of(
        cls, program: ExactProgram, sliced: tuple[int, ...], contraction: Reconstruction
    ) -> Contracted:
        """For the tensors of a program."""
        axes = dict(axis for job in program.jobs for axis in job.program.axes) if sliced else {}
        return cls(sliced, tuple(slices_of(axes, sliced)), contraction)


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """A group of terms for one binding, how it is put together, and where its values go."""

    binding: int
    part: BoundGroup
    how: Contracted
    values: NDArray[np.float64]

    @property
    def work(self) -> float:
        """Of all slices together."""
        return sum(job.work for job in self.part.program.jobs)


@dataclass(eq=False, slots=True)
class Piece:
    """One slice of a unit, with the tensors that have come so far, by number of the job."""

    unit: Unit
    slice: Slice
    tensors: dict[int, NDArray[np.complex128]] = field(default_factory=dict)


def waves(units: list[Unit], room_bytes: int) -> Iterator[list[Piece]]:
    """What runs at the same time: as many units as their tensors have room, or one slice of one."""
    wave: list[Piece] = []
    taken = 0
    for unit in units:
        size = unit.part.program.gram_bytes(unit.how.sliced)
        if wave and (unit.how.sliced or taken + size > room_bytes):
            yield wave
            wave, taken = [], 0
        if unit.how.sliced:
            yield from _one_by_one(unit)
        else:
            wave.append(Piece(unit, unit.how.slices[0]))
            taken += size
    if wave:
        yield wave


def _one_by_one(unit: Unit) -> Iterator[list[Piece]]:
    """The slices of a unit; what does not touch a sliced cut is taken over from the last one."""
    jobs = unit.part.program.jobs
    last: Piece | None = None
    for part in unit.how.slices:
        piece = Piece(unit, part)
        for number, job in enumerate(jobs):
            if last is not None and _same(job.program.axes, last.slice, part):
                piece.tensors[number] = last.tensors[number]
        last = piece
        yield [piece]


def _same(axes: tuple[tuple[int, int], ...], left: Slice, right: Slice) -> bool:
    """Whether a fragment with these axes is the same in two slices."""
    sides = ((left.bra, right.bra), (left.ket, right.ket))
    return all(a.get(cut) == b.get(cut) for a, b in sides for cut, _ in axes)


class _Jobs:
    """One fragment of several pieces: work that `run_chunks` may divide between them."""

    def __init__(
        self,
        missing: list[tuple[Piece, int]],
        memory_limit_bytes: int | None,
        dtype: str,
        device: str,
        several: bool,
    ) -> None:
        self._missing = missing
        self._how = (memory_limit_bytes, dtype, device)
        self._several = several
        self._next = 0
        first, number = missing[0]
        slices = max(1, len(first.unit.how.slices))
        self.work_per_variant = first.unit.part.program.jobs[number].work / slices
        self.taken: dict[Chunk, list[tuple[Piece, int]]] = {}

    @property
    def remaining(self) -> int:
        """Pieces whose fragment has not been handed out."""
        return len(self._missing) - self._next

    def take(self, number: int) -> Chunk:
        """A chunk of so many of them."""
        chosen = self._missing[self._next : self._next + number]
        self._next += number
        calls = tuple(_call(piece, k) for piece, k in chosen)
        first, last = chosen[0][0].unit.binding, chosen[-1][0].unit.binding
        suffix = f"-binding-{first}" + (f"-to-{last}" if last > first else "")
        chunk = Chunk(
            binding=first,
            fragment=calls[0].program.id,
            width=calls[0].program.width,
            variants=sum(call.variants for call in calls),
            work=number * self.work_per_variant,
            function=run_fragments,
            args=(calls, *self._how),
            suffix=suffix if self._several else "",
            threads=True,
        )
        self.taken[chunk] = chosen
        return chunk


def _call(piece: Piece, number: int) -> FragmentCall:
    job = piece.unit.part.program.jobs[number]
    mine = {cut for cut, _ in job.program.axes}
    bra, ket = (
        {cut: k for cut, k in side.items() if cut in mine}
        for side in (piece.slice.bra, piece.slice.ket)
    )
    return FragmentCall(job.program, job.operators, bra, ket)


class Folding:
    """Runs pieces, contracts each when it is complete, and adds it to its unit's values."""

    def __init__(self, dtype: str, execution: Execution, units: list[Unit]) -> None:
        self._dtype = dtype
        self._execution = execution
        self._several = len({unit.binding for unit in units}) > 1
        self._total: Counter[int] = Counter()
        self._done: Counter[int] = Counter()
        self._open: Counter[int] = Counter()  # pieces of each binding
        self._later = sum(unit.work for unit in units)
        for unit in units:
            self._open[unit.binding] += len(unit.how.slices)
            for job in unit.part.program.jobs:
                self._total[job.program.id] += len(unit.how.slices)
        self.rows: list[FragmentRow] = []
        self.contract_s = 0.0

    def run(self, wave: list[Piece]) -> None:
        """Run everything that these pieces lack."""
        self._later -= sum(piece.unit.work / len(piece.unit.how.slices) for piece in wave)
        self._execution.work_ahead(self._later)
        missing: dict[tuple[Group, int], list[tuple[Piece, int]]] = defaultdict(list)
        for piece in wave:
            jobs = piece.unit.part.program.jobs
            self._total.subtract(jobs[number].program.id for number in piece.tensors)
            for number in range(len(jobs)):
                if number not in piece.tensors:
                    missing[piece.unit.part.group, number].append((piece, number))
            self._contract(piece)
        how = (self._execution.memory_limit_bytes, self._dtype, self._execution.device)
        work = [_Jobs(pieces, *how, self._several) for pieces in missing.values()]

        def keep(chunk: Chunk, result: FragmentResults, row: FragmentRow) -> None:
            (places,) = (jobs.taken.pop(chunk) for jobs in work if chunk in jobs.taken)
            self.rows.append(row)
            self._done[chunk.fragment] += len(places)
            self._tell(row)
            for (piece, number), tensors in zip(places, result.tensors, strict=True):
                piece.tensors[number] = paired(tensors)
                self._contract(piece)

        self._execution.run(work, keep)

    def finished(self, binding: int) -> bool:
        """Whether the values of a binding are complete."""
        return not self._open[binding]

    def _tell(self, row: FragmentRow) -> None:
        if self._execution.progress is None:
            return
        totals = sorted(self._total.items())
        fragments = tuple(FragmentProgress(f, self._done[f], total) for f, total in totals)
        self._execution.report(Report(fragments, row, over=self._done == self._total))

    def _contract(self, piece: Piece) -> None:
        """Contract a piece if nothing is missing."""
        unit = piece.unit
        program = unit.part.program
        if len(piece.tensors) < len(program.jobs):
            return
        start = time.perf_counter()
        tensors = [piece.tensors[number] for number in range(len(program.jobs))]
        found = unit.how.contraction.values(tensors, program.operator_of)
        group = unit.part.group
        weight = piece.slice.weight * group.signs
        unit.values[group.numbers] += weight * program.lone_factors * found
        if not unit.how.sliced:
            piece.tensors.clear()
        self._open[unit.binding] -= 1
        if self.finished(unit.binding):
            self._execution.binding_done()
        self.contract_s += time.perf_counter() - start
