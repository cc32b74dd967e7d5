"""Getting fragment jobs run: here, or as tasks of a session.

All that is asked of a session is `submit`, returning something that behaves like
`concurrent.futures.Future`. This module must not know plans or observables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from qdreamer_lab.workload.simulate import FragmentResult, check_memory, run_fragment

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from qdreamer_lab.workload.exact import FragmentJob

__all__ = ["FragmentRow", "Progress", "SessionLike", "run_jobs"]

_POLL_S = 0.1
"""How long a cancelled job may go unnoticed while waiting for tasks."""


class SessionLike(Protocol):
    """What this package needs of a pilot session."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, name: str) -> Future[Any]:
        """Start `fn(*args)` somewhere. If the future has a `record`, it says where it ran."""


@dataclass(frozen=True, slots=True)
class FragmentRow:
    """What became of one fragment job.

    Attributes:
        binding: which set of parameter values it belongs to.
        fragment: id in the plan.
        width: qubits.
        variants: state vectors simulated.
        seconds: wall time of the simulation, where it ran.
        worker: name of the worker, empty if it ran in this process.
        pilot: name of the pilot, empty if it ran in this process.
    """

    binding: int
    fragment: int
    width: int
    variants: int
    seconds: float
    worker: str
    pilot: str


Progress = Callable[[int, int, FragmentRow], object]
"""Told after each job: jobs done, jobs in all, and the row of the one that finished."""


_Keep = Callable[[int, FragmentResult, Any], None]
"""Takes a job's number, its result, and the record of the task that ran it."""


def run_jobs(
    jobs: Sequence[tuple[int, FragmentJob]],
    session: SessionLike | None,
    *,
    memory_limit_bytes: int | None,
    stop: threading.Event,
    progress: Progress | None = None,
) -> tuple[list[FragmentResult], list[FragmentRow]]:
    """Run all jobs, heaviest first.

    Args:
        jobs: (binding, job) pairs.
        session: where to submit them; None runs them one by one in this process.
        memory_limit_bytes: most memory per job; what is free where it runs if None.
        stop: set from elsewhere to give up; tasks already submitted are then cancelled.
        progress: called as `progress(done, total, row)` after each job.

    Returns:
        Results and rows, both in the order of `jobs`.

    Raises:
        MemoryLimitError: before any job starts where that can be known.
        CancelledError: if `stop` was set.
    """
    if session is None or memory_limit_bytes is not None:
        for _, job in jobs:
            check_memory(job.program, len(job.operators), memory_limit_bytes)
    order = sorted(range(len(jobs)), key=lambda k: -_weight(jobs[k][1]))
    results: dict[int, FragmentResult] = {}
    rows: dict[int, FragmentRow] = {}

    def keep(k: int, result: FragmentResult, record: Any) -> None:
        results[k], rows[k] = result, _row(*jobs[k], result, record)
        if progress is not None:
            progress(len(results), len(jobs), rows[k])

    ordered = [(k, *jobs[k]) for k in order]
    if session is None:
        _run_here(ordered, memory_limit_bytes, stop, keep)
    else:
        _run_on(session, ordered, memory_limit_bytes, stop, keep)
    return [results[k] for k in range(len(jobs))], [rows[k] for k in range(len(jobs))]


def _run_here(
    jobs: Sequence[tuple[int, int, FragmentJob]],
    memory_limit_bytes: int | None,
    stop: threading.Event,
    keep: _Keep,
) -> None:
    """Run jobs one after another; `stop` is looked at between them."""
    for k, _, job in jobs:
        if stop.is_set():
            raise CancelledError
        keep(k, run_fragment(job.program, job.operators, memory_limit_bytes), None)


def _run_on(
    session: SessionLike,
    jobs: Sequence[tuple[int, int, FragmentJob]],
    memory_limit_bytes: int | None,
    stop: threading.Event,
    keep: _Keep,
) -> None:
    """Submit jobs as tasks and take their results as they come; leave none behind on failure."""
    several = len({binding for _, binding, _ in jobs}) > 1
    tasks: dict[Future[Any], int] = {}
    try:
        for k, binding, job in jobs:
            name = f"fragment-{job.program.id}" + (f"-binding-{binding}" if several else "")
            task = session.submit(
                run_fragment, job.program, job.operators, memory_limit_bytes, name=name
            )
            tasks[task] = k
        pending = set(tasks)
        while pending:
            done, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            if stop.is_set():
                raise CancelledError
            for task in done:
                keep(tasks[task], task.result(), getattr(task, "record", None))
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


def _weight(job: FragmentJob) -> float:
    """Rough work of a job: states times their size times steps."""
    program = job.program
    return math.ldexp(program.variants * len(program.steps), program.width)


def _row(binding: int, job: FragmentJob, result: FragmentResult, record: Any) -> FragmentRow:
    program = job.program
    return FragmentRow(
        binding,
        program.id,
        program.width,
        program.variants,
        result.seconds,
        str(getattr(record, "worker", None) or ""),
        str(getattr(record, "pilot", None) or ""),
    )
