"""What runs on a QPU's worker: pieces of PUBs through Qiskit's primitives for any backend."""

from collections.abc import Sequence
from typing import Any

from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
from qiskit.primitives.containers import PubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from pilot_kernel.errors import PlacementError
from pilot_kernel.primitive.backend import backend_here
from pilot_kernel.primitive.pieces import Piece, join
from pilot_kernel.primitive.shipment import Shipment, unpack

__all__ = ["run_all_on_device", "run_on_device"]


def run_on_device(shipment: Shipment) -> list[tuple[Piece, PubResult]]:
    """Run pieces: in one job, or, if they have seeds, each in a job with its own."""
    pieces = unpack(shipment)
    if all(piece.seed is None for piece in pieces):
        results = _run([piece.pub for piece in pieces], None)
    else:
        results = [_run([piece.pub], piece.seed)[0] for piece in pieces]
    return list(zip(shipment.pieces, results, strict=True))


def run_all_on_device(shipment: Shipment) -> Any:
    """Run all pieces of some PUBs; returns their `PrimitiveResult`."""
    return join(run_on_device(shipment))


def _run(pubs: Sequence[Any], seed: int | None) -> list[PubResult]:
    backend = backend_here()
    if backend is None:
        raise PlacementError("this worker stands for no QPU")
    kind = BackendSamplerV2 if isinstance(pubs[0], SamplerPub) else BackendEstimatorV2
    primitive = kind(backend=backend, options={"seed_simulator": seed})
    return list(primitive.run(list(pubs)).result())
