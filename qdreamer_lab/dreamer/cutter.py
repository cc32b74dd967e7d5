"""What `%%qtask --cut` calls: estimate or sample a cell's PUBs cut, and tell the cell how.

The entry point `qdreamer` of the group `pilot_kernel.cutters`. What is best is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from qiskit.primitives import PrimitiveResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from pilot_kernel.errors import CellError, PlacementError
from pilot_kernel.errors import PubError as TextError
from pilot_kernel.primitive.pub.check import has_observables
from pilot_kernel.primitive.pub.observable_text import with_texts_read
from qdreamer_lab.dreamer.advice.run_prediction import waited_for
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import PubError, QDreamerError
from qdreamer_lab.workload.arguments import Places, read_device_options
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.modes import EXACT, SAMPLED
from qdreamer_lab.workload.record import RunRecord
from qdreamer_lab.workload.sampler import CutSampler

if TYPE_CHECKING:
    from pilot_kernel.jupyter.cell.circuit_cutter import CutRequest
    from pilot_kernel.jupyter.cell.device_wishes import DeviceWishes
    from qdreamer_lab.workload.dry_run import CutDryRun
    from qdreamer_lab.workload.execution.decisions import Decision
    from qdreamer_lab.workload.execution.progress import Progress, Report

__all__ = ["cut"]

_LONG_S = 600.0
"""Runs that take longer are announced."""

_STATES = 24
"""States of a fragment that a worker has room for, about: some choices at cuts, and copies."""

_MOST_WIDTH = 26
"""Qubits of a fragment that is sampled, at most: a state of 1 GiB, which takes seconds."""

_asking = threading.Lock()
_last: QDreamer | None = None
"""Of the session that asked last: what it learned from a cell serves the next one."""


class _Cutter:
    """A `pilot_kernel.jupyter.cell.circuit_cutter.Cutter` that knows what devices can do."""

    def __call__(self, request: CutRequest) -> Any:
        """See `_cut`."""
        return _cut(request)

    def check(self, wishes: DeviceWishes) -> None:
        """Refuse what devices do not do.

        Raises:
            CellError: It says what there is.
        """
        try:
            read_device_options(wishes.mid_circuit, wishes.mitigation or None)
        except QDreamerError as error:
            raise CellError(f"--cut: {error}") from error


cut = _Cutter()


def _cut(request: CutRequest) -> Any:
    """Run PUBs with fragments of at most `request.width` qubits, or as Q-Dreamer recommends.

    Returns:
        Qiskit's `PrimitiveResult`, as `CutEstimator` or `CutSampler` makes it; of a dry run, their
        `CutDryRun`.

    Raises:
        CellError: If a circuit cannot be cut or run like this; it says why.
        CancelledError: If `request.stop` was set.
    """
    try:
        if request.dry_run:
            return _told_beforehand(request)
        if not has_observables(request.pubs):
            found = list(_sampled(request))
        elif request.width is None:
            found = [_best(request, pub, number) for number, pub in enumerate(request.pubs)]
        else:
            _foretell(request, request.width)
            found = list(_run(request, request.width))
    except QDreamerError as error:
        # The message says all that can be acted on; a cell shows this kind of error as one line.
        raise CellError(f"--cut: {error}") from error
    for number, result in enumerate(found):
        request.say(f"{_prefix(request, number)}{_done(RunRecord.of(result))}")
    return PrimitiveResult(found, metadata={"version": 2})


def _told_beforehand(request: CutRequest) -> CutDryRun:
    """What the PUBs would take on a QPU."""
    width, how = _width(request), _how(request)
    if has_observables(request.pubs):
        return CutEstimator(width, **how).dry_run(request.pubs, precision=request.precision)
    return CutSampler(width, **how).dry_run(request.pubs, shots=request.shots)


def _how(request: CutRequest) -> dict[str, Any]:
    """Where and how fragments run, as arguments of `CutEstimator` and `CutSampler`."""
    return {
        "session": request.session,
        "on": request.on,
        "seed": request.seed,
        "prefer": request.wishes.prefer,
        **_of_devices(request),
    }


def _of_devices(request: CutRequest) -> dict[str, Any]:
    """What devices are to do, and what if they fail."""
    wishes = request.wishes
    return {
        "fallback": wishes.fallback,
        "mitigation": wishes.mitigation or None,
        "mid_circuit": wishes.mid_circuit,
    }


def _width(request: CutRequest) -> int:
    """Most qubits of a fragment: as asked for, or as many as there is room for."""
    if request.width is not None:
        return request.width
    width = _widest(request)
    request.say(
        f"Fragments have at most {width} qubits: as many as fit into memory or on the device, "
        "and at least as many as a plan needs"
    )
    return width


def _sampled(request: CutRequest) -> Any:
    """The results of sampler PUBs."""
    sampler = CutSampler(_width(request), **_how(request), progress=_told(request))
    return waited_for(sampler.run(request.pubs, shots=request.shots), request.stop)


def _widest(request: CutRequest) -> int:
    """Qubits of the widest fragment that a worker, or the device, has room for."""
    places = Places.of(request.session, request.on, None)
    place = Execution(session=request.session, on=places.first)
    devices = places.devices()
    if devices:
        return max(1, *(int(device.backend.num_qubits) for device in devices))
    states = place.task_limit_bytes() // (16 * _STATES)
    return max(1, min(_MOST_WIDTH, states.bit_length() - 1))


def _best(request: CutRequest, pub: Any, number: int) -> Any:
    """The result of one PUB, run in the way that is expected to be over first."""
    checked = _checked(pub, number)
    dreamer = _dreamer(request)
    with _asking:
        found = dreamer.recommend(
            checked.circuit,
            checked.observables,
            checked.parameter_values,
            precision=request.precision,
            on=request.on,
            in_process=False,  # a cell's work is the pilot's
            prefer=request.wishes.prefer,
        )
    lines = found.explain().splitlines()
    for line in lines if len(request.pubs) == 1 else lines[:1]:
        request.say(f"{_prefix(request, number)}{line}")
    return found.run(
        seed=request.seed,
        progress=_told(request),
        stop=request.stop,
        precision=checked.precision or request.precision,
        session=request.session,
        **_of_devices(request),
    )


def _foretell(request: CutRequest, width: int) -> None:
    """Say what the run will take if that is long; whatever is in its way, the run itself will say.

    Only PUBs whose plans take long can take long themselves: predicting all is as quick as that.
    """
    dreamer, total, on = _dreamer(request), 0.0, request.on
    if isinstance(on, list):  # several QPUs are one place for a run, but not for a prediction
        return
    # So they are where one name stands for several.
    with contextlib.suppress(QDreamerError, PlacementError), _asking:
        mode = EXACT if dreamer.place(on).backend is None else SAMPLED
        for number, pub in enumerate(request.pubs):
            asked = _checked(pub, number)
            total += dreamer.predict(
                asked.circuit,
                asked.observables,
                asked.parameter_values,
                max_qubits=min(width, asked.circuit.num_qubits),
                mode=mode.name,
                on=on,
                precision=request.precision or asked.precision or 1 / 64,
            ).makespan_s
    if total > _LONG_S:
        request.say(
            f"This is predicted to take about {seconds_text(total)}; %cancel cancels it, and "
            "--cut auto may find a faster way"
        )


def _checked(pub: Any, number: int) -> EstimatorPub:
    try:
        return EstimatorPub.coerce(with_texts_read(pub))
    except (TypeError, ValueError, TextError) as error:
        raise PubError(f"PUB {number}: {error}") from error


def _dreamer(request: CutRequest) -> QDreamer:
    global _last
    with _asking:
        if _last is None or _last.session is not request.session:
            _last = QDreamer(request.session)
        return _last


def _run(request: CutRequest, width: int) -> Any:
    """The results of all PUBs, in fragments of at most `width` qubits."""
    estimator = CutEstimator(width, **_how(request), progress=_told(request))
    return waited_for(estimator.run(request.pubs, precision=request.precision), request.stop)


def _told(request: CutRequest) -> Progress:
    """Shows how far a run is, and says what was decided on the way."""
    said: set[Decision] = set()

    def progress(report: Report) -> None:
        for decision in report.decisions:
            if decision not in said:
                said.add(decision)
                request.say(decision.reason)
        request.tell(report.done, report.total)

    return progress


def _prefix(request: CutRequest, number: int) -> str:
    return f"PUB {number}: " if len(request.pubs) > 1 else ""


def _done(record: RunRecord) -> str:
    """What was run, in a line."""
    plan = record.plan
    shots = f", {record.shots:,} shots" if record.shots else ""
    how = plan.summary if plan is not None and plan.num_cuts else "not cut"
    return f"{how}; {record.mode}{shots}, {record.makespan_s:.2g} s"
