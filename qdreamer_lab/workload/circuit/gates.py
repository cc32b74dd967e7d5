"""Reading a Qiskit circuit: one- and two-qubit unitaries, and a clear no to everything else.

It must not merge or reorder anything. What an instruction does is said in `unrolling.py`.
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction

from pilot_kernel.primitive.circuit.measured_at_end import measurements_at_end
from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.circuit.unrolling import (
    IDLE,
    has_no_effect,
    leaves,
    matrix_of_leaf,
    matrix_of_leaves,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["FlatGate", "check_is_circuit", "flat_gates", "gate_arrays", "two_qubit_gates"]


class FlatGate(NamedTuple):
    """A one- or two-qubit unitary of the circuit.

    Attributes:
        qubits: The qubits it acts on, least significant first.
        matrix: (2, 2) or (4, 4) complex128, little-endian.
        source: Index of the circuit instruction it came from.
    """

    qubits: tuple[int, ...]
    matrix: NDArray[np.complex128]
    source: int


_flat = partial(tuple.__new__, FlatGate)
"""A `FlatGate` in a third of the time: circuits are read gate by gate."""


def check_is_circuit(circuit: object) -> None:
    """Refuse what is no circuit at all.

    Raises:
        CircuitError: It says what came instead, and what to do about it.
    """
    if isinstance(circuit, QuantumCircuit):
        return
    what = type(circuit).__name__
    if isinstance(circuit, str):
        what += f" {circuit!r:.60}; read a file with QuantumCircuit.from_qasm_file, or a text with "
        what += "qiskit.qasm3.loads"
    elif isinstance(circuit, (list, tuple)):
        what += "; give one circuit at a time"
    raise CircuitError(f"expected a qiskit.QuantumCircuit, got {what}")


def flat_gates(circuit: QuantumCircuit) -> list[FlatGate]:
    """All gates of the circuit, in order, as unitaries on at most two qubits.

    A circuit begins in |0…0⟩: a reset at the start of a wire does nothing, and what is initialized
    there is prepared by gates. Measurements at its end are left out.

    Raises:
        CircuitError: On unbound parameters (named), or an instruction that is no unitary (where).
    """
    if circuit.parameters:
        names = ", ".join(sorted(p.name for p in circuit.parameters))
        raise CircuitError(f"the circuit has unbound parameters: {names}; bind them first")
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    found: list[FlatGate] = []
    touched: set[int] = set()
    at_end = measurements_at_end(circuit)
    looked_at = 0
    for source, instruction in enumerate(circuit.data):
        bits = instruction.qubits
        if instruction.is_standard_gate():
            if len(bits) == 2:
                qubits: tuple[int, ...] = (number[bits[0]], number[bits[1]])
                found.append(_flat((qubits, instruction.matrix, source)))
            elif len(bits) == 1:
                if instruction.name != IDLE:
                    found.append(_flat(((number[bits[0]],), instruction.matrix, source)))
            elif bits:
                qubits = tuple([number[bit] for bit in bits])
                for on, matrix in _standard_parts(_key_of(instruction)):
                    found.append(FlatGate(tuple(qubits[k] for k in on), matrix, source))
        elif source not in at_end and not has_no_effect(instruction):
            touched.update(*[gate.qubits for gate in found[looked_at:]])
            looked_at = len(found)
            qubits = tuple([number[bit] for bit in bits])
            found += _own_gates(instruction, source, qubits, touched)
    return found


def gate_arrays(
    qubits: Sequence[tuple[int, ...]], unitaries: Sequence[NDArray[np.complex128]]
) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """Gates as kernels take them.

    Args:
        qubits: Where each acts.
        unitaries: Of each.

    Returns:
        (m, 2) their qubits, -1 after a single one; and (m, 4, 4) their matrices, of which those of
        one-qubit gates fill the first two rows and columns.
    """
    ends = chain.from_iterable([q if len(q) == 2 else (q[0], -1) for q in qubits])
    places = np.fromiter(ends, np.int64, 2 * len(qubits)).reshape(-1, 2)
    alone = places[:, 1] < 0
    matrices = np.zeros((len(qubits), 4, 4), np.complex128)
    for size, which in ((2, alone), (4, ~alone)):
        stack = b"".join([matrix.tobytes() for matrix in unitaries if len(matrix) == size])
        matrices[which, :size, :size] = np.frombuffer(stack, complex).reshape(-1, size, size)
    return places, matrices


def two_qubit_gates(circuit: QuantumCircuit) -> list[FlatGate]:
    """The two-qubit gates of a circuit as they stand, in order.

    What acts on one qubit may be anything unitary, also with unbound parameters.

    Raises:
        CircuitError: Where a gate acts on more than two qubits, where a two-qubit gate has unbound
            parameters (named), and on instructions that are no unitaries.
    """
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    touched: set[int] = set()
    at_end = measurements_at_end(circuit)
    gates = []
    for source, instruction in enumerate(circuit.data):
        if source in at_end or has_no_effect(instruction):
            continue
        qubits = tuple(number[bit] for bit in instruction.qubits)
        where = _place(instruction, source, qubits)
        parts = list(leaves(instruction, qubits, where, touched))
        if len(qubits) < 2 or not parts:
            continue
        if len(qubits) > 2:
            raise CircuitError(f"{where} acts on more than two qubits; decompose it first")
        free = {p.name for value in instruction.params for p in getattr(value, "parameters", ())}
        if free:
            raise CircuitError(f"{where} has unbound parameters: {', '.join(sorted(free))}")
        matrix = matrix_of_leaves(parts, qubits, where)
        if not np.isfinite(matrix).all():
            raise CircuitError(f"a parameter of {where} is not finite")
        gates.append(FlatGate(qubits, matrix, source))
    return gates


def _own_gates(
    instruction: CircuitInstruction, source: int, qubits: tuple[int, ...], touched: set[int]
) -> Iterator[FlatGate]:
    """An instruction that is no standard gate: one unitary if it is small, else its parts."""
    where = _place(instruction, source, qubits)
    parts = list(leaves(instruction, qubits, where, touched))
    if len(qubits) > 2:
        for part, on in parts:
            if on:
                yield FlatGate(on, matrix_of_leaf(part, where), source)
    elif len(parts) == 1 and parts[0][1] == qubits:
        yield FlatGate(qubits, matrix_of_leaf(parts[0][0], where), source)
    elif any(on for _, on in parts):
        yield FlatGate(qubits, matrix_of_leaves(parts, qubits, where), source)


_Key = tuple[Any, tuple[float, ...]]
"""A standard gate: its class and its parameters."""


def _key_of(instruction: CircuitInstruction) -> _Key:
    base = instruction.operation.base_class
    return base, tuple(float(value) for value in instruction.params)


@lru_cache(maxsize=4096)
def _standard_parts(key: _Key) -> tuple[tuple[tuple[int, ...], NDArray[np.complex128]], ...]:
    """One- and two-qubit gates of a wide standard gate, on its own qubits."""
    kind, params = key
    operation = kind(*params)
    alone = QuantumCircuit(operation.num_qubits)
    qubits = tuple(range(operation.num_qubits))
    instruction = CircuitInstruction(operation, alone.qubits)
    where = _place(instruction, 0, qubits)
    parts = []
    for part, on in leaves(instruction, qubits, where, set()):
        if on:
            matrix = matrix_of_leaf(part, where)
            matrix.setflags(write=False)
            parts.append((on, matrix))
    return tuple(parts)


def _place(instruction: CircuitInstruction, source: int, qubits: tuple[int, ...]) -> str:
    if not qubits:
        return f"instruction {source} ({instruction.name})"
    named = f"qubit{'s' if len(qubits) > 1 else ''} {', '.join(map(str, qubits))}"
    return f"instruction {source} ({instruction.name} on {named})"
