"""What `%%qtask --cut` calls: estimate a cell's PUBs cut, and tell the cell how.

The entry point `qdreamer` of the group `pilot_kernel.cutters`; the widths and modes are decided
elsewhere.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import CellError
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.estimator import CutEstimator

if TYPE_CHECKING:
    from pilot_kernel.jupyter.cutting import CutRequest
    from qdreamer_lab.workload.job import CutJob
    from qdreamer_lab.workload.progress import Report

__all__ = ["cut"]

_POLL_S = 0.1
"""How long a cancelled cell may go unnoticed."""


def cut(request: CutRequest) -> Any:
    """Estimate PUBs with fragments of at most `request.width` qubits.

    Returns:
        Qiskit's `PrimitiveResult`, as `CutEstimator` makes it.

    Raises:
        CellError: if a circuit cannot be cut or run like this; it says why.
        CancelledError: if `request.stop` was set.
    """
    try:
        width = _widest(request) if request.width is None else request.width
        result = _run(request, width)
    except QDreamerError as error:
        # The message says all that can be acted on; a cell shows this kind of error as one line.
        raise CellError(f"--cut: {error}") from error
    for number, one in enumerate(result):
        request.say(f"{_prefix(request, number)}{_done(one.metadata)}")
    return result


def _run(request: CutRequest, width: int) -> Any:
    estimator = CutEstimator(
        width,
        session=request.session,
        on=request.on,
        seed=request.seed,
        progress=lambda report: _tell(request, report),
    )
    return _wait(request, estimator.run(request.pubs, precision=request.precision))


def _widest(request: CutRequest) -> int:
    """The widest fragment that runs there: as many qubits as a device has, or memory holds."""
    backend = request.session.backend(request.on)
    if backend is not None:
        return int(backend.num_qubits)
    pilots = request.session.candidates(request.on)
    free = min(pilot.memory_per_worker_bytes for pilot in pilots)
    return max(1, (free // 64).bit_length() - 1)


def _wait(request: CutRequest, job: CutJob) -> Any:
    while not job.wait(_POLL_S):
        if request.stop.is_set():
            job.cancel()
            raise CancelledError
    return job.result()


def _tell(request: CutRequest, report: Report) -> None:
    request.tell(report.done, report.total)


def _prefix(request: CutRequest, number: int) -> str:
    return f"PUB {number}: " if len(request.pubs) > 1 else ""


def _done(metadata: dict[str, Any]) -> str:
    """What was run, in a line."""
    plan = metadata["plan"]
    seconds = f"{metadata['makespan_s']:.2g} s"
    shots = f", {metadata['shots']:,} shots" if metadata["shots"] else ""
    if plan is None or not plan.num_cuts:
        return f"not cut; {metadata['mode']}{shots}, {seconds}"
    return f"{plan.summary}; {metadata['mode']}{shots}, {seconds}"
