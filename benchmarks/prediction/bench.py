"""Measures one way to run a job: time, phases, and the memory of processes."""

from __future__ import annotations

import ctypes
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.prediction.grid import PLACES
from benchmarks.prediction.rows import Row
from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import QDreamerError

if TYPE_CHECKING:
    from benchmarks.prediction.grid import Way
    from pilot_kernel import Session

LEAST_S = 0.05
"""Ways that take less time are left out: the clock and the scheduler would be most of it."""

MOST_S = 8.0
"""Ways that take more are left out, since there are some two hundred, each run four times."""

MOST_SHOTS = 3_000_000
LEAST_RUNS = 3
TIDY = (
    "(__import__('gc').collect(), __import__('ctypes').CDLL(None).malloc_trim(0), "
    "__import__('time').sleep(0.01), __import__('os').getpid())[-1]"
)
"""Gives back free memory, and sleeps so that the other worker gets a task too. An expression, since
workers cannot import this file."""

_SURELY = 0.8
"""Ways that take that part of the least time, the first time, will hardly take it in the median."""

_SEEDS = 1000
NO_TIME = "no time left"
PHASES = ("plan_s", "transpile_s", "execute_s", "contract_s")


class SkippedError(Exception):
    """A way that gives no row; the message says why."""


class Bench:
    """A session with a pilot for each of `PLACES`.

    Args:
        session: The session to which the pilots are added.
        seed: Seed of circuits, observables and shots.
    """

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.seed = seed
        for workers, cores in PLACES:
            session.add_pilot(
                "local://",
                name=place(workers, cores),
                cores_per_node=workers * cores,
                cores_per_worker=cores,
            )

    def _tidied(self, way: Way) -> list[int]:
        """Have a pilot's workers give back what memory they can; their process ids."""
        found: set[int] = set()
        on = place(way.workers, way.cores)
        while len(found) < way.workers:
            tasks = [self.session.submit(eval, TIDY, on=on) for _ in range(3 * way.workers)]
            found.update(task.result() for task in tasks)
        return sorted(found)

    def run(self, way: Way, *, seed: int | None = None) -> Any:
        """Run it once; the estimator is new each time, so that it plans each time."""
        estimator = CutEstimator(
            way.width,
            mode=way.mode,
            session=self.session,
            on=place(way.workers, way.cores),
            max_shots=MOST_SHOTS,
            seed=self.seed if seed is None else seed,
        )
        circuit, observables = way.job.circuit(self.seed), way.job.observables(way.mode, self.seed)
        pub = (circuit, observables, None, way.job.precision)
        return estimator.run([pub]).result()[0]

    def check(self, way: Way) -> None:
        """Run it for the first time, which warms up whatever there is.

        Raises:
            SkippedError: If it takes too long or not long enough, or cannot be run at all.
        """
        try:
            began = time.perf_counter()
            self.run(way)
            warm_s = time.perf_counter() - began
        except QDreamerError as error:
            raise SkippedError(f"{way.name}: {error}") from error
        if warm_s > MOST_S:
            raise SkippedError(f"{way.name}: takes {warm_s:.1f} s, more than {MOST_S:g} s")
        if warm_s < LEAST_S / 2:
            raise SkippedError(f"{way.name}: takes {1e3 * warm_s:.0f} ms, less than 50 ms")

    def sample(self, way: Way, turn: int) -> tuple[Any, tuple[int, int]]:
        """Run it; the result, and the bytes by which a worker and this process grew at most.

        Shots are others each turn. Else a row would show one outcome of a game of chance, which
        five runs would repeat, and nothing could foretell.

        Raises:
            SkippedError: If it does not take long enough.
        """
        memory = Memory(self._tidied(way))
        result = self.run(way, seed=_SEEDS * self.seed + turn)
        seconds = result.metadata["makespan_s"]
        if turn == 1 and seconds < _SURELY * LEAST_S:
            raise SkippedError(f"{way.name}: takes {1e3 * seconds:.0f} ms, less than 50 ms")
        return result, memory.grown()

    def row(self, way: Way, samples: list[tuple[Any, tuple[int, int]]]) -> tuple[Row, Any]:
        """The row, and the result of the run that is the median.

        Raises:
            SkippedError: If there were too few runs, or they took too little time.
        """
        if len(samples) < LEAST_RUNS:
            raise SkippedError(f"{way.name}: {NO_TIME}")
        results = [result for result, _ in samples]
        ordered = sorted(results, key=lambda run: run.metadata["makespan_s"])
        middle = ordered[(len(ordered) - 1) // 2]
        peaks = tuple(max(peak[k] for _, peak in samples) for k in range(2))
        if middle.metadata["makespan_s"] < LEAST_S:
            seconds = middle.metadata["makespan_s"]
            raise SkippedError(f"{way.name}: takes {1e3 * seconds:.0f} ms, less than 50 ms")
        return self._row(
            way, [run.metadata["makespan_s"] for run in results], middle, peaks
        ), middle

    def _row(self, way: Way, runs_s: list[float], result: Any, peaks: tuple[int, int]) -> Row:
        job, told = way.job, result.metadata
        plan = told["plan"]
        worker_bytes, process_bytes = peaks
        return Row(
            job=job.name,
            family=job.family,
            n=job.n,
            depth=job.depth,
            strings=int(np.size(result.data.evs)),
            precision=job.precision,
            seed=self.seed,
            width=way.width,
            mode=way.mode,
            workers=way.workers,
            cores=way.cores,
            runs_s=[round(seconds, 6) for seconds in runs_s],
            seconds=round(statistics.median(runs_s), 6),
            phases={name: round(told.get(name, 0.0), 6) for name in PHASES},
            cuts=plan.num_cuts,
            n_sub=max((fragment.width for fragment in plan.fragments), default=1),
            variants=told["variants"],
            tasks=len(told["fragments"]),
            shots=told["shots"],
            stds=float(np.max(result.data.stds)),
            worker_bytes=worker_bytes,
            process_bytes=process_bytes,
        )


class Memory:
    """How much the memory of processes grows from now on.

    Linux keeps the greatest resident size of a process and lets its owner start that anew. Memory
    that a process keeps for later use would hide what is asked for next, so it is given back first.
    """

    def __init__(self, workers: list[int]) -> None:
        ctypes.CDLL(None).malloc_trim(0)
        self._before = {pid: _reset(pid) for pid in (*workers, os.getpid())}

    def grown(self) -> tuple[int, int]:
        """Bytes: most of any worker, and of this process."""
        grown = {pid: _status(pid, "VmHWM") - was for pid, was in self._before.items()}
        here = grown.pop(os.getpid())
        return max(0, *grown.values()), max(0, here)


def _reset(pid: int) -> int:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status(pid, "VmRSS")


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/{pid}/status does not tell {key}")


def place(workers: int, cores: int = 1) -> str:
    """Name of the pilot with so many workers of so many cores."""
    return {(1, 1): "one", (2, 1): "two", (1, 2): "wide"}[workers, cores]


def machine() -> dict[str, Any]:
    """What the rows were measured on."""
    return {
        "cores": psutil.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "time": time.strftime("%Y-%m-%d %H:%M"),
    }
