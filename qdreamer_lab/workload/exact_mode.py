"""Exact mode from end to end: plan, simulate fragments, put them together.

Ties the steps together and keeps the clock; what the steps do is said where they are. Tensors are
contracted as soon as the last one of a group of terms has come, and then dropped.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.contract import Reconstruction, paired
from qdreamer_lab.workload.dispatch import Chunk, FragmentRow, run_chunks
from qdreamer_lab.workload.estimate import Estimate, Request, RunOptions
from qdreamer_lab.workload.exact_plans import ExactPlans, GroupRun
from qdreamer_lab.workload.memory import available_bytes
from qdreamer_lab.workload.progress import FragmentProgress, Report
from qdreamer_lab.workload.simulate import FragmentResult, run_fragment
from qdreamer_lab.workload.slicing import Slice, cuts_to_slice, slices_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from qdreamer_lab.workload.observables import Factors

__all__ = ["run_exact"]

_WORKER_SHARE = 0.8
"""Part of a worker's memory that a task may take; the rest holds the libraries."""


@dataclass(frozen=True, eq=False, slots=True)
class _Unit:
    """A group of terms for one binding, with the cuts that are sliced to keep it small."""

    binding: int
    part: GroupRun
    sliced: tuple[int, ...]
    contraction: Reconstruction
    values: NDArray[np.float64]

    @property
    def slices(self) -> list[Slice]:
        """What is to be summed over."""
        axes = [axis for job in self.part.run.jobs for axis in job.program.axes]
        return slices_of(dict(axes), self.sliced)


@dataclass(eq=False, slots=True)
class _Piece:
    """One slice of a unit, with the tensors that have come so far, by number of the job."""

    unit: _Unit
    slice: Slice
    tensors: dict[int, NDArray[np.complex128]] = field(default_factory=dict)


