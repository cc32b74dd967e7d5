"""Measures our side of the published figures on a pilot of this machine."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.reproduce.cutting import cut_runs, uncut_seconds
from qdreamer_lab.workflow.reproduce.published import (
    CIRCUITS,
    CIRCUITS_GPU,
    CUTTING_30,
    PILOT_START,
    PREDICTIONS,
    SPEEDUPS,
    THROUGHPUT,
)
from qdreamer_lab.workflow.reproduce.table import Comparison, Row
from qdreamer_lab.workflow.throughput import tasks_per_second

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilot_kernel.resource.pilot import PilotStatus
    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.circuit_cutting.cut_run import CutRun

__all__ = ["reproduce"]

_LOOK_S = 0.005
_PATIENCE_S = 120.0
_NO_SOURCE = (
    "Their pilot start is no published figure as far as could be found: its factor is not to be "
    "relied on."
)
_UNFAIR = (
    "Unfair to them: our exact values need no shots, and they always took theirs; terms that "
    "cannot reach the observable are not run; their times are those of another machine and of "
    "older libraries, and nobody told them to be quick. Our circuits of 25 qubits have gates on "
    "two qubits at most, and one observable.",
    "Unfair to us: they had 16, 128 and 256 cores or GPUs, we have those named in each row. Both "
    "sides' times include the search for cuts, and the middleware.",
)


def reproduce(
    session: Session,
    *,
    qubits: int = 30,
    widths: Sequence[int] = tuple(CUTTING_30),
    speedups: Sequence[tuple[int, int]] = tuple(SPEEDUPS),
    uncut_qubits: int = 24,
    precision: float = 0.01,
    tasks: int = 2000,
    circuits: CircuitExecution | None = None,
    share: int = 64,
    calibrate_s: float = 10.0,
    say: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure, and set both figures side by side.

    Args:
        session: To which a pilot is added.
        qubits: Of the circuit that is cut.
        widths: Greatest widths of its fragments.
        speedups: Qubits and greatest width of the runs that are compared with uncut ones.
        uncut_qubits: Of the uncut run from which those are extrapolated that fit on no machine.
        precision: Standard error of the sampled runs.
        tasks: Tasks without work for the throughput.
        circuits: What circuits are run; those of the paper by default.
        share: The part of them that is run here, one in so many; their time is multiplied by it.
        calibrate_s: Seconds for measuring this machine before anything is predicted; 0 for none.
        say: Takes a line for each measurement.

    Raises:
        MotifError: No worker came.
    """
    told = say or (lambda _: None)
    status, start_s = _started(session)
    place = f"{status.workers * status.cores_per_worker} cores"
    told("throughput")
    rate = tasks_per_second(session, status.name, tasks)
    rows = [
        Row(
            what="pilot start", theirs=PILOT_START, ours=start_s, setting="a pilot on this machine"
        ),
        Row(
            what="throughput",
            theirs=THROUGHPUT,
            ours=rate,
            setting=f"{place}, {tasks} tasks without work",
            less_is_better=False,
        ),
    ]
    if calibrate_s:
        told("calibration")
        QDreamer(session).calibrate(calibrate_s, on=status.name)
    runs = cut_runs(session, status.name, qubits, widths, (0.0, precision), told)
    rows += [_cut_row(one, place) for one in runs]
    rows += _faster(session, status.name, speedups, uncut_qubits, place, told)
    told("circuits")
    rows += _circuits(session, status.name, place, circuits or CircuitExecution.paper(), share)
    rows.append(_accuracy(runs, place))
    made = Comparison(rows=tuple(rows), notes=())
    return replace(made, notes=(*_values(made, runs), _NO_SOURCE, *_UNFAIR))


def _started(session: Session) -> tuple[PilotStatus, float]:
    """A pilot whose workers are all up, and the seconds until the first was."""
    started = time.perf_counter()
    pilot = session.add_pilot("local://", name="reproduce")
    start_s = 0.0
    while (status := pilot.status).workers < max(1, status.wanted):
        took = time.perf_counter() - started
        if status.workers and not start_s:
            start_s = took
        if took > _PATIENCE_S and not status.workers:
            raise MotifError(f"reproduce: no worker started ({status.note or status.state})")
        if took > _PATIENCE_S:
            break
        time.sleep(_LOOK_S)
    return status, start_s or time.perf_counter() - started


def _cut_row(one: CutRun, place: str) -> Row:
    mode = "sampled" if one.error else "exact"
    kind = f"sampled, standard error {one.error:.2g}" if one.error else "exact"
    return Row(
        what=f"cut {mode}, {one.qubits} qubits, width {one.width}",
        theirs=CUTTING_30[one.width],
        ours=one.planning_s + one.measured_s,
        setting=f"{place}, {kind}, {one.cuts} cuts, the search for them included",
    )


def _faster(
    session: Session,
    on: str,
    cases: Sequence[tuple[int, int]],
    base: int,
    place: str,
    told: Callable[[str], None],
) -> list[Row]:
    """Cut runs against uncut ones, which are extrapolated."""
    if not cases:
        return []
    told(f"{base} qubits uncut")
    base_s = uncut_seconds(session, on, base)
    rows = []
    for qubits, width in cases:
        (run,) = cut_runs(session, on, qubits, (width,), (0.0,), told)
        # Twice the amplitudes with each qubit, and as many more gates.
        uncut_s = base_s * 2.0 ** (qubits - base) * qubits / base
        rows.append(
            Row(
                what=f"sooner than uncut, {qubits} qubits, width {width}",
                theirs=SPEEDUPS[qubits, width],
                ours=uncut_s / (run.planning_s + run.measured_s),
                setting=f"{place}, exact, {run.planning_s + run.measured_s:.3g} s cut; "
                f"{uncut_s:.3g} s uncut, extrapolated from {base_s:.3g} s at {base} qubits",
                less_is_better=False,
            )
        )
    return rows


def _circuits(
    session: Session, on: str, place: str, whole: CircuitExecution, share: int
) -> list[Row]:
    count = max(1, whole.circuits // share)
    report = replace(whole, circuits=count, batch=1, on=on).run(session)
    ours = report.spent.wall_s * whole.circuits / count
    setting = f"{place}, exact; {count} were run, and their time multiplied"
    what = f"{whole.circuits} circuits of {whole.qubits} qubits"
    return [
        Row(what=f"{what}, {theirs}", theirs=published, ours=ours, setting=setting)
        for theirs, published in (("on cores", CIRCUITS), ("on GPUs", CIRCUITS_GPU))
    ]


def _accuracy(runs: Sequence[CutRun], place: str) -> Row:
    """How close predictions came: the smaller of two times over the greater, in percent."""
    ratios = [one.predicted_s / one.measured_s for one in runs]
    found = [100 * min(ratio, 1 / ratio) for ratio in ratios]
    return Row(
        what="predictions",
        theirs=PREDICTIONS,
        ours=float(np.median(found)),
        setting=f"{place}, times of {len(runs)} cut runs, the median; the best {max(found):.0f} %",
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
