"""Circuits through any backend's `run`, and what came back, checked and as plain arrays.

Backends answer in several ways: the memory of all shots or counts alone, in hexadecimal, in bits,
with or without spaces between registers, or not at all. What is missing, short or contradicts the
circuit is a `ReadoutError`, never a zero.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from pilot_kernel.errors import ReadoutError

__all__ = ["SEED_STEP", "Readout", "read_out"]

SEED_STEP = 2113
"""What Aer adds to the seed of a job for each of its circuits."""


@dataclass(frozen=True, eq=False)
class Readout:
    """What was measured on one circuit.

    Attributes:
        bits: (outcomes, classical bits of the circuit), in the circuit's order of bits.
        counts: (outcomes,) how often each was seen.
        in_order: Whether there is one outcome per shot, in the order of the shots.
    """

    bits: NDArray[np.bool_]
    counts: NDArray[np.int64]
    in_order: bool

    @property
    def shots(self) -> int:
        """How many shots came back."""
        return int(self.counts.sum())

    def shot_by_shot(self, seed: Sequence[int]) -> NDArray[np.bool_]:
        """(shots, bits): every shot.

        Counts do not tell the order of the shots; they are shuffled, so that a part of them is a
        fair sample too.

        Args:
            seed: Of the shuffling.
        """
        if self.in_order:
            return self.bits
        rows = np.repeat(np.arange(len(self.counts)), self.counts)
        shuffled: NDArray[np.bool_] = self.bits[np.random.default_rng(seed).permutation(rows)]
        return shuffled


def read_out(
    backend: BackendV2,
    circuits: Sequence[QuantumCircuit],
    shots: int,
    *,
    seed: int | None = None,
    memory: bool = True,
) -> list[Readout]:
    """Run circuits, in as few jobs as the backend takes, and read what came back.

    Args:
        backend: Where to run.
        circuits: In the backend's terms, with all parameters bound.
        shots: Of each circuit.
        seed: For simulators; the k-th circuit has `seed + SEED_STEP * k` on Aer, whatever the
            number of jobs.
        memory: Ask for the order of the shots.

    Raises:
        ReadoutError: A result is missing, empty, or not one of the circuit's.
    """
    most = backend.max_circuits or max(1, len(circuits))
    jobs = []
    for start in range(0, len(circuits), most):
        options = {"shots": shots, "memory": memory}
        if seed is not None:
            options["seed_simulator"] = seed + SEED_STEP * start
        job = list(circuits[start : start + most])
        jobs.append((job, backend.run(job, **_accepted(backend, options))))
    return [
        readout
        for job, handle in jobs
        for readout in _read_job(backend.name, job, handle.result(), memory)
    ]


def _accepted(backend: BackendV2, options: dict[str, Any]) -> dict[str, Any]:
    """Those options that the signature of `run` has room for; shots are never left out."""
    try:
        signature = inspect.signature(backend.run).parameters.values()
    except (TypeError, ValueError):  # not written in Python
        return options
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature):
        return options
    known = {"shots", *(parameter.name for parameter in signature)}
    return {key: value for key, value in options.items() if key in known}


def _read_job(
    device: str, circuits: Sequence[QuantumCircuit], result: Any, memory: bool
) -> Iterable[Readout]:
    found = list(getattr(result, "results", ()))
    if len(found) != len(circuits):
        why = "" if getattr(result, "success", True) else f": {getattr(result, 'status', '')}"
        raise ReadoutError(
            f"device {device}: a job of {len(circuits)} circuits brought {len(found)} results{why}"
        )
    for number, (circuit, experiment) in enumerate(zip(circuits, found, strict=True)):
        try:
            yield _read(circuit, experiment, memory)
        except _UnusableError as error:
            raise ReadoutError(
                f"device {device}: the result of circuit {number} of its job cannot be used: "
                f"{error}"
            ) from error


class _UnusableError(Exception):
    """Why a result is not taken."""


def _read(circuit: QuantumCircuit, experiment: Any, memory: bool) -> Readout:
    if not getattr(experiment, "success", True):
        raise _UnusableError(f"it failed: {getattr(experiment, 'status', 'no reason is given')}")
    counts, shots = _field(experiment, "counts"), _field(experiment, "memory")
    if memory and shots is not None and len(shots):
        return _from_memory(circuit, shots, counts)
    if counts:
        return _from_counts(circuit, counts)
    if not _measures(circuit):
        return _from_counts(circuit, {0: int(experiment.shots)})
    raise _UnusableError(
        "there are neither counts nor shots in it, though the circuit measures; the backend's "
        "run() must return counts or, for memory=True, memory"
    )


def _field(experiment: Any, name: str) -> Any:
    data = experiment.data
    return data.get(name) if isinstance(data, Mapping) else getattr(data, name, None)


def _from_memory(circuit: QuantumCircuit, shots: Sequence[Any], counts: Any) -> Readout:
    total = sum(map(_count, counts.values())) if counts else len(shots)
    if total != len(shots):
        raise _UnusableError(f"its memory has {len(shots)} shots and its counts {total}")
    place: dict[Any, int] = {}
    rows = np.array([place.setdefault(shot, len(place)) for shot in shots])
    bits = _bits(circuit, list(place))
    return Readout(bits[rows], np.ones(len(rows), dtype=np.int64), in_order=True)


def _from_counts(circuit: QuantumCircuit, counts: Mapping[Any, Any]) -> Readout:
    numbers = np.array([_count(value) for value in counts.values()], dtype=np.int64)
    if not numbers.sum():
        raise _UnusableError("its counts add up to no shot at all")
    return Readout(_bits(circuit, list(counts)), numbers, in_order=False)


def _count(value: Any) -> int:
    if isinstance(value, bool) or value != value or value < 0 or int(value) != value:
        raise _UnusableError(f"a count is {value!r}, which is no whole number of shots")
    return int(value)


def _bits(circuit: QuantumCircuit, outcomes: Sequence[Any]) -> NDArray[np.bool_]:
    width = circuit.num_clbits
    values = [_value(outcome, circuit) for outcome in outcomes]
    for outcome, value in zip(outcomes, values, strict=True):
        if value >> width:
            raise _UnusableError(
                f"outcome {outcome!r} has more bits than the circuit, which has {width}"
            )
    size = -(-width // 8)
    data = b"".join(value.to_bytes(size, "little") for value in values)
    packed = np.frombuffer(data, dtype=np.uint8).reshape(len(values), size)
    return np.unpackbits(packed, axis=1, count=width, bitorder="little").astype(bool)


def _value(outcome: Any, circuit: QuantumCircuit) -> int:
    """The classical bits of a circuit as a number, its first bit being the lowest."""
    if isinstance(outcome, (int, np.integer)) and outcome >= 0:
        return int(outcome)
    text = outcome.strip() if isinstance(outcome, str) else ""
    try:
        if text[:2].lower() in ("0x", "0b"):
            return int(text, 0)
        chunks = text.replace("_", " ").split()
        sizes = [len(chunk) for chunk in chunks]
        if sum(sizes) != circuit.num_clbits or (len(sizes) > 1 and sizes != _registers(circuit)):
            raise _UnusableError(
                f"outcome {outcome!r} does not have the circuit's {circuit.num_clbits} bits in "
                f"registers of {_registers(circuit)} (the last comes first)"
            )
        return int("".join(chunks), 2)
    except ValueError as error:
        raise _UnusableError(f"outcome {outcome!r} is neither hexadecimal nor bits") from error


def _registers(circuit: QuantumCircuit) -> list[int]:
    """Sizes of the registers as results show them, if they hold each bit once and in order."""
    held = [bit for register in circuit.cregs for bit in register]
    if held != list(circuit.clbits):
        return [circuit.num_clbits]
    return [register.size for register in reversed(circuit.cregs) if register.size]


def _measures(circuit: QuantumCircuit) -> bool:
    """Whether anything is measured; in a backend's terms, where names count."""
    for step in circuit.data:
        operation = step.operation
        if operation.name == "measure" and step.clbits:
            return True
        inner = getattr(operation, "blocks", ()) or (
            [operation.definition] if step.clbits and getattr(operation, "definition", None) else []
        )
        if any(map(_measures, inner)):
            return True
    return False
