"""Probes of all modes, run where the work will run, and coefficients fitted to their times."""

from __future__ import annotations

import platform
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pilot_kernel.resource.worker_environment import usable_cores
from pilot_kernel.task.notebook.placement import on_gpu
from qdreamer_lab.dreamer.exact.probes import gpu_probes
from qdreamer_lab.dreamer.model.belief import calibrated
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PLACE
from qdreamer_lab.dreamer.model.probe import timed
from qdreamer_lab.dreamer.modes import MODE_COSTS
from qdreamer_lab.dreamer.sampled.probes import small_chunk
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.dispatch import run_chunks
from qdreamer_lab.workload.execution.first_runs import has_run, names_of
from qdreamer_lab.workload.execution.memory import available_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.model.belief import Belief
    from qdreamer_lab.dreamer.model.probe import Probe
    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["Findings", "measured"]

_MOST_S = 20.0
_DEVIATION = 0.08
"""How far the model is off on a probe, in logarithms, if all is well."""

_NOISE = 1.5
"""Runs differ more than repetitions of a probe that follow each other at once."""

_FIRST = ("fragment", "gram 6 3 6")
"""Probes that show what the first run in a place takes longer."""

_SETTLED_S = 2.0
"""Workers load code for about as long when they have come up."""

_LATER = 3
_LEAST_S = 1e-3

_CROWD = "dense 18, 1 cores"
"""The probe that all workers run at once."""

_SENT_BYTES = (1 << 20, 1 << 22)
_TOLD = 4000
"""Operators that a task is told, to see what that costs."""

_SENDS = 3
_TASKS = (1, 2, 12)
"""Tasks of the runs that show what handing them out costs."""


@dataclass(frozen=True, eq=False, slots=True)
class Findings:
    """What was found out about a machine; the attributes are those of `MachineProfile`.

    Attributes:
        touched: (k,) whether a probe depends on each coefficient.
        contention: None where there are not several workers to find it out with.
        warm_up_s: None where there was a run before.
    """

    machine: str
    resource: str
    cores: int
    memory_bytes: int
    gpus: tuple[str, ...]
    belief: Belief
    touched: NDArray[np.bool_]
    contention: float | None
    warm_up_s: float | None


def measured(
    session: SessionLike | None, on: str | None, budget_s: float, start: Belief
) -> Findings:
    """Time the probes of all modes where the work will run, and fit the coefficients.

    Args:
        session: On a worker of this session; None measures this process.
        on: A kind of worker or a pilot's name.
        budget_s: Seconds to spend on it.
        start: What is believed of the coefficients before.

    Raises:
        QDreamerError: If the budget makes no sense, or is over before anything was timed.
    """
    real = isinstance(budget_s, (int, float)) and not isinstance(budget_s, bool)
    if not real or not 0 < budget_s <= _MOST_S:
        raise QDreamerError(f"budget_s={budget_s!r}: more than 0 and at most {_MOST_S:g} seconds")
    pilots = [] if session is None else session.candidates(on)
    where = _ask(session, on, _place)
    there = gpu_probes() if on_gpu(on, pilots) else []
    there += [probe for mode in MODE_COSTS for probe in mode.worker_probes(where["cores"])]
    here = [probe for mode in MODE_COSTS for probe in mode.local_probes()]
    named = {probe.name: probe for probe in there}
    first = [named[name].call for name in _FIRST if name in named]
    warm_up_s = _warm_up_s(session, on, first, pilots, 0.1 * budget_s)
    found = _ask(session, on, timed, [probe.call for probe in there], 0.5 * budget_s)
    mine = timed([probe.call for probe in here], 0.1 * budget_s)
    if not found and not mine:
        raise QDreamerError(
            f"nothing could be measured in budget_s={budget_s:g}: the machine is too busy with "
            f"other things; give more, {_MOST_S:g} at most, or calibrate later"
        )
    probes: list[Probe] = [*there[: len(found)], *here[: len(mine)]]
    counts = [probe.counts for probe in probes]
    seconds = [timing.seconds for timing in (*found, *mine)]
    contention = None
    if session is not None:
        workers = sum(pilot.wanted for pilot in pilots)
        if workers > 1:  # and then all of them have loaded their kernels
            contention = _contention(session, on, workers, named[_CROWD], budget_s)
        for counted, took in _ways(session, on, workers):
            counts.append(counted)
            seconds.append(took)
    # A machine that is busy with other things makes every time uncertain.
    noise = float(np.median([timing.noise for timing in (*found, *mine)]))
    belief = calibrated(start, np.array(counts), np.array(seconds), _DEVIATION)
    return Findings(
        **where,
        resource=pilots[0].resource if pilots else "here",
        belief=replace(belief, spreads=np.hypot(belief.spreads, _NOISE * noise)),
        touched=np.array(counts).sum(axis=0) > 0,
        contention=contention,
        warm_up_s=warm_up_s,
    )


