"""What PUBs would take on a QPU: circuits, jobs, shots and seconds, with nothing sent.

PUBs are checked, transpiled and cut into pieces as for a run, so what a run would refuse is refused
here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.device import estimation, sampling
from pilot_kernel.primitive.device.backend import backend_of, parts_per_worker
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.provider.registry import jobs_for
from pilot_kernel.primitive.device.shot_limit import shot_parts
from pilot_kernel.primitive.device.shot_time import pending_jobs, seconds_per_shot
from pilot_kernel.primitive.pub.pieces import chunks, cut, is_empty
from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["DryRun", "circuits_of", "dry_run", "sent_for"]


@dataclass(frozen=True, repr=False)
class DryRun:
    """What PUBs would take on one device; nothing was sent.

    Attributes:
        device: The device.
        circuits: Circuits that would run.
        jobs: Jobs that they would go in.
        shots: Shots of all circuits together.
        qpu_s: Seconds that the device would be at it: gates, readout and the pauses between shots.
            None if its target does not tell how long gates take.
        pending_jobs: Jobs that wait there now, others' included; None if the device does not say.
    """

    device: str
    circuits: int
    jobs: int
    shots: int
    qpu_s: float | None
    pending_jobs: int | None

    def __repr__(self) -> str:
        return f"<DryRun {self}>"

    def __str__(self) -> str:
        seconds = "unknown seconds" if self.qpu_s is None else f"{self.qpu_s:.3g} s"
        queue = "" if self.pending_jobs is None else f"; {self.pending_jobs} jobs wait there now"
        return (
            f"on {self.device}: {self.circuits:,} circuits in {self.jobs:,} jobs, {self.shots:,} "
            f"shots, {seconds} of the QPU{queue}; nothing was sent"
        )


def dry_run(
    session: SessionLike, pubs: Sequence[Any], on: str | None, level: int | None = None
) -> DryRun:
    """Say what checked PUBs would take; a seed, which real devices do not know, changes nothing.

    Args:
        session: The session.
        pubs: `SamplerPub`s or `EstimatorPub`s.
        on: A kind of worker or a pilot's name.
        level: Qiskit's optimization level, 0 to 3; 2 if it is None.

    Raises:
        PlacementError: `on` names nothing that exists, or several QPUs.
        PubError: A PUB cannot run there, or no QPU is meant.
    """
    pilots = session.candidates(on)
    backend = backend_of(pilots)
    if backend is None:
        raise PubError(
            f"on={on!r} means simulators, which cost nothing: name a QPU's pilot, or on='qpu'"
        )
    return sent_for(for_device(pubs, backend, pilots, level), backend, pilots)


def sent_for(written: Sequence[Any], backend: BackendV2, pilots: Sequence[PilotStatus]) -> DryRun:
    """Say what PUBs would take that are written in a device's terms.

    Args:
        written: `SamplerPub`s or `EstimatorPub`s.
        backend: The device.
        pilots: Those that stand for it.
    """
    workers = sum(max(1, pilot.wanted) for pilot in pilots)
    pieces = [piece for piece in cut(written, None) if not is_empty(piece)]
    parts = chunks(pieces, workers, parts_per_worker(backend))
    groups = [[_sized(piece.pub, backend) for piece in part] for part in parts]
    work = [each for group in groups for each in group]
    return DryRun(
        device=backend.name,
        circuits=sum(len(circuits) for circuits, _ in work),
        jobs=sum(_jobs(group, backend) for group in groups),
        shots=sum(len(circuits) * shots for circuits, shots in work),
        qpu_s=_seconds(work, backend),
        pending_jobs=pending_jobs(backend),
    )


def circuits_of(pub: Any, backend: BackendV2) -> list[QuantumCircuit]:
    """The circuits that a PUB in a device's terms would have run there."""
    return _sized(pub, backend)[0]


_Sized = tuple[list[QuantumCircuit], int]
"""Circuits, and the shots of each."""


def _sized(pub: Any, backend: BackendV2) -> _Sized:
    if isinstance(pub, SamplerPub):
        return sampling.circuits_of(pub), pub.shots
    measured = estimation.measured_circuits(pub, backend)
    return [each.circuit for each in measured], estimation.shots_of(pub)


def _jobs(group: Sequence[_Sized], backend: BackendV2) -> int:
    """Jobs of circuits with equal shots."""
    by_shots: dict[int, int] = {}
    for circuits, shots in group:
        by_shots[shots] = by_shots.get(shots, 0) + len(circuits)
    return sum(
        jobs_for(backend, count, part)
        for shots, count in by_shots.items()
        for part in shot_parts(shots, backend)
    )


def _seconds(work: Sequence[_Sized], backend: BackendV2) -> float | None:
    total = 0.0
    for circuits, shots in work:
        for circuit in circuits:
            each = seconds_per_shot(circuit, backend)
            if each is None:
                return None
            total += shots * each
    return total
