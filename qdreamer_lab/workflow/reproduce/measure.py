"""Measures our side of the published figures on a pilot of this machine."""

from __future__ import annotations

import os
import time
from concurrent.futures import wait
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.reproduce.published import (
    CIRCUITS,
    CUTTING_30,
    PILOT_START,
    PREDICTIONS,
    THROUGHPUT,
)
from qdreamer_lab.workflow.reproduce.table import Comparison, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.circuit_cutting.cut_run import CutRun

__all__ = ["reproduce"]

_LOOK_S = 0.005
_UNFAIR = (
    "Unfair to them: our exact values need no shots, and terms that cannot reach the observable "
    "are not run; their times are those of another machine and of older libraries.",
    "Unfair to us: they had 16 and 128 cores, we have those named in each row; ours include "
    "planning the cuts, and the middleware.",
)


def reproduce(
    session: Session,
    *,
    qubits: int = 30,
    widths: Sequence[int] = tuple(CUTTING_30),
    precision: float = 0.01,
    tasks: int = 2000,
    circuits: CircuitExecution | None = None,
    share: int = 64,
    say: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure, and set both figures side by side.

    Args:
        session: To which a pilot is added.
        qubits: Of the circuit that is cut.
        widths: Greatest widths of its fragments.
        precision: Standard error of the sampled runs.
        tasks: Tasks without work for the throughput.
        circuits: What circuits are run; those of the paper by default.
        share: The part of them that is run here, one in so many; their time is multiplied by it.
        say: Takes a line for each measurement.
    """
    told = say or (lambda _: None)
    started = time.perf_counter()
    pilot = session.add_pilot("local://", name="reproduce")
    while not pilot.status.workers:
        time.sleep(_LOOK_S)
    start_s = time.perf_counter() - started
    while (status := pilot.status).workers < status.wanted:
        time.sleep(_LOOK_S)
    place = f"{status.workers * status.cores_per_worker} cores"
    told("throughput")
    rows = [
        Row(
            what="pilot start", theirs=PILOT_START, ours=start_s, setting="a pilot on this machine"
        ),
        Row(
            what="throughput",
            theirs=THROUGHPUT,
            ours=_throughput(session, pilot.name, tasks),
            setting=f"{place}, {tasks} tasks without work",
            less_is_better=False,
        ),
    ]
    runs: list[CutRun] = []
    for error in (0.0, precision):
        for width in widths:
            told(f"{qubits} qubits at width {width}, {'sampled' if error else 'exact'}")
            motif = CircuitCutting(
                qubits=(qubits,), widths=(width,), precision=error, recommend=False, on=pilot.name
            )
            (run,) = motif.run(session).data
            runs.append(run)
            kind = f"sampled, error {run.error:.2g}" if error else "exact"
            rows.append(
                Row(
                    what=f"cut {'sampled' if error else 'exact'}, {qubits} qubits, width {width}",
                    theirs=CUTTING_30[width],
                    ours=run.measured_s,
                    setting=f"{place}, {kind}, {run.cuts} cuts",
                )
            )
    told("circuits")
    rows += [_circuits(session, pilot.name, place, circuits or CircuitExecution.paper(), share)]
    rows.append(_accuracy(runs, place))
    made = Comparison(rows=tuple(rows), notes=())
    return replace(made, notes=(*_values(made, runs), *_UNFAIR))


def _throughput(session: Session, on: str, count: int) -> float:
    """Tasks without work a second."""
    session.submit(_nothing, on=on).result()
    begun = time.perf_counter()
    works = [session.submit(_nothing, on=on) for _ in range(count)]
    wait(works)
    return count / (time.perf_counter() - begun)


def _circuits(session: Session, on: str, place: str, whole: CircuitExecution, share: int) -> Row:
    count = max(1, whole.circuits // share)
    report = replace(whole, circuits=count, batch=1, on=on).run(session)
    return Row(
        what=f"{whole.circuits} circuits of {whole.qubits} qubits",
        theirs=CIRCUITS,
        ours=report.spent.wall_s * whole.circuits / count,
        setting=f"{place}, exact; {count} were run, and their time multiplied",
    )


def _accuracy(runs: Sequence[CutRun], place: str) -> Row:
    """How close predictions came, as the median of 100 % less the error."""
    errors = [abs(one.predicted_s - one.measured_s) / one.measured_s for one in runs]
    return Row(
        what="predictions",
        theirs=PREDICTIONS,
        ours=100 * (1 - float(np.median(errors))),
        setting=f"{place}, median of {len(runs)} cut runs",
        less_is_better=False,
    )


def _values(made: Comparison, runs: Sequence[CutRun]) -> list[str]:
    exact = [one.value for one in runs if not one.error]
    far = max((abs(o.value - exact[0]) / o.error for o in runs if o.error), default=0.0)
    return [
        f"Exact values differ by {np.ptp(exact):.1g} between widths; sampled ones are within "
        f"{far:.2g} standard errors of them.",
        f"Geometric mean of the factors: {made.mean_factor('cut exact'):.4g} exact, "
        f"{made.mean_factor('cut sampled'):.4g} sampled.",
        f"Load of this machine at the end: {os.getloadavg()[0]:.1f}.",
    ]


def _nothing() -> None:
    """A task without work."""
