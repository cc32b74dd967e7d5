"""Runs all motifs over sizes and workers on one machine."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pilot_kernel.errors import PilotError
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workflow.characterise.portrait import Measured, Portrait
from qdreamer_lab.workflow.registry import motif, motif_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.motif import Motif
    from qdreamer_lab.workflow.report import MotifReport

__all__ = ["characterise", "this_machine"]


def characterise(
    session: Session,
    workers: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    url: str = "local://",
    times: int = 1,
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
        times: How often each is run; the quickest counts.
        say: Takes a line for each run.
        change: Makes another motif of each before it runs, a smaller one, say.

    Raises:
        QDreamerError: There is no motif of such a name, or no number of workers.
        DescriptionError: There are no such pilots.
    """
    if not workers or min(workers) < 1 or times < 1:
        raise QDreamerError(f"workers={tuple(workers)}, times={times}: at least one of each")
    kinds = [motif(name) for name in (motif_names() if names is None else names)]
    measured = []
    for count in workers:
        pilot = session.add_pilot(url, cores_per_node=count, name=f"workers-{count}")
        try:
            for kind in kinds:
                small = kind.small() if change is None else change(kind.small())
                if count == workers[0]:  # what is planned or loaded once is in no figure
                    _measure(session, replace(small, on=pilot.name), 1, count, 1)
                for size in sorted({1, count} if kind.grows else {1}):
                    made = replace(_grown(small, size), on=pilot.name)
                    if say is not None:
                        say(f"{kind.name}, {size} times its size, {count} workers")
                    measured.append(_measure(session, made, size, count, times))
        finally:
            pilot.stop()
    return Portrait(machine=this_machine(), measured=tuple(measured))


def _grown(small: Motif, size: int) -> Motif:
    return replace(small, **{key: size * getattr(small, key) for key in small.grows})


def _measure(session: Session, made: Motif, size: int, workers: int, times: int) -> Measured:
    reports: list[MotifReport] = []
    try:
        reports = [made.run(session) for _ in range(times)]
    except (QDreamerError, PilotError) as error:
        return Measured(motif=made.name, size=size, workers=workers, failure=str(error))
    best = min(reports, key=lambda report: report.spent.wall_s)
    return Measured(motif=made.name, size=size, workers=workers, report=best)


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
