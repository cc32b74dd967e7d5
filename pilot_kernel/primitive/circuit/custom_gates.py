"""Gates of one's own written out, so that nothing can take them for built-in ones.

Qiskit's transpiler, targets and Aer know gates by name. A gate is what its definition says: one
called `swap` that does something else must not meet them under that name.
"""

from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    CircuitInstruction,
    ControlFlowOp,
    ControlledGate,
    Gate,
    Instruction,
)
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.transpiler import Target

__all__ = ["UndefinedGateError", "unrolled"]

_GENERIC = (Gate, Instruction, ControlledGate)
_KNOWN = ("qiskit.circuit.", "qiskit_aer.")
"""Where the classes come from that mean what their names say."""


class UndefinedGateError(ValueError):
    """A gate has neither a definition nor a matrix; the argument says which."""


def unrolled(circuit: QuantumCircuit, target: Target | None = None) -> QuantumCircuit:
    """The same circuit in Qiskit's own gates and those of a device.

    Args:
        circuit: Any circuit.
        target: A device's, whose own instructions are left as they are.

    Returns:
        The circuit itself if there is nothing to write out.

    Raises:
        UndefinedGateError: A gate of one's own says nothing of what it does.
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
        return _known(operation.base_op)
    return _known(operation) or _native(operation, target)


def _known(operation: Any) -> bool:
    """Whether it is of a class of Qiskit's or Aer's, under its own name."""
    kind = operation.base_class if isinstance(operation, Instruction) else type(operation)
    if kind in _GENERIC or not str(kind.__module__).startswith(_KNOWN):
        return False
    usual = _standard_kinds().get(operation.name)
    return usual is None or issubclass(kind, usual)


@lru_cache(maxsize=1)
def _standard_kinds() -> dict[str, type]:
    return {name: gate.base_class for name, gate in get_standard_gate_name_mapping().items()}


def _native(operation: Any, target: Target | None) -> bool:
    """Whether it is an instruction of the device, rather than one that is called the same."""
    if target is None or operation.name not in target.operation_names:
        return False
    theirs = target.operation_from_name(operation.name)
    if isinstance(theirs, type) or theirs.base_class is not operation.base_class:
        return False
    return operation.base_class not in _GENERIC or operation.definition == theirs.definition


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
    """What an instruction does, as a circuit without gates of one's own."""
    if operation.definition is not None:
        return unrolled(operation.definition, target)
    try:
        matrix = operation.to_matrix()
    except (QiskitError, AttributeError) as error:
        raise UndefinedGateError(
            f"gate {operation.name!r} has neither a definition nor a matrix, so nobody knows what "
            "it does"
        ) from error
    out = QuantumCircuit(operation.num_qubits)
    out.append(UnitaryGate(matrix), range(operation.num_qubits))
    return out
