"""Runs all motifs over sizes and workers on one machine."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pilot_kernel.errors import PilotError
from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workflow.characterise.larger import (
    CUT,
    LEFT_OUT,
    PLAYED,
    Simulated,
    circuits_simulated,
    cut_simulated,
    played_simulated,
)
from qdreamer_lab.workflow.characterise.portrait import Measured, Portrait
from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.registry import motif, motif_names
from qdreamer_lab.workflow.throughput import tasks_per_second

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.motif import Motif
    from qdreamer_lab.workflow.report import MotifReport

__all__ = ["SIMULATED", "characterise", "this_machine"]

SIMULATED = (1, 2, 4, 10, 30, 100, 300, 1000)
"""Numbers of workers for which scaling is simulated."""

_TASKS = 500
"""Tasks without work whose pace is taken."""


def characterise(
    session: Session,
    workers: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    url: str = "local://",
    times: int = 1,
    simulate: Sequence[int] = SIMULATED,
    calibrate_s: float = 10.0,
    say: Callable[[str], None] | None = None,
    change: Callable[[Motif], Motif] | None = None,
) -> Portrait:
    """Run motifs with each number of workers: the same work, and work in proportion.

    What cannot run here is named in the portrait, and the rest goes on.

    Args:
        session: To which a pilot for each number of workers is added, and taken away.
        workers: How many workers, the fewest first.
        names: Of the motifs; all by default.
        url: What kind of pilots.
        times: How often each is run, after once that does not count; the quickest counts.
        simulate: Numbers of workers for which scaling is simulated, where that makes sense.
        calibrate_s: Seconds for measuring this machine before cut runs are simulated.
        say: Takes a line for each run.
        change: Makes another motif of each before it runs, a smaller one, say.

    Raises:
        QDreamerError: There is no motif of such a name, or no number of workers.
        DescriptionError: There are no such pilots.
    """
    if not workers or min(workers) < 1 or times < 1:
        raise QDreamerError(f"workers={tuple(workers)}, times={times}: at least one of each")
    kinds = [motif(name) for name in (motif_names() if names is None else names)]
    told = say or (lambda _: None)
    measured: list[Measured] = []
    larger = Larger(tuple(simulate), [kind.name for kind in kinds], calibrate_s, times, told)
    for count in workers:
        pilot = session.add_pilot(url, cores_per_node=count, name=f"workers-{count}")
        try:
            for kind in kinds:
                small = kind.small() if change is None else change(kind.small())
                small = replace(small, on=pilot.name)
                for size in sorted({1, count}):
                    told(f"{kind.name}, {size}x on {count}")
                    measured += _measure(session, small, size, count, times)
            larger.look(session, pilot.name, count, last=count == workers[-1])
        finally:
            pilot.stop()
    return Portrait(
        machine=this_machine(),
        measured=tuple(measured),
        simulated=larger.curves(measured),
        not_simulated=larger.left_out(),
    )


def _measure(session: Session, small: Motif, size: int, workers: int, times: int) -> list[Measured]:
    """One measurement; none if the motif cannot be made so many times as large."""
    told = Measured(motif=small.name, size=size, workers=workers)
    try:
        made = small.grown(size)
        if made is None:
            return []
        # The first one plans for these workers, and loads.
        reports = [made.run(session) for _ in range(times + 1)][1:]
    except (QDreamerError, PilotError) as error:
        return [replace(told, failure=str(error))]
    return [replace(told, report=min(reports, key=lambda report: report.spent.wall_s))]


class Larger:
    """Gathers what is needed to simulate larger numbers of workers.

    Args:
        workers: How many there would be; none asks for nothing.
        names: Of the motifs that are measured.
        calibrate_s: Seconds for measuring the machine.
        times: How often each run is made.
        told: Takes lines.
    """

    def __init__(
        self,
        workers: tuple[int, ...],
        names: list[str],
        calibrate_s: float,
        times: int,
        told: Callable[[str], None],
    ) -> None:
        self._workers, self._names = workers, names
        self._circuits = bool(workers) and CircuitExecution.name in names
        self._played = [name for name in PLAYED if workers and name in names]
        self._cutting = bool(workers) and CircuitCutting.name in names
        self._calibrate_s, self._times, self._told = calibrate_s, times, told
        self._rates: list[float] = []
        self._cut_s: dict[int, float] = {}
        self._curve: Simulated | None = None

    def look(self, session: Session, on: str, count: int, *, last: bool) -> None:
        """Measure on a pilot with some workers; on the last one the model is asked, too."""
        if self._circuits or self._played:
            self._rates.append(tasks_per_second(session, on, _TASKS))
        if not self._cutting:
            return
        self._told(f"circuit-cutting with shots on {count}")
        made = replace(CUT, on=on)
        runs = [made.run(session).data[0].measured_s for _ in range(self._times + 1)]
        self._cut_s[count] = min(runs[1:])
        if last:
            if self._calibrate_s:
                self._told("calibration")
                QDreamer(session).calibrate(self._calibrate_s, on=on)
            self._curve = cut_simulated(session, on, self._workers, self._cut_s, usable_cores())

    def curves(self, measured: Sequence[Measured]) -> tuple[Simulated, ...]:
        """All curves, given what was measured of the motifs."""
        found: list[Simulated] = []
        walls, first = _walls(measured, CircuitExecution.name)
        if self._circuits and first is not None:
            strong = {count: wall for (size, count), wall in walls.items() if size == 1}
            weak = {count: wall for (size, count), wall in walls.items() if size == count}
            found += circuits_simulated(
                CircuitExecution.name,
                first.traffic.tasks,
                first.spent.wall_s,
                1 / max(self._rates),
                self._workers,
                {"strong": strong, "weak": weak},
                usable_cores(),
            )
        if self._curve is not None:
            found.append(self._curve)
        for name in self._played:
            walls, first = _walls(measured, name)
            if first is not None and first.trace is not None:
                strong = {count: wall for (size, count), wall in walls.items() if size == 1}
                known = (self._workers, strong, usable_cores())
                found.append(played_simulated(name, first.trace, 1 / max(self._rates), *known))
        return tuple(found)

    def left_out(self) -> tuple[str, ...]:
        """What has no curve, or only one, and why."""
        if not self._workers:
            return ()
        whys = {
            why: [n for n in self._names if LEFT_OUT.get(n) == why] for why in LEFT_OUT.values()
        }
        return tuple(f"{', '.join(names)}: {why}" for why, names in whys.items() if names)


def _walls(
    measured: Sequence[Measured], name: str
) -> tuple[dict[tuple[int, int], float], MotifReport | None]:
    """Wall times of a motif by size and workers, and its report on one worker."""
    reports = {
        (one.size, one.workers): one.report
        for one in measured
        if one.motif == name and one.report is not None
    }
    walls = {key: report.spent.wall_s for key, report in reports.items()}
    return walls, reports.get((1, 1))


def this_machine() -> dict[str, str]:
    """What stands for this machine in a portrait."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
