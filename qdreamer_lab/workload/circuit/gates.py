"""Reading a Qiskit circuit: one- and two-qubit unitaries, and a clear no to everything else.

It must not merge or reorder anything. What an instruction does is said in `unrolling.py`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction

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

__all__ = ["FlatGate", "flat_gates", "gate_arrays", "two_qubit_gates"]


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


def flat_gates(circuit: QuantumCircuit) -> Iterator[FlatGate]:
    """All gates of the circuit, in order, as unitaries on at most two qubits.

    A circuit begins in |0…0⟩: a reset at the start of a wire does nothing, and what is initialized
    there is prepared by gates.

    Raises:
        CircuitError: On unbound parameters (named), or an instruction that is no unitary (where).
    """
    if circuit.parameters:
        names = ", ".join(sorted(p.name for p in circuit.parameters))
        raise CircuitError(f"the circuit has unbound parameters: {names}; bind them first")
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    touched: set[int] = set()
    for source, instruction in enumerate(circuit.data):
        qubits = tuple([number[bit] for bit in instruction.qubits])
        if instruction.is_standard_gate():
            if instruction.name == IDLE:
                continue
            touched.update(qubits)
            if len(qubits) > 2:
                for on, matrix in _standard_parts(_key_of(instruction)):
                    yield FlatGate(tuple(qubits[k] for k in on), matrix, source)
            elif qubits:
                yield FlatGate(qubits, instruction.matrix, source)
        elif not has_no_effect(instruction):
            yield from _own_gates(instruction, source, qubits, touched)


def gate_arrays(
    gates: Sequence[FlatGate],
) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """Gates as kernels take them.

    Returns:
        (m, 2) their qubits, -1 after a single one; and (m, 4, 4) their matrices, of which those of
        one-qubit gates fill the first two rows and columns.
    """
    ends = [(q[0], q[-1]) if len(q) == 2 else (q[0], -1) for q, _, _ in gates]
    flat = chain.from_iterable(ends)
    places = np.fromiter(flat, np.int64, 2 * len(ends)).reshape(-1, 2)
    matrices = np.zeros((len(gates), 4, 4), np.complex128)
    for count, which in ((1, places[:, 1] < 0), (2, places[:, 1] >= 0)):
        stack = b"".join([matrix.tobytes() for q, matrix, _ in gates if len(q) == count])
        size = 1 << count
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
    gates = []
    for source, instruction in enumerate(circuit.data):
        if has_no_effect(instruction):
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
