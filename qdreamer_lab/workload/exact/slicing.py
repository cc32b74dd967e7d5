"""Keeping tensors under a memory limit by summing over some cuts outside.

A sliced cut has its index fixed, for the bra and for the ket, and everything is summed over both.
Fragments that touch the cut are simulated again for every slice, in smaller batches; the others are
not. Fixing the indices the other way round gives the complex conjugate, so half the slices do. It
must not run anything.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.fragment.footprint import batch_bytes, split_cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workload.exact.lower import ExactProgram, FragmentJob

__all__ = ["Slice", "cuts_to_slice", "num_slices", "slices_of"]

_MOST_SLICES = 1 << 12
"""More would take longer than anybody waits."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Indices of the sliced cuts for bra and ket, and how often the real part of it counts."""

    bra: dict[int, int]
    ket: dict[int, int]
    weight: float


def cuts_to_slice(
    program: ExactProgram, itemsize: int, task_bytes: int, here_bytes: int
) -> tuple[int, ...]:
    """The cuts to slice so that every task, and all tensors together here, fit.

    Args:
        program: Fragments and operators.
        itemsize: Bytes of an amplitude.
        task_bytes: Most memory for one task.
        here_bytes: Most memory for the tensors of all fragments.

    Raises:
        MemoryLimitError: If one state does not fit, or if it would take too many slices.
    """
    sizes = {cut: size for job in program.jobs for cut, size in job.program.axes}
    sliced: list[int] = []
    while True:
        tight = _too_big(program, itemsize, task_bytes, here_bytes, sliced)
        if not tight:
            return tuple(sliced)
        choice = {cut for job in tight for cut, _ in job.program.axes} - set(sliced)
        saved = _saved_bytes(program, sliced)
        best = max(choice, key=saved.__getitem__, default=None)
        if best is None or num_slices(sizes, [*sliced, best]) > _MOST_SLICES:
            for job in tight:
                fixed = dict.fromkeys(sliced, 0)
                split_cuts(job.program, job.operators, task_bytes, itemsize, fixed, fixed)
            raise MemoryLimitError(
                f"the tensors of {len(program.jobs)} fragments need "
                f"{readable(program.gram_bytes())}, or {readable(program.gram_bytes(sliced))} in "
                f"{num_slices(sizes, sliced)} slices, but {readable(here_bytes)} may be "
                "used: plan with fewer cuts (a larger max_qubits), or raise memory_limit_bytes"
            )
        sliced.append(best)


def _saved_bytes(program: ExactProgram, sliced: Sequence[int]) -> dict[int, int]:
    """By how much slicing each further cut makes the tensors of all fragments smaller."""
    saved: dict[int, int] = {}
    for job, mine in zip(program.jobs, program.job_bytes(sliced), strict=True):
        for cut, size in job.program.axes:
            if cut not in sliced:
                saved[cut] = saved.get(cut, 0) + mine - mine // (size * size)
    return saved


def num_slices(sizes: dict[int, int], sliced: Sequence[int]) -> int:
    """How many slices there are to compute."""
    choices = math.prod(sizes[cut] for cut in sliced)
    return choices * (choices + 1) // 2


def slices_of(sizes: dict[int, int], sliced: Sequence[int]) -> list[Slice]:
    """All slices; just one, with nothing fixed, if no cut is sliced."""
    ranges = [range(sizes[cut]) for cut in sliced]
    choices = [dict(zip(sliced, indices, strict=True)) for indices in itertools.product(*ranges)]
    return [
        Slice(bra, ket, 1.0 if bra is ket else 2.0)
        for bra, ket in itertools.combinations_with_replacement(choices, 2)
    ]


def _too_big(
    program: ExactProgram, itemsize: int, task_bytes: int, here_bytes: int, sliced: list[int]
) -> list[FragmentJob]:
    """The fragments that are to blame if something does not fit.

    Raises:
        MemoryLimitError: If one state of a fragment does not fit in a task.
    """
    tight = []
    bra, ket = dict.fromkeys(sliced, 0), dict.fromkeys(sliced, 1)
    for job in program.jobs:
        touched = [cut for cut, _ in job.program.axes if cut in bra]
        mine_bra = {cut: bra[cut] for cut in touched}
        mine_ket = {cut: ket[cut] for cut in touched}
        needed = batch_bytes(job.program, job.operators, itemsize, mine_bra, mine_ket)
        if needed > task_bytes:
            cuts = tuple(s.cut for s in job.program.steps if s.cut is not None and s.cut not in bra)
            needed = batch_bytes(job.program, job.operators, itemsize, mine_bra, mine_ket, cuts)
        if needed > task_bytes:
            if itemsize << job.program.width > task_bytes:
                split_cuts(job.program, job.operators, task_bytes, itemsize, mine_bra, mine_ket)
            tight.append(job)
    if not tight and program.gram_bytes(sliced) > here_bytes:
        tight = list(program.jobs)
    return tight
