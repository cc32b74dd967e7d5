"""What an instruction of Qiskit's does: the gates with matrices that it is made of.

What an instruction means is settled by `pilot_kernel.primitive.circuit.gates`: its class says, else
its definition, else its matrix, and never its name. Only Qiskit's own standard gates, which Qiskit
itself tells apart, are taken as they are. Refuses what is no unitary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    CircuitInstruction,
    ControlFlowOp,
    Delay,
    InverseModifier,
    Measure,
    PowerModifier,
    Reset,
)
from qiskit.circuit.controlflow import BoxOp
from qiskit.circuit.exceptions import CircuitError as QiskitCircuitError
from qiskit.circuit.library import GlobalPhaseGate, UnitaryGate
from qiskit.circuit.store import Store
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from pilot_kernel.primitive.circuit.gates import DEEPEST, definition_of, matrix_of
from qdreamer_lab.errors import CircuitError
from qdreamer_lab.kernels.gates.runs import unitarity_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "IDLE",
    "Leaf",
    "has_no_effect",
    "leaves",
    "matrix_of_leaf",
    "matrix_of_leaves",
    "measured_midway",
]

Leaf = tuple[CircuitInstruction, tuple[int, ...]]
"""An instruction with a matrix, and the qubits it acts on: none for a phase, else one or two."""

IDLE = "id"
"""The standard gate that does nothing; of a standard gate the name is Qiskit's own."""

_UNITARY_TOLERANCE = 1e-6


def has_no_effect(instruction: CircuitInstruction) -> bool:
    """Whether an instruction leaves every state as it is: barriers, delays and Qiskit's `id`."""
    if instruction.is_standard_gate():
        return bool(instruction.name == IDLE)
    try:
        operation = instruction.operation
    except QiskitCircuitError:
        # Qiskit makes its own delay anew, and refuses lengths that binding let through. A user's
        # gate is there already.
        if instruction.name == "delay":
            return True
        raise
    return isinstance(operation, (Barrier, Delay))


def leaves(
    instruction: CircuitInstruction,
    qubits: tuple[int, ...],
    where: str,
    touched: set[int],
    depth: int = 0,
) -> Iterator[Leaf]:
    """Take an instruction apart into gates on at most two qubits, and phases.

    Args:
        instruction: What to take apart; it may have unbound parameters.
        qubits: The qubits of the circuit that it acts on.
        where: Its place in words, for errors.
        touched: Qubits that are in |0⟩ no longer; qubits of gates are added.
        depth: Definitions around it.

    Raises:
        CircuitError: If it is, or holds, something that is no unitary.
    """
    if has_no_effect(instruction):
        return
    if instruction.is_standard_gate() and len(qubits) <= 2:
        touched.update(qubits)
        yield instruction, qubits
        return
    operation = instruction.operation
    if isinstance(operation, UnitaryGate) and len(qubits) <= 2:
        touched.update(qubits)
        yield instruction, qubits
        return
    if isinstance(operation, Reset):
        if not touched.isdisjoint(qubits):
            raise CircuitError(
                f"{where} resets a qubit that gates have acted on; only unitary circuits can be "
                "cut (at the start of a wire, reset and initialize are fine)"
            )
        return
    _refuse_classical(operation, where, depth)
    if depth > DEEPEST:
        raise CircuitError(f"the definition of {where} is nested more than {DEEPEST} deep")
    parts = _definition(operation, where)
    if parts is None:
        gate = _by_matrix(operation, where)
        if len(qubits) <= 2:
            touched.update(qubits)
            yield CircuitInstruction(gate, instruction.qubits), qubits
            return
        parts = gate.definition
    if parts.global_phase:
        yield CircuitInstruction(GlobalPhaseGate(parts.global_phase), ()), ()
    number = dict(zip(parts.qubits, qubits, strict=True))
    for part in parts.data:
        inside = tuple(number[bit] for bit in part.qubits)
        yield from leaves(part, inside, where, touched, depth + 1)


def measured_midway(where: str, *, inside: bool = False) -> str:
    """What is wrong with a measurement that is not at a circuit's end, in words.

    Args:
        where: The instruction's place in words.
        inside: Whether the measurement is within its definition.
    """
    what = "holds a measurement"
    if not inside:
        what = "is a mid-circuit measurement: something acts on its qubit later, or reads its bit"
    return (
        f"{where} {what}. Only circuits that measure at their end can be cut; run this one uncut, "
        "with session.run"
    )


