"""What a run in exact mode would do, found out by planning it for real and running nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.exact.cost import contract_counts, exact_counts, gpu_counts
from qdreamer_lab.dreamer.exact.shape import fragment_shape, join_shape
from qdreamer_lab.dreamer.model.case import Case, Work, for_sets, timed_twice
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, paid, summed
from qdreamer_lab.workload.exact.plans import ExactPlans, parts_that_fit
from qdreamer_lab.workload.exact.slicing import num_slices
from qdreamer_lab.workload.exact.wanted_terms import wanted_terms
from qdreamer_lab.workload.fragment.footprint import batch_bytes, split_cuts
from qdreamer_lab.workload.fragment.gpu import gpu_bytes
from qdreamer_lab.workload.fragment.task_memory import likely_gpu_bytes

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.mode import Conditions
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.exact.lower import FragmentJob
    from qdreamer_lab.workload.exact.reconstruct import Reconstruction
    from qdreamer_lab.workload.exact.term_group import BoundGroup
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import RunSettings

    _Unit = tuple[BoundGroup, tuple[int, ...], Reconstruction]

__all__ = ["exact_case"]


def exact_case(
    wanted: Wanted, settings: RunSettings, execution: Execution, conditions: Conditions
) -> Case:
    """Plan a run in exact mode.

    Args:
        wanted: Circuit and observables.
        settings: What is to be computed.
        execution: Where and how it is to run.
        conditions: The cores that a task may use, and whether it has a GPU.

    Raises:
        MemoryLimitError: If something does not fit, even in slices.
        PlanError: If the given plan does not belong to the circuit.
        CircuitError: If the circuit cannot be cut.
    """
    gpu, here = conditions.gpu, execution.limit_bytes()
    task = likely_gpu_bytes(execution) if gpu else execution.task_limit_bytes()
    itemsize = np.dtype(settings.dtype).itemsize

    units, plan_s, again_s = _planned(wanted, settings, itemsize, task, here // 2)
    work: list[Work] = []
    transfer, contract = [], [paid("added", wanted.num_terms)]
    here_bytes, variants, sliced_units, told = 0.0, 0, 0, 0
    for part, sliced, contraction in units:
        work += [_job_work(job, itemsize, sliced, conditions, task) for job in part.program.jobs]
        slices = _slices(part, sliced)
        sliced_units += slices > 1
        shape = join_shape(part.program, contraction, slices)
        transfer.append(paid("pair_axes", shape.elements))
        contract.append(contract_counts(shape))
        here_bytes += 32.0 * shape.elements + shape.peak_bytes
        variants += sum(job.program.variants for job in part.program.jobs)
        told += slices * sum(len(job.operators) for job in part.program.jobs)
    notes = [f"{len(units)} groups of terms run separately, each with its own light cone"]
    if sliced_units:
        notes.append("tensors do not fit into memory at once and are made in slices")
    case = Case(
        plan=units[0][0].plan if units else None,
        plan_s=plan_s,
        lower_s=0.0,
        rounds=(tuple(work),),
        transfer=summed(transfer),
        contract=summed(contract),
        here_bytes=int(min(here_bytes, max(float(here), 1.0))),
        variants=variants,
        told=told,
        notes=tuple(notes if len(units) > 1 else notes[1:]),
    )
    if wanted.sets == 1:
        return case
    rounds = tuple(_together(works, wanted.sets) for works in case.rounds)
    kept = here_bytes + _other_sets_bytes(units, wanted.sets, here // 2)
    case = replace(case, here_bytes=int(min(kept, max(float(here), 1.0))))
    return replace(for_sets(case, wanted.sets, again_s), rounds=rounds, repeats=1)


def _planned(
    wanted: Wanted, settings: RunSettings, itemsize: int, task_bytes: int, room_bytes: int
) -> tuple[list[_Unit], float, float]:
    """What is run apart, the seconds that planning takes, and those of each further set."""

    def plan(plans: ExactPlans) -> list[_Unit]:
        wanted_terms(wanted.request)
        found = []
        for part in plans.runs(wanted.circuit, wanted.terms, settings):
            found += parts_that_fit(part, itemsize, task_bytes, room_bytes)
        return found

    units, plan_s = timed_twice(lambda: plan(ExactPlans()))
    if wanted.sets == 1:
        return units, plan_s, plan_s
    plans = ExactPlans()
    plan(plans)
    start = time.perf_counter()
    plan(plans)  # with the structure known
    return units, plan_s, time.perf_counter() - start


def _other_sets_bytes(units: list[_Unit], sets: int, room_bytes: int) -> int:
    """Tensors of further sets that are there at the same time, as `fold.waves` puts them together.

    A fragment is run for all sets in a row, so those of the first wait for those of the last.
    """
    sizes = [part.program.gram_bytes() for part, sliced, _ in units if not sliced]
    once = sum(sizes)
    return max(0, min(sets * once, max(room_bytes, *sizes, 0)) - once)


def _together(works: tuple[Work, ...], sets: int) -> tuple[Work, ...]:
    """Exact mode's work for several sets: a task may take a fragment of several of them."""
    return tuple(
        replace(work, items=sets * work.items, sent_bytes=0, sent_each_bytes=work.sent_bytes)
        for work in works
    )


def _slices(part: BoundGroup, sliced: tuple[int, ...]) -> int:
    sizes = {cut: size for job in part.program.jobs for cut, size in job.program.axes}
    return num_slices(sizes, sliced) if sliced else 1


def _job_work(
    job: FragmentJob, itemsize: int, sliced: tuple[int, ...], conditions: Conditions, limit: int
) -> Work:
    """The tasks of a fragment: one, or one for each slice that it takes part in."""
    mine = tuple(cut for cut, _ in job.program.axes if cut in sliced)
    times = num_slices(dict(job.program.axes), mine) if mine else 1
    fixed = dict.fromkeys(mine, 0)
    gpu = conditions.gpu
    sizes = gpu_bytes if gpu else batch_bytes
    split = split_cuts(job.program, job.operators, limit, itemsize, fixed, fixed, sizes)
    shape = fragment_shape(job, itemsize, mine, 2 if mine else 1, split, gpu=gpu)
    memory = sizes(job.program, job.operators, itemsize, fixed, fixed)
    arguments = 2000 + 600 * len(job.program.steps) + 120 * len(job.operators)
    return Work(
        items=times,
        each=gpu_counts(shape) if gpu else exact_counts(shape, conditions.cores),
        once=np.zeros(len(COEFFICIENTS)),
        work_each=job.work / times,
        work_once=0.0,
        memory_bytes=memory,
        sent_bytes=shape.result_bytes + arguments,
        width=job.program.width,
        wide=None if gpu else partial(exact_counts, shape),
    )
