"""What runs on a QPU's worker: pieces of PUBs, through its provider's primitives or its `run`.

Qiskit's own primitives for any backend fill in zeros for what a device does not return, so without
a provider results are made from shots here.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.primitives.containers import PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from pilot_kernel.errors import PlacementError
from pilot_kernel.primitive.device import estimation, sampling
from pilot_kernel.primitive.device.backend import backend_here
from pilot_kernel.primitive.device.measure import measure
from pilot_kernel.primitive.device.provider.jobs import estimate
from pilot_kernel.primitive.device.provider.registry import held, provider_of
from pilot_kernel.primitive.device.readout import Readout
from pilot_kernel.primitive.pub.pieces import Piece, join
from pilot_kernel.primitive.pub.shipment import Shipment, unpack

__all__ = ["run_all_on_device", "run_on_device", "run_pubs"]


@dataclass(frozen=True, eq=False)
class _Work:
    """A PUB's circuits, and what turns their readouts into a result."""

    circuits: list[QuantumCircuit]
    shots: int
    result: Callable[[list[Readout]], PubResult]


def run_on_device(shipment: Shipment) -> list[tuple[Piece, PubResult]]:
    """Run pieces: in as few jobs as they have numbers of shots, or each with its own seed."""
    backend = backend_here()
    if backend is None:
        raise PlacementError("this worker has no QPU")
    pieces = unpack(shipment)
    with held(backend):
        if all(piece.seed is None for piece in pieces):
            results = run_pubs([piece.pub for piece in pieces], backend)
        else:
            results = [run_pubs([piece.pub], backend, piece.seed)[0] for piece in pieces]
    _tell(shipment.pieces, results)
    return list(zip(shipment.pieces, results, strict=True))


def run_all_on_device(shipment: Shipment) -> Any:
    """Run all pieces of some PUBs; returns their `PrimitiveResult`."""
    return join(run_on_device(shipment))


def run_pubs(pubs: Sequence[Any], backend: BackendV2, seed: int | None = None) -> list[PubResult]:
    """Run PUBs that are written in a backend's terms.

    Args:
        pubs: `SamplerPub`s or `EstimatorPub`s, of one kind.
        backend: Where to run.
        seed: For simulators.

    Raises:
        QpuError: A job was not taken, has failed, or is lost.
        ReadoutError: The backend does not return what was measured.
    """
    provider = provider_of(backend)
    if provider is not None and isinstance(pubs[0], EstimatorPub) and provider.estimator:
        return estimate(provider, backend, pubs, seed)
    memory = isinstance(pubs[0], SamplerPub)
    work = [_sampling(pub, seed or 0) if memory else _estimation(pub, backend) for pub in pubs]
    found: dict[int, PubResult] = {}
    for shots in sorted({each.shots for each in work}):
        mine = [number for number, each in enumerate(work) if each.shots == shots]
        circuits = [circuit for number in mine for circuit in work[number].circuits]
        readouts = iter(measure(backend, circuits, shots, seed=seed, memory=memory))
        for number in mine:
            own = [next(readouts) for _ in work[number].circuits]
            found[number] = work[number].result(own)
    return [found[number] for number in range(len(work))]


def _sampling(pub: Any, seed: int) -> _Work:
    return _Work(
        sampling.circuits_of(pub),
        pub.shots,
        lambda readouts: sampling.result_of(pub, readouts, seed),
    )


def _estimation(pub: Any, backend: BackendV2) -> _Work:
    measured = estimation.measured_circuits(pub, backend)
    return _Work(
        [each.circuit for each in measured],
        estimation.shots_of(pub),
        lambda readouts: estimation.result_of(pub, measured, readouts),
    )


def _tell(pieces: Sequence[Piece], results: Sequence[PubResult]) -> None:
    """Print which precisions were not met; the task's output shows in the notebook."""
    for piece, result in zip(pieces, results, strict=True):
        if result.metadata.get("precision_met", True):
            continue
        asked, worst = result.metadata["target_precision"], float(result.data.stds.max())
        print(
            f"PUB {piece.number}: precision {asked:.3g} was asked for, and the largest standard "
            f"error is {worst:.3g}: a QPU gets {math.ceil(1 / asked**2)} shots of each basis for "
            "it, whatever an observable's coefficients; ask for "
            f"precision={asked * asked / worst:.2g}"
        )
