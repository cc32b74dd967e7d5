"""PUBs cut into pieces of work, and their results joined: arithmetic on shapes.

How a PUB is cut depends on the PUB alone, never on the workers, so that a seed gives the same
result on any pilot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import BitArray, DataBin, PrimitiveResult, PubResult
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.containers.sampler_pub_result import SamplerPubResult

from pilot_kernel.primitive.circuit.idle_qubits import qubits_in_use

__all__ = ["Piece", "chunks", "cut", "empty_result", "is_empty", "join"]

_LARGEST = 256
_AMPLITUDES = 2**20


@dataclass(frozen=True)
class Piece:
    """Part of a PUB, or all of it.

    Attributes:
        pub: A PUB of its own; None once it has been run.
        number: Which PUB it is part of.
        shape: That PUB's shape.
        places: Where its values go in the flattened PUB; None if it is all of it.
        seed: Seed of its random numbers.
        weight: Estimate of its work, in amplitude updates.
    """

    pub: SamplerPub | EstimatorPub | None
    number: int
    shape: tuple[int, ...]
    places: Any
    seed: int | None
    weight: float


def cut(pubs: Sequence[SamplerPub | EstimatorPub], seed: int | None) -> list[Piece]:
    """Cut long parameter sweeps, so that several workers can share one."""
    return [piece for number, pub in enumerate(pubs) for piece in _cut(pub, number, seed)]


def is_empty(piece: Piece) -> bool:
    """Whether there is nothing to run: a sweep of no points, or no observables."""
    return 0 in piece.shape


def empty_result(piece: Piece) -> PubResult:
    """The result of an empty piece."""
    pub: Any = piece.pub
    metadata = {"circuit_metadata": pub.circuit.metadata}
    if isinstance(pub, SamplerPub):
        fields = {
            register.name: BitArray(
                np.zeros((*pub.shape, pub.shots, -(-register.size // 8)), dtype=np.uint8),
                register.size,
            )
            for register in pub.circuit.cregs
        }
        data = DataBin(**fields, shape=pub.shape)
        return SamplerPubResult(data, metadata={"shots": pub.shots, **metadata})
    data = DataBin(evs=np.zeros(pub.shape), stds=np.zeros(pub.shape), shape=pub.shape)
    return PubResult(data, metadata={"target_precision": pub.precision, **metadata})


def _cut(pub: Any, number: int, seed: int | None) -> list[Piece]:
    sets = pub.parameter_values.size
    wide = _width(pub.circuit)
    size = int(np.clip(_AMPLITUDES >> wide, 1, _LARGEST))
    per_set = float(2**wide) * max(1, pub.circuit.size())
    whole = Piece(
        pub=pub,
        number=number,
        shape=pub.shape,
        places=None,
        seed=_seed(seed, number, 0),
        weight=per_set * sets,
    )
    if sets <= size or 0 in pub.shape:
        return [whole]
    slices = [np.arange(at, min(at + size, sets)) for at in range(0, sets, size)]
    part = _sampler_part if isinstance(pub, SamplerPub) else _estimator_part
    pieces = []
    for index, rows in enumerate(slices):
        smaller, places = part(pub, rows)
        own = _seed(seed, number, index)
        weight = per_set * len(rows)
        pieces.append(replace(whole, pub=smaller, places=places, seed=own, weight=weight))
    return pieces


def _width(circuit: QuantumCircuit) -> int:
    """Its qubits, or, if it was laid out on a device, those of the device that it uses."""
    return circuit.num_qubits if circuit.layout is None else len(qubits_in_use(circuit))


def _seed(seed: int | None, number: int, index: int) -> int | None:
    if seed is None:
        return None
    return int(np.random.SeedSequence([seed, number, index]).generate_state(1)[0] >> 1)


def _rows(pub: Any, rows: Any) -> tuple[Any, tuple[Any, ...]]:
    parameters = tuple(pub.circuit.parameters)
    sets = pub.parameter_values
    values = sets.as_array(parameters).reshape(sets.size, len(parameters))
    return values[rows], parameters


def _sampler_part(pub: SamplerPub, rows: Any) -> tuple[SamplerPub, Any]:
    values, parameters = _rows(pub, rows)
    return SamplerPub(pub.circuit, BindingsArray({parameters: values}), pub.shots), rows


def _estimator_part(pub: EstimatorPub, rows: Any) -> tuple[EstimatorPub, Any]:
    values, parameters = _rows(pub, rows)
    # Broadcasting pairs every parameter set with the same number of observables; group by set.
    sets = np.arange(pub.parameter_values.size).reshape(pub.parameter_values.shape)
    sets, observables = np.broadcast_arrays(sets, pub.observables.sparse_observables_array())
    order = np.argsort(sets.ravel(), kind="stable").reshape(pub.parameter_values.size, -1)
    places = order[rows]
    smaller = EstimatorPub(
        pub.circuit,
        ObservablesArray(observables.ravel()[places], validate=False),
        BindingsArray({parameters: values[:, None, :]}),
        pub.precision,
    )
    return smaller, places.ravel()


def chunks(pieces: Sequence[Piece], workers: int, per_worker: int = 4) -> list[list[Piece]]:
    """Group pieces, in order, into at most `workers * per_worker` runs of like weight."""
    if not pieces:
        return []
    wanted = max(1, min(len(pieces), workers * per_worker))
    ends = np.cumsum([piece.weight for piece in pieces])
    middles = ends - np.asarray([piece.weight for piece in pieces]) / 2
    labels = np.minimum((middles / ends[-1] * wanted).astype(int), wanted - 1)
    return [
        [piece for piece, label in zip(pieces, labels, strict=True) if label == group]
        for group in np.unique(labels)
    ]


def join(results: Sequence[tuple[Piece, PubResult]]) -> PrimitiveResult[Any]:
    """Put the results of all pieces together, PUB by PUB."""
    by_pub: dict[int, list[tuple[Piece, PubResult]]] = {}
    for piece, result in results:
        by_pub.setdefault(piece.number, []).append((piece, result))
    joined = [_join(by_pub[number]) for number in sorted(by_pub)]
    return PrimitiveResult(joined, metadata={"version": 2})


def _join(parts: list[tuple[Piece, PubResult]]) -> PubResult:
    first, result = parts[0]
    if first.places is None:
        return result
    shape = first.shape
    fields: dict[str, Any] = {}
    for name, value in result.data.items():
        arrays = [_array(part.data[name]) for _, part in parts]
        flat = np.empty((int(np.prod(shape)), *_rest(arrays[0], value)), arrays[0].dtype)
        for (piece, _), array in zip(parts, arrays, strict=True):
            flat[piece.places] = array.reshape(len(piece.places), *flat.shape[1:])
        whole = flat.reshape(*shape, *flat.shape[1:])
        fields[name] = BitArray(whole, value.num_bits) if isinstance(value, BitArray) else whole
    kind = SamplerPubResult if isinstance(result, SamplerPubResult) else PubResult
    return kind(DataBin(**fields, shape=shape), metadata=result.metadata)


def _array(value: Any) -> Any:
    return value.array if isinstance(value, BitArray) else np.asarray(value)


def _rest(array: Any, value: Any) -> tuple[int, ...]:
    """The axes that belong to one value: shots and bytes of a bit array, none of a number."""
    return tuple(array.shape[-2:]) if isinstance(value, BitArray) else ()
