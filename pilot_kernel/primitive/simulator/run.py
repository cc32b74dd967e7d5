"""What runs on a worker: pieces of PUBs, written for simulators, by a state engine or by Aer."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from qiskit.primitives.containers import BitArray, DataBin, PubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.containers.sampler_pub_result import SamplerPubResult
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2

from pilot_kernel.primitive.circuit.idle_qubits import with_registers
from pilot_kernel.primitive.pub.pieces import Piece, join
from pilot_kernel.primitive.pub.shipment import Shipment, unpack
from pilot_kernel.primitive.simulator.expectation import estimate
from pilot_kernel.primitive.simulator.on_engine import run_on_engine
from pilot_kernel.primitive.simulator.parameter_binding import binds_late, bound_circuits
from pilot_kernel.primitive.simulator.prepare import is_mixed
from pilot_kernel.resource.worker_environment import cores

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
    found = run_on_engine(piece, settings.method, settings.device)
    name = "aer"
    if found is None:
        result = _run_on_aer(piece, settings)
    else:
        result, name = found
    result.metadata["simulator"] = name
    return result


def _run_on_aer(piece: Piece, settings: Settings) -> PubResult:
    if isinstance(piece.pub, SamplerPub):
        # Aer loses its way when it leaves out unmeasured qubits that conditions act on (0.18.2).
        # Idle ones are gone already.
        whole = any(getattr(step.operation, "blocks", ()) for step in piece.pub.circuit.data)
        return _sample(piece.pub, _backend(settings, truncated=not whole), piece.seed)
    assert piece.pub is not None
    if settings.method in ("automatic", "statevector") and is_mixed(piece.pub.circuit):
        settings = replace(settings, method="density_matrix")
    return estimate(piece.pub, _backend(settings), piece.seed)


def _sample(pub: SamplerPub, backend: AerSimulator, seed: int | None) -> PubResult:
    registers = pub.circuit.cregs
    if all(register.size for register in registers):
        return _sample_bits(pub, backend, seed)
    # Aer's sampler fails on registers without bits.
    circuit = with_registers(pub.circuit, [register for register in registers if register.size])
    smaller = SamplerPub(circuit, pub.parameter_values, pub.shots)
    result = _sample_bits(smaller, backend, seed)
    nothing = BitArray(np.zeros((*pub.shape, pub.shots, 0), dtype=np.uint8), 0)
    fields = {r.name: result.data[r.name] if r.size else nothing for r in registers}
    return SamplerPubResult(DataBin(**fields, shape=pub.shape), metadata=result.metadata)


def _sample_bits(pub: SamplerPub, backend: AerSimulator, seed: int | None) -> PubResult:
    sampler = SamplerV2.from_backend(backend, seed=seed)
    if pub.shape == () or (pub.circuit.parameters and binds_late(pub.circuit)):
        return sampler.run([pub]).result()[0]
    circuits = bound_circuits(pub.circuit, pub.parameter_values)
    results = list(
        sampler.run([SamplerPub(circuit, shots=pub.shots) for circuit in circuits]).result()
    )
    fields = {
        name: BitArray(
            np.stack([result.data[name].array for result in results]).reshape(
                *pub.shape, *value.array.shape
            ),
            value.num_bits,
        )
        for name, value in results[0].data.items()
    }
    return SamplerPubResult(DataBin(**fields, shape=pub.shape), metadata=results[0].metadata)


@lru_cache(maxsize=8)
def _backend(settings: Settings, *, truncated: bool = True) -> AerSimulator:
    return AerSimulator(
        method=settings.method,
        max_parallel_threads=cores() or 0,
        enable_truncation=truncated,
    )
