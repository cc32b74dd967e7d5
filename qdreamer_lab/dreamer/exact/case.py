"""What a run would do, found out by planning it for real and running nothing.

A `Case` is all that pricing needs: counts per task, sizes, and how long planning took. It does not
depend on the machine's profile, so many can be priced, and one for many numbers of workers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from qdreamer_lab.dreamer.exact.cost import contract_counts, exact_counts, summed
from qdreamer_lab.dreamer.exact.shape import fragment_shape, join_shape
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PLACE
from qdreamer_lab.dreamer.model.makespan import Share
from qdreamer_lab.workload.exact.plans import ExactPlans, parts_that_fit
from qdreamer_lab.workload.exact.slicing import num_slices
from qdreamer_lab.workload.execution.pace import TASKS_PER_WORKER
from qdreamer_lab.workload.fragment.footprint import batch_bytes, split_cuts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.wanted import Wanted
    from qdreamer_lab.workload.exact.lower import FragmentJob
    from qdreamer_lab.workload.exact.plans import BoundGroup
    from qdreamer_lab.workload.exact.reconstruct import Reconstruction
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.plan.plan import CutPlan
    from qdreamer_lab.workload.request import RunSettings

__all__ = ["Case", "Work", "exact_case", "for_sets", "paid", "timed_twice"]

_SUSPICIOUS_S = 0.03
"""Planning that takes longer is done again: it should be faster the second time."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """Work that can be divided into tasks.

    Attributes:
        items: how many parts it has at most.
        each: (k,) counts of one item.
        once: (k,) counts that every task pays besides.
        work_each: what an item counts where the heaviest goes first.
        work_once: what a task counts besides.
        memory_bytes: of a task, without what it hands back for each item.
        sent_bytes: arguments and result of a task.
        sent_each_bytes: of the same, what there is for each item.
    """

    items: int
    each: NDArray[np.float64]
    once: NDArray[np.float64]
    work_each: float
    work_once: float
    memory_bytes: int
    sent_bytes: int
    sent_each_bytes: float = 0.0

    def sent(self, pieces: int) -> int:
        """Bytes sent if the work becomes so many tasks."""
        return int(pieces * self.sent_bytes + self.items * self.sent_each_bytes)

    def held(self, pieces: int) -> int:
        """Bytes of one of so many tasks on its worker, with results that were not fetched yet."""
        waiting = min(pieces, TASKS_PER_WORKER)  # as many as a worker gets ahead
        each = self.items * self.sent_each_bytes / pieces
        return int(self.memory_bytes + each + waiting * (self.sent_bytes + each))

    def coming(self, pieces: int, workers: int) -> int:
        """Bytes of results of so many tasks that arrive at once where they are put together."""
        return int(min(1.0, TASKS_PER_WORKER * workers / pieces) * self.sent(pieces))

    def share(self, values_ns: NDArray[np.float64], slower: float) -> Share:
        """With times."""
        each, once = (float(part @ values_ns) * 1e-9 * slower for part in (self.each, self.once))
        return Share(self.items, self.work_each, each, self.work_once, once)


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """A run that is planned but not priced.

    Attributes:
        mode: "exact" or "sampled".
        plan: of the greatest group of terms.
        plan_s: how long planning took here, just now.
        lower_s: how long making the plan ready took.
        rounds: what runs one after another; in each, what runs side by side.
        transfer: (k,) counts of taking results in.
        contract: (k,) counts of putting everything together.
        here_bytes: memory of putting everything together.
        variants: state vectors or circuits.
        shots: shots.
        standard_error: greatest of all observables.
        notes: what the numbers rest on.
        transpiled: gates to be transpiled for a device.
        qpu_s: time on the device.
        shots_doubt: standard deviation of the logarithm of the number of shots.
        sets: of parameter values.
        repeats: how often there is what `rounds` holds, side by side.
    """

    mode: str
    plan: CutPlan | None
    plan_s: float
    lower_s: float
    rounds: tuple[tuple[Work, ...], ...]
    transfer: NDArray[np.float64]
    contract: NDArray[np.float64]
    here_bytes: int
    variants: int
    shots: int = 0
    standard_error: float = 0.0
    notes: tuple[str, ...] = ()
    transpiled: int = 0
    qpu_s: float = 0.0
    shots_doubt: float = 0.0
    sets: int = 1
    repeats: int = 1


def for_sets(case: Case, sets: int, again_s: float) -> Case:
    """A run for several sets of parameter values, each of which takes what the case takes.

    Args:
        case: for one set.
        sets: how many.
        again_s: what planning takes for each set after the first.
    """
    if sets == 1:
        return case
    note = f"{sets:,} sets of parameter values, each of which is to take as long as the longest"
    return replace(
        case,
        plan_s=case.plan_s + (sets - 1) * again_s,
        lower_s=case.lower_s * sets,
        transfer=case.transfer * sets,
        contract=case.contract * sets,
        here_bytes=case.here_bytes * (sets if case.mode == "sampled" else 1),
        variants=case.variants * sets,
        shots=case.shots * sets,
        qpu_s=case.qpu_s * sets,
        notes=(*case.notes, note),
        sets=sets,
        repeats=sets,
    )


def _together(works: tuple[Work, ...], sets: int) -> tuple[Work, ...]:
    """Exact mode's work for several sets: a task may take a fragment of several of them."""
    return tuple(
        replace(one, items=sets * one.items, sent_bytes=0, sent_each_bytes=one.sent_bytes)
        for one in works
    )


