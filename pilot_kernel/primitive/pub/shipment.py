"""Pieces packed for the way to a worker: each circuit once, in Qiskit's binary format if possible.

Pickling a narrow circuit takes longer than simulating it; QPY is several times faster.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Barrier, Delay, Measure, Reset
from qiskit.circuit.library import UnitaryGate
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from pilot_kernel.primitive.circuit.gates import kind_of, standard_name
from pilot_kernel.primitive.pub.pieces import Piece

__all__ = ["Shipment", "pack", "unpack"]

_PLAIN = frozenset({Barrier, Delay, Measure, Reset, UnitaryGate})


@dataclass(frozen=True)
class Shipment:
    """Pieces whose circuits travel apart from them.

    Attributes:
        circuits: The circuits, in QPY if all of them are plain.
        pieces: The pieces without their PUBs.
        parts: For each piece, which circuit it has, and what else its PUB is made of.
    """

    circuits: bytes | list[QuantumCircuit]
    pieces: list[Piece]
    parts: list[tuple[int, tuple[Any, ...]]]


def pack(pieces: Sequence[Piece]) -> Shipment:
    """Prepare pieces for the journey."""
    numbers: dict[int, int] = {}
    circuits: list[QuantumCircuit] = []
    parts = []
    for piece in pieces:
        pub: Any = piece.pub
        if id(pub.circuit) not in numbers:
            numbers[id(pub.circuit)] = len(circuits)
            circuits.append(pub.circuit)
        sampled = isinstance(pub, SamplerPub)
        rest = (pub.parameter_values, pub.shots) if sampled else _estimator_rest(pub)
        parts.append((numbers[id(pub.circuit)], rest))
    bare = [replace(piece, pub=None) for piece in pieces]
    plain = all(_plain(circuit) for circuit in circuits)
    return Shipment(_in_qpy(circuits) if plain else circuits, bare, parts)


def unpack(shipment: Shipment) -> list[Piece]:
    """The pieces as they were packed."""
    circuits = shipment.circuits
    if isinstance(circuits, bytes):
        circuits = qpy.load(io.BytesIO(circuits))
    return [
        replace(piece, pub=_pub(circuits[number], rest))
        for piece, (number, rest) in zip(shipment.pieces, shipment.parts, strict=True)
    ]


def _estimator_rest(pub: EstimatorPub) -> tuple[Any, ...]:
    return pub.observables, pub.parameter_values, pub.precision


def _pub(circuit: QuantumCircuit, rest: tuple[Any, ...]) -> SamplerPub | EstimatorPub:
    kind = SamplerPub if len(rest) == 2 else EstimatorPub
    return kind(circuit, *rest, validate=False)


def _plain(circuit: QuantumCircuit) -> bool:
    """Whether QPY is sure to bring the circuit back: gates of Qiskit's own, and no metadata."""
    return not circuit.metadata and all(
        standard_name(step.operation) is not None or kind_of(step.operation) in _PLAIN
        for step in circuit.data
    )


def _in_qpy(circuits: list[QuantumCircuit]) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuits, file)
    return file.getvalue()