def _warm_up_s(
    session: SessionLike | None,
    on: str | None,
    calls: Sequence[Callable[[], Any]],
    pilots: Sequence[Any],
    budget_s: float,
) -> float | None:
    """What the first run takes longer than later ones; None if there was one before.

    Args:
        session: Where runs are; None is this process.
        on: A kind of worker or a pilot's name.
        calls: What the tasks of a small run call.
        pilots: Where it runs.
        budget_s: For workers that have just come up to get ready, and for this process's probes.
    """
    if has_run(session, names_of(pilots)):
        return None
    if session is None:
        times = timed(calls, budget_s)
        return max(_LEAST_S, sum(timing.first - timing.seconds for timing in times))
    time.sleep(min(_SETTLED_S, budget_s))
    workers = sum(pilot.wanted for pilot in pilots)
    took = []
    for _ in range(1 + _LATER):
        chunks = [Chunk(0, k, 1, 1, 1.0, call, ()) for k, call in enumerate(workers * [*calls])]
        begin = time.perf_counter()
        run_chunks(chunks, session, on=on, stop=threading.Event(), keep=lambda *_: None)
        took.append(time.perf_counter() - begin)
    return max(_LEAST_S, took[0] - float(np.median(took[1:])))


def _ask(session: SessionLike | None, on: str | None, function: Any, *args: Any) -> Any:
    """Call a function where the work will run."""
    if session is None:
        return function(*args)
    return session.submit(function, *args, name="measure", on=on).result()


def _place() -> dict[str, Any]:
    """What this process may use, and where it is."""
    return {
        "machine": platform.node() or "unnamed",
        "cores": usable_cores(),
        "memory_bytes": available_bytes(),
        "gpus": _gpus(),
    }


def _gpus() -> tuple[str, ...]:
    """Names and memory of the GPUs, if the library that knows them is there."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(k) for k in range(pynvml.nvmlDeviceGetCount())]
        names = [pynvml.nvmlDeviceGetName(handle) for handle in handles]
        return tuple(
            f"{name.decode() if isinstance(name, bytes) else name}, "
            f"{pynvml.nvmlDeviceGetMemoryInfo(handle).total / 2**30:.0f} GiB"
            for name, handle in zip(names, handles, strict=True)
        )
    except pynvml.NVMLError:  # a library without a driver
        return ()


def _ones(size: int) -> Any:
    """A result of so many bytes."""
    return np.ones(size // 8)


def _ways(session: SessionLike, on: str | None, workers: int) -> list[tuple[Any, float]]:
    """Counts and seconds of tasks with little to do, and of one with a lot of data."""
    found = []
    for tasks in (*_TASKS, *_TASKS, *_TASKS):
        chunks = [small_chunk() for _ in range(tasks)]
        rows: list[float] = []

        def keep(chunk: Chunk, result: Any, row: FragmentRow, rows: list[float] = rows) -> None:
            rows.append(row.seconds)

        begin = time.perf_counter()
        run_chunks(chunks, session, on=on, stop=threading.Event(), keep=keep)
        took = time.perf_counter() - begin - sum(rows) / max(1, workers)
        found.append((_row({"trip": 1, "task": tasks}), max(took, 1e-4)))
    sent: list[tuple[str, int, Any, Any]] = [
        *(("transfer", size, _ones, size) for size in _SENT_BYTES),
        ("told", _TOLD, len, tuple(((k, "Z"), (k + 1, "X")) for k in range(_TOLD))),
    ]
    for turn in range(_SENDS + 1):  # the first one opens the connections
        for name, count, function, argument in sent:
            begin = time.perf_counter()
            session.submit(function, argument, name="send", on=on).result()
            took = time.perf_counter() - begin
            if turn:
                found.append((_row({"trip": 1, "task": 1, name: count}), took))
    return found


def _row(names: dict[str, int]) -> Any:
    row = np.zeros(len(COEFFICIENTS))
    for name, count in names.items():
        row[PLACE[name]] = count
    return row


def _contention(
    session: SessionLike, on: str | None, workers: int, probe: Probe, budget_s: float
) -> float:
    """How much longer a probe takes when all workers run it."""

    def slowest(many: int) -> float:
        tasks = [
            session.submit(timed, [probe.call] * 3, 0.02 * budget_s, name="measure", on=on)
            for _ in range(many)
        ]
        times = [timing.seconds for task in tasks for timing in task.result()]
        return float(np.median(times))

    slowest(workers)  # every worker has loaded its kernels then
    alone = min(slowest(1) for _ in range(2))
    return float(np.clip(min(slowest(workers) for _ in range(2)) / alone, 1.0, workers))