def run_exact(request: Request, options: RunOptions, plans: ExactPlans | None = None) -> Estimate:
    """Estimate by simulating fragments as state vectors.

    Args:
        request: the values wanted.
        options: how to run.
        plans: plans of earlier requests, to be used again where they fit.

    Raises:
        MemoryLimitError: if something does not fit, even in slices.
        PlanError: if the given plan does not belong to the circuit.
        CancelledError: if `options.stop` was set.
    """
    start = time.perf_counter()
    terms = [_wanted(request, k) for k in range(len(request.circuits))]
    values = [np.zeros(len(one)) for one in terms]
    units = _units(request, terms, values, options, ExactPlans() if plans is None else plans)
    planned = time.perf_counter()
    folding = _Folding(options, units)
    for wave in _waves(units, _limit(options) // 2):
        folding.run(wave)
    executed = time.perf_counter()
    evs = _summed(request, terms, values)
    contract_s = folding.contract_s + time.perf_counter() - executed
    first = [unit.part.plan for unit in units if unit.binding == 0]
    return Estimate(
        evs,
        np.zeros_like(evs),
        tuple(sorted(folding.rows, key=lambda row: (row.binding, row.fragment))),
        tuple(first),
        sum(row.variants for row in folding.rows),
        0,
        {
            "plan_s": planned - start,
            "execute_s": executed - planned - folding.contract_s,
            "contract_s": contract_s,
        },
    )


def _wanted(request: Request, binding: int) -> dict[Factors, int]:
    """The distinct terms wanted of one binding, numbered."""
    wanted: dict[Factors, int] = {}
    for observable in np.unique(request.pairs[request.pairs[:, 0] == binding, 1]).tolist():
        for term in request.observables[observable]:
            wanted.setdefault(term.factors, len(wanted))
    return wanted


def _units(
    request: Request,
    terms: list[dict[Factors, int]],
    values: list[NDArray[np.float64]],
    options: RunOptions,
    plans: ExactPlans,
) -> list[_Unit]:
    """Everything that is to be run; nothing is, if something cannot fit."""
    here = _limit(options)
    task = _task_limit(options)
    itemsize = np.dtype(options.dtype).itemsize
    units = []
    for binding, circuit in enumerate(request.circuits):
        for part in plans.runs(circuit, tuple(terms[binding]), options):
            sliced = cuts_to_slice(part.run, itemsize, task, here // 2)
            contraction = part.group.contraction(part.run, sliced, here // 2)
            units.append(_Unit(binding, part, sliced, contraction, values[binding]))
    return units


def _limit(options: RunOptions) -> int:
    given = options.memory_limit_bytes
    return available_bytes() if given is None else given


def _task_limit(options: RunOptions) -> int:
    """Most memory that a task may take on any of the workers that could run it."""
    if options.memory_limit_bytes is not None or options.session is None:
        return _limit(options)
    pilots = options.session.candidates(options.on)
    return int(_WORKER_SHARE * min(pilot.memory_per_worker_bytes for pilot in pilots))


def _waves(units: list[_Unit], room_bytes: int) -> Iterator[list[_Piece]]:
    """What runs at the same time: as many units as their tensors have room, or one slice of one."""
    wave: list[_Piece] = []
    taken = 0
    for unit in units:
        size = unit.part.run.gram_bytes(unit.sliced)
        if wave and (unit.sliced or taken + size > room_bytes):
            yield wave
            wave, taken = [], 0
        if unit.sliced:
            yield from _one_by_one(unit)
        else:
            wave.append(_Piece(unit, unit.slices[0]))
            taken += size
    if wave:
        yield wave


def _one_by_one(unit: _Unit) -> Iterator[list[_Piece]]:
    """The slices of a unit; what does not touch a sliced cut is taken over from the last one."""
    jobs = unit.part.run.jobs
    last: _Piece | None = None
    for one in unit.slices:
        piece = _Piece(unit, one)
        for number, job in enumerate(jobs):
            if last is not None and _same(job.program.axes, last.slice, one):
                piece.tensors[number] = last.tensors[number]
        last = piece
        yield [piece]


def _same(axes: tuple[tuple[int, int], ...], one: Slice, two: Slice) -> bool:
    """Whether a fragment with these axes is the same in two slices."""
    sides = ((one.bra, two.bra), (one.ket, two.ket))
    return all(a.get(cut) == b.get(cut) for a, b in sides for cut, _ in axes)


class _Folding:
    """Runs pieces, contracts each when it is complete, and adds it to its unit's values."""

    def __init__(self, options: RunOptions, units: list[_Unit]) -> None:
        self._options = options
        self._several = len({unit.binding for unit in units}) > 1
        self._groups = max((unit.binding for unit in units), default=0) + 1 < len(units)
        self._todo: Counter[int] = Counter()
        for unit in units:
            for job in unit.part.run.jobs:
                self._todo[job.program.id] += len(unit.slices)
        self.rows: list[FragmentRow] = []
        self.contract_s = 0.0

    def run(self, wave: list[_Piece]) -> None:
        """Run everything that these pieces lack."""
        place: dict[Chunk, tuple[_Piece, int]] = {}
        for piece in wave:
            self._todo.subtract(piece.unit.part.run.jobs[k].program.id for k in piece.tensors)
            for number in range(len(piece.unit.part.run.jobs)):
                if number not in piece.tensors:
                    place[self._chunk(piece, number)] = (piece, number)
            self._contract(piece)

        def keep(chunk: Chunk, result: FragmentResult, row: FragmentRow) -> None:
            piece, number = place.pop(chunk)
            piece.tensors[number] = paired(result.tensors)
            self.rows.append(row)
            self._tell(row)
            self._contract(piece)

        options = self._options
        run_chunks(list(place), options.session, on=options.on, stop=options.stop, keep=keep)

    def _tell(self, row: FragmentRow) -> None:
        if self._options.progress is not None:
            done = Counter(row.fragment for row in self.rows)
            fragments = (FragmentProgress(f, done[f], n) for f, n in sorted(self._todo.items()))
            self._options.progress(Report(tuple(fragments), row))

    def _contract(self, piece: _Piece) -> None:
        """Contract a piece if nothing is missing."""
        unit = piece.unit
        run = unit.part.run
        if len(piece.tensors) < len(run.jobs):
            return
        start = time.perf_counter()
        tensors = [piece.tensors[number] for number in range(len(run.jobs))]
        found = unit.contraction.values(tensors, run.operator_of)
        weight = piece.slice.weight
        unit.values[unit.part.group.numbers] += weight * run.lone_factors * found
        if not unit.sliced:
            piece.tensors.clear()
        self.contract_s += time.perf_counter() - start

    def _chunk(self, piece: _Piece, number: int) -> Chunk:
        unit, options = piece.unit, self._options
        job = unit.part.run.jobs[number]
        program = job.program
        mine = {cut for cut, _ in program.axes}
        bra = {cut: k for cut, k in piece.slice.bra.items() if cut in mine}
        ket = {cut: k for cut, k in piece.slice.ket.items() if cut in mine}
        batches = 1 if bra == ket else 2
        limit = options.memory_limit_bytes
        return Chunk(
            unit.binding,
            program.id,
            program.width,
            batches * program.variants_with(bra),
            job.work / max(1, len(unit.slices)),
            run_fragment,
            (program, job.operators, limit, options.dtype, bra, ket),
            f"-binding-{unit.binding}" if self._several else "",
        )


def _summed(
    request: Request, terms: list[dict[Factors, int]], values: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Put the terms of every observable together."""
    evs = np.zeros(len(request.pairs))
    for k, (binding, observable) in enumerate(request.pairs.tolist()):
        place = terms[binding]
        evs[k] = sum(
            term.coefficient * values[binding][place[term.factors]]
            for term in request.observables[observable]
        )
    return evs