def timed_twice(function: Callable[[], _Found]) -> tuple[_Found, float]:
    """A function's result and how long it takes once everything that it needs is loaded."""
    start = time.perf_counter()
    found = function()
    seconds = time.perf_counter() - start
    if seconds > _SUSPICIOUS_S:  # a kernel was loaded or compiled, or something came between
        start = time.perf_counter()
        function()
        seconds = min(seconds, time.perf_counter() - start)
    return found, seconds


def paid(name: str, count: float) -> NDArray[np.float64]:
    """Counts of one coefficient."""
    counts = np.zeros(len(COEFFICIENTS))
    counts[PLACE[name]] = count
    return counts


def exact_case(wanted: Wanted, settings: RunSettings, execution: Execution, cores: int) -> Case:
    """Plan a run in exact mode.

    Args:
        wanted: circuit and observables.
        settings: what is to be computed.
        execution: where and how it is to run.
        cores: that a task may use.

    Raises:
        MemoryLimitError: if something does not fit, even in slices.
        PlanError: if the given plan does not belong to the circuit.
        CircuitError: if the circuit cannot be cut.
    """
    here, task = execution.limit_bytes(), execution.task_limit_bytes()
    itemsize = np.dtype(settings.dtype).itemsize

    plans = ExactPlans()

    def plan() -> list[tuple[BoundGroup, tuple[int, ...], Reconstruction]]:
        found = []
        for part in plans.runs(wanted.circuit, wanted.terms, settings):
            found += parts_that_fit(part, itemsize, task, here // 2)
        return found

    units, plan_s = timed_twice(plan)
    again_s = plan_s
    if wanted.sets > 1:  # with the structure known
        start = time.perf_counter()
        plan()
        again_s = time.perf_counter() - start
    work: list[Work] = []
    transfer, contract, here_bytes, variants, sliced_units = [], [], 0.0, 0, 0
    for part, sliced, contraction in units:
        work += [_job_work(job, itemsize, sliced, cores, task) for job in part.program.jobs]
        slices = _slices(part, sliced)
        sliced_units += slices > 1
        shape = join_shape(part.program, contraction, slices)
        transfer.append(paid("pair_axes", shape.elements))
        contract.append(contract_counts(shape))
        here_bytes += 32.0 * shape.elements + shape.peak_bytes
        variants += sum(job.program.variants for job in part.program.jobs)
    notes = [f"{len(units)} groups of terms run apart, each its own light cone"]
    if sliced_units:
        notes.append("tensors do not fit into memory at once and are made in slices")
    case = Case(
        mode="exact",
        plan=units[0][0].plan if units else None,
        plan_s=plan_s,
        lower_s=0.0,
        rounds=(tuple(work),),
        transfer=summed(transfer),
        contract=summed(contract),
        here_bytes=int(min(here_bytes, max(float(here), 1.0))),
        variants=variants,
        notes=tuple(notes if len(units) > 1 else notes[1:]),
    )
    if wanted.sets == 1:
        return case
    rounds = tuple(_together(works, wanted.sets) for works in case.rounds)
    return replace(for_sets(case, wanted.sets, again_s), rounds=rounds, repeats=1)


def _slices(part: BoundGroup, sliced: tuple[int, ...]) -> int:
    sizes = {cut: size for job in part.program.jobs for cut, size in job.program.axes}
    return num_slices(sizes, sliced) if sliced else 1


def _job_work(
    job: FragmentJob, itemsize: int, sliced: tuple[int, ...], cores: int, limit: int
) -> Work:
    """The tasks of a fragment: one, or one for each slice that it takes part in."""
    mine = tuple(cut for cut, _ in job.program.axes if cut in sliced)
    times = num_slices(dict(job.program.axes), mine) if mine else 1
    fixed = dict.fromkeys(mine, 0)
    split = split_cuts(job.program, job.operators, limit, itemsize, fixed, fixed)
    shape = fragment_shape(job, itemsize, mine, 2 if mine else 1, split)
    memory = batch_bytes(job.program, job.operators, itemsize, fixed, fixed)
    arguments = 2000 + 600 * len(job.program.steps) + 120 * len(job.operators)
    return Work(
        items=times,
        each=exact_counts(shape, cores),
        once=np.zeros(len(COEFFICIENTS)),
        work_each=job.work / times,
        work_once=0.0,
        memory_bytes=memory,
        sent_bytes=shape.result_bytes + arguments,
    )
