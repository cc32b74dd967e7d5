"""Custom gates replaced by their definitions, so that nothing can take them for built-in gates.

Qiskit's transpiler, targets and Aer know gates by name. A gate is what its definition says: one
called `swap` that does something else must not meet them under that name.
"""

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, CircuitInstruction, ControlFlowOp
from qiskit.circuit.library import UnitaryGate
from qiskit.transpiler import Target

from pilot_kernel.primitive.circuit.gates import (
    GENERIC,
    UndefinedGateError,
    definition_of,
    is_built_in,
    kind_of,
    matrix_of,
)

__all__ = ["unrolled"]


def unrolled(circuit: QuantumCircuit, target: Target | None = None) -> QuantumCircuit:
    """The same circuit in built-in gates and those of a device.

    Args:
        circuit: Any circuit.
        target: The device, whose own instructions are left as they are.

    Returns:
        The circuit itself if it has no custom gates.

    Raises:
        UndefinedGateError: A gate has neither a definition nor a matrix.
    """
    if all(_stays(step, target) for step in circuit.data):
        return circuit
    out = circuit.copy_empty_like()
    for step in circuit.data:
        _append(out, step, target)
    return out


def _stays(step: CircuitInstruction, target: Target | None) -> bool:
    if step.is_standard_gate():
        return True
    operation = step.operation
    if isinstance(operation, ControlFlowOp):
        return all(unrolled(block, target) is block for block in operation.blocks)
    if isinstance(operation, AnnotatedOperation):
        return is_built_in(operation.base_op)
    return is_built_in(operation) or _native(operation, target)


def _native(operation: Any, target: Target | None) -> bool:
    """Whether it is the device's own instruction, and not just called the same."""
    if target is None or operation.name not in target.operation_names:
        return False
    theirs = target.operation_from_name(operation.name)
    if isinstance(theirs, type) or kind_of(theirs) is not kind_of(operation):
        return False
    return kind_of(operation) not in GENERIC or operation.definition == theirs.definition


def _append(out: QuantumCircuit, step: CircuitInstruction, target: Target | None) -> None:
    operation = step.operation
    if _stays(step, target):
        out._append(step)
    elif isinstance(operation, ControlFlowOp):
        blocks = [unrolled(block, target) for block in operation.blocks]
        out._append(step.replace(operation=operation.replace_blocks(blocks)))
    elif isinstance(operation, AnnotatedOperation):
        base = _definition(operation.base_op, target).to_gate()  # to a name of Qiskit's choice
        out._append(step.replace(operation=AnnotatedOperation(base, operation.modifiers)))
    else:
        inner = _definition(operation, target)
        out.compose(inner, step.qubits, step.clbits, inplace=True, copy=False)


def _definition(operation: Any, target: Target | None) -> QuantumCircuit:
    """What an instruction does, as a circuit without custom gates."""
    inner = definition_of(operation)
    if inner is not None:
        return unrolled(inner, target)
    matrix = matrix_of(operation)
    if matrix is None:
        raise UndefinedGateError(
            f"gate {operation.name!r} has neither a definition nor a matrix, so nobody knows what "
            "it does"
        )
    out = QuantumCircuit(operation.num_qubits)
    out.append(UnitaryGate(matrix), range(operation.num_qubits))
    return out