def matrix_of_leaves(
    parts: list[Leaf], qubits: tuple[int, ...], where: str
) -> NDArray[np.complex128]:
    """The product of gates on at most two qubits, phases included.

    Args:
        parts: In order.
        qubits: The one or two qubits, least significant first.
        where: Their place in words, for errors.

    Returns:
        (2, 2) or (4, 4) complex128, little-endian.
    """
    product = np.eye(1 << len(qubits), dtype=np.complex128)
    for part, on in parts:
        matrix = matrix_of_leaf(part, where)
        if not on:
            product = matrix[0, 0] * product
        elif len(on) == len(qubits):
            product = (matrix if on == qubits else _swapped(matrix)) @ product
        else:
            low = on[0] == qubits[0]
            product = (np.kron(np.eye(2), matrix) if low else np.kron(matrix, np.eye(2))) @ product
    return product


def matrix_of_leaf(instruction: CircuitInstruction, where: str) -> NDArray[np.complex128]:
    """The matrix of a gate, little-endian.

    Raises:
        CircuitError: If it has unbound parameters, or is no unitary.
    """
    matrix = instruction.matrix
    if matrix is None:
        raise CircuitError(
            f"{where} holds a gate without a matrix ({instruction.name}): it has unbound "
            "parameters, or neither a definition nor a matrix"
        )
    if instruction.is_standard_gate():
        return np.asarray(matrix, dtype=np.complex128)
    found: NDArray[np.complex128] = np.array(matrix, dtype=np.complex128, order="C")
    if unitarity_gap(found) > _UNITARY_TOLERANCE:  # what is not finite is refused by others
        raise CircuitError(
            f"the matrix of {where} is not unitary; only unitary circuits can be cut"
        )
    return found


def _refuse_classical(operation: Any, where: str, depth: int) -> None:
    """Refuse measurements and what depends on classical values."""
    if isinstance(operation, Measure):
        raise CircuitError(measured_midway(where, inside=depth > 0))
    classical = isinstance(operation, ControlFlowOp) and not isinstance(operation, BoxOp)
    if classical or isinstance(operation, Store):
        verb = "holds" if depth else "uses"
        raise CircuitError(f"{where} {verb} classical control; only unitary circuits can be cut")


def _definition(operation: Any, where: str) -> QuantumCircuit | None:
    """The circuit that an operation stands for; None if it has only a matrix."""
    if isinstance(operation, AnnotatedOperation):
        return _written_out(operation, where)
    try:
        return definition_of(operation)
    except (QiskitError, TypeError) as error:  # TypeError: of a parameter that is no number yet
        raise CircuitError(f"{where} cannot be decomposed: {error}") from error


def _written_out(operation: AnnotatedOperation, where: str) -> QuantumCircuit:
    """A circuit for an operation with modifiers.

    Qiskit's `control` goes through definitions by name, so it gets nothing but leaves.
    """
    circuit = _flat(operation.base_op, where)
    for modifier in operation.modifiers:
        if isinstance(modifier, InverseModifier):
            circuit = circuit.inverse()
        elif isinstance(modifier, PowerModifier):
            circuit = _power(circuit, modifier.power)
        else:
            gate = circuit.to_gate().control(
                modifier.num_ctrl_qubits, ctrl_state=modifier.ctrl_state, annotated=False
            )
            circuit = _flat(gate, where)
    return circuit


def _flat(operation: Any, where: str) -> QuantumCircuit:
    """An operation as a circuit of leaves."""
    circuit = QuantumCircuit(operation.num_qubits, name="part")
    whole = CircuitInstruction(operation, circuit.qubits)
    everything = set(range(circuit.num_qubits))  # a reset is none of the operations to modify
    for part, on in leaves(whole, tuple(range(circuit.num_qubits)), where, everything, 1):
        if on:
            circuit.append(part.operation, on)
        else:
            circuit.global_phase += part.operation.params[0]
    return circuit


def _power(circuit: QuantumCircuit, exponent: float) -> QuantumCircuit:
    if float(exponent).is_integer():
        base = circuit if exponent >= 0 else circuit.inverse()
        repeated = QuantumCircuit(circuit.num_qubits, name="part")
        for _ in range(abs(int(exponent))):
            repeated.compose(base, inplace=True)
        return repeated
    root = QuantumCircuit(circuit.num_qubits, name="part")
    root.append(UnitaryGate(Operator(circuit).power(exponent)), root.qubits)
    return root


def _by_matrix(operation: Any, where: str) -> UnitaryGate:
    """An operation that has a matrix and no definition."""
    matrix = matrix_of(operation)
    if matrix is None:
        raise CircuitError(
            f"{where} is not a unitary gate: it has neither a definition nor a matrix; only "
            "unitary circuits can be cut"
        )
    if matrix.shape != (1 << operation.num_qubits,) * 2:
        raise CircuitError(f"the matrix of {where} has the shape {matrix.shape}")
    return UnitaryGate(matrix, check_input=False)


def _swapped(matrix: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """A two-qubit gate with its qubits in the other order."""
    order = [0, 2, 1, 3]
    return matrix[order][:, order]
