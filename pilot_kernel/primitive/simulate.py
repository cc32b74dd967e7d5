"""What runs on a worker: pieces of PUBs through Aer's own primitives."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit, transpile
from qiskit.primitives.containers import PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2, SamplerV2

from pilot_kernel.primitive.observables import in_paulis
from pilot_kernel.primitive.pieces import Piece, join
from pilot_kernel.primitive.shipment import Shipment, unpack
from pilot_kernel.primitive.snapshot import threads

__all__ = ["Settings", "simulate", "simulate_all"]


@dataclass(frozen=True)
class Settings:
    """How to simulate.

    Attributes:
        method: Aer's simulation method.
        device: "CPU" or "GPU".
    """

    method: str = "automatic"
    device: str = "CPU"


def simulate(shipment: Shipment, settings: Settings) -> list[tuple[Piece, PubResult]]:
    """Run pieces, one after the other, each with its own seed."""
    results = (_run(piece, settings) for piece in unpack(shipment))
    return list(zip(shipment.pieces, results, strict=True))


def simulate_all(shipment: Shipment, settings: Settings) -> Any:
    """Run all pieces of some PUBs; returns their `PrimitiveResult`."""
    return join(simulate(shipment, settings))


def _run(piece: Piece, settings: Settings) -> PubResult:
    backend = _backend(settings)
    run_options = {} if piece.seed is None else {"seed_simulator": piece.seed}
    if isinstance(piece.pub, SamplerPub):
        sampler = SamplerV2.from_backend(backend, options={"run_options": run_options})
        return sampler.run([_runnable(piece.pub, settings)]).result()[0]
    estimator = EstimatorV2.from_backend(backend, options={"run_options": run_options})
    return estimator.run([_runnable(piece.pub, settings)]).result()[0]


@lru_cache(maxsize=8)
def _backend(settings: Settings) -> AerSimulator:
    if settings.device != "CPU":
        offered = AerSimulator().available_devices()
        if settings.device not in offered:
            raise RuntimeError(
                f"this worker's Aer has no {settings.device}, only {', '.join(offered)}; install "
                "qiskit-aer-gpu there"
            )
    return AerSimulator(
        method=settings.method, device=settings.device, max_parallel_threads=threads()
    )


def _runnable(pub: Any, settings: Settings) -> Any:
    circuit = _translated(pub.circuit, _backend(settings))
    if isinstance(pub, SamplerPub):
        return (
            pub if circuit is pub.circuit else SamplerPub(circuit, pub.parameter_values, pub.shots)
        )
    paulis = in_paulis(pub.observables)
    if circuit is pub.circuit and paulis is pub.observables:
        return pub
    return EstimatorPub(circuit, paulis, pub.parameter_values, pub.precision)


def _translated(circuit: QuantumCircuit, backend: AerSimulator) -> QuantumCircuit:
    """The circuit in gates that Aer knows; most are already."""
    if set(circuit.count_ops()) <= _known_gates(backend.options.method):
        return circuit
    return transpile(circuit, backend, optimization_level=0)


@lru_cache(maxsize=8)
def _known_gates(method: str) -> frozenset[str]:
    target = AerSimulator(method=method).target
    return frozenset(target.operation_names) | {"barrier", "measure", "reset", "delay"}
