"""Reading a Qiskit circuit: one- and two-qubit unitaries, and a clear no to everything else.

The only place that knows Qiskit's instruction types. It must not merge or reorder anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from qdreamer_lab.errors import CircuitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["FlatGate", "flat_gates", "two_qubit_gates"]

_NO_EFFECT = frozenset({"barrier", "delay", "id"})


@dataclass(frozen=True, eq=False, slots=True)
class FlatGate:
    """A one- or two-qubit unitary of the circuit.

    Attributes:
        qubits: the qubits it acts on, least significant first.
        matrix: (2, 2) or (4, 4) complex128, little-endian.
        source: index of the circuit instruction it came from.
    """

    qubits: tuple[int, ...]
    matrix: NDArray[np.complex128]
    source: int


def flat_gates(circuit: QuantumCircuit) -> Iterator[FlatGate]:
    """All gates of the circuit, in order, as unitaries on at most two qubits.

    Raises:
        CircuitError: on unbound parameters (named), or an instruction that is no unitary (where).
    """
    if circuit.parameters:
        names = ", ".join(sorted(p.name for p in circuit.parameters))
        raise CircuitError(f"the circuit has unbound parameters: {names}; bind them first")
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    for source, instruction in enumerate(circuit.data):
        if instruction.name in _NO_EFFECT:
            continue
        qubits = tuple(number[bit] for bit in instruction.qubits)
        if not instruction.is_standard_gate():
            _refuse_classical(instruction, source, qubits)
        if len(qubits) > 2:
            yield from _decomposed(instruction, source, qubits)
        elif qubits:
            matrix = instruction.matrix
            if matrix is None:
                matrix = _matrix_of(instruction, source, qubits)
            yield FlatGate(qubits, matrix, source)


def two_qubit_gates(circuit: QuantumCircuit) -> list[FlatGate]:
    """The two-qubit gates of a circuit as they stand, in order.

    What acts on one qubit may be anything unitary, also with unbound parameters.

    Raises:
        CircuitError: where a gate acts on more than two qubits, where a two-qubit gate has unbound
            parameters (named), and on instructions that are no unitaries.
    """
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    gates = []
    for source, instruction in enumerate(circuit.data):
        if instruction.name in _NO_EFFECT:
            continue
        qubits = tuple(number[bit] for bit in instruction.qubits)
        if not instruction.is_standard_gate():
            _refuse_classical(instruction, source, qubits)
        if len(qubits) < 2:
            continue
        where = f"instruction {source} ({instruction.name} on {_named(qubits)})"
        if len(qubits) > 2:
            raise CircuitError(f"{where} acts on more than two qubits; decompose it first")
        free = {p.name for value in instruction.params for p in getattr(value, "parameters", ())}
        if free:
            raise CircuitError(f"{where} has unbound parameters: {', '.join(sorted(free))}")
        matrix = instruction.matrix
        if matrix is None:
            matrix = _matrix_of(instruction, source, qubits)
        if not np.isfinite(matrix).all():
            raise CircuitError(f"a parameter of {where} is not finite")
        gates.append(FlatGate(qubits, matrix, source))
    return gates


def _refuse_classical(instruction: Any, source: int, qubits: tuple[int, ...]) -> None:
    name = instruction.name
    where = f"instruction {source} ({name} on {_named(qubits)})"
    if name == "measure":
        raise CircuitError(
            f"{where} is a measurement; expectation values are taken at the end of a circuit "
            "without measurements: use circuit.remove_final_measurements(inplace=False)"
        )
    if name in ("reset", "initialize"):
        raise CircuitError(f"{where} resets qubits; only unitary circuits can be cut")
    if instruction.is_control_flow() or instruction.clbits:
        raise CircuitError(f"{where} uses classical control; only unitary circuits can be cut")


def _named(qubits: tuple[int, ...]) -> str:
    return f"qubit{'s' if len(qubits) != 1 else ''} {', '.join(map(str, qubits))}"


def _matrix_of(instruction: Any, source: int, qubits: tuple[int, ...]) -> NDArray[np.complex128]:
    try:
        return np.asarray(Operator(instruction.operation).data, dtype=np.complex128)
    except QiskitError as error:
        raise CircuitError(
            f"instruction {source} ({instruction.name} on {_named(qubits)}) is not a unitary gate; "
            "only unitary circuits can be cut"
        ) from error


def _decomposed(instruction: Any, source: int, qubits: tuple[int, ...]) -> Iterator[FlatGate]:
    """Write one wide gate as one- and two-qubit gates."""
    alone = QuantumCircuit(len(qubits))
    alone.append(instruction.operation, range(len(qubits)))
    try:
        flat = transpile(alone, basis_gates=["u", "cx"], optimization_level=1, seed_transpiler=0)
    except QiskitError as error:
        raise CircuitError(
            f"instruction {source} ({instruction.name} on {_named(qubits)}) cannot be decomposed "
            "into one- and two-qubit gates"
        ) from error
    for inner in flat.data:
        if inner.name in _NO_EFFECT:
            continue
        places = tuple(qubits[flat.find_bit(bit).index] for bit in inner.qubits)
        _refuse_classical(inner, source, places)
        yield FlatGate(places, inner.matrix, source)
