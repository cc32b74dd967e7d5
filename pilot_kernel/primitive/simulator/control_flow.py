"""Control flow rewritten for Aer: on the bits of the whole circuit, and without what is known.

Loops over known values are unrolled, boxes opened, and a switch becomes a chain of `if_test`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from qiskit.circuit import (
    CASE_DEFAULT,
    BoxOp,
    BreakLoopOp,
    ClassicalRegister,
    Clbit,
    ContinueLoopOp,
    ForLoopOp,
    IfElseOp,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr

from pilot_kernel.primitive.circuit.conditions import evaluable, no_variables
from pilot_kernel.primitive.circuit.gates import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qiskit import QuantumCircuit
    from qiskit.circuit import Qubit

    from pilot_kernel.errors import PubError

__all__ = ["Writer", "is_flow", "write_flow"]


class Writer(Protocol):
    """What writes circuits in known gates, bodies of control flow among them.

    Attributes:
        out: What is written.
        read: Classical bits that control flow looks at.
        loops: Parameters of the loops around what is being written.
    """

    out: QuantumCircuit
    read: set[Clbit]
    loops: list[Any]

    def write(
        self, circuit: QuantumCircuit, qubits: Sequence[Qubit], clbits: Sequence[Clbit]
    ) -> None:
        """Write all of a circuit where its bits are."""
        ...

    def complaint(self, text: str) -> PubError:
        """An error about this PUB."""
        ...


def is_flow(operation: Any) -> bool:
    """Whether an operation is control flow."""
    return kind_of(operation) in _WRITERS


def write_flow(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    """Write a step of control flow.

    Args:
        writer: Writes the bodies.
        step: The instruction.
        at: Where the bits around it are.
    """
    _WRITERS[kind_of(step.operation)](writer, step, at)


def _body(writer: Writer, body: QuantumCircuit, step: Any, at: Mapping[Any, Any]) -> None:
    writer.write(body, [at[q] for q in step.qubits], [at[c] for c in step.clbits])


def _write_box(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    _body(writer, step.operation.body, step, at)


def _write_if(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    condition = _condition(writer, step.operation.condition, at)
    then, *rest = step.operation.blocks
    with writer.out.if_test(condition) as otherwise:
        _body(writer, then, step, at)
    if rest:
        with otherwise:
            _body(writer, rest[0], step, at)


def _write_switch(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    cases = [(label, body) for labels, body in step.operation.cases_specifier() for label in labels]
    _write_cases(writer, cases, step, at)


def _write_cases(
    writer: Writer, cases: Sequence[tuple[Any, QuantumCircuit]], step: Any, at: Mapping[Any, Any]
) -> None:
    if not cases:
        return
    (label, body), *rest = cases
    if label is CASE_DEFAULT:
        _body(writer, body, step, at)
        return
    target = step.operation.target
    test = expr.equal(target, label) if isinstance(target, expr.Expr) else (target, int(label))
    with writer.out.if_test(_condition(writer, test, at)) as otherwise:
        _body(writer, body, step, at)
    if rest:
        with otherwise:
            _write_cases(writer, rest, step, at)


def _write_while(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    with writer.out.while_loop(_condition(writer, step.operation.condition, at)):
        _body(writer, step.operation.blocks[0], step, at)


def _write_for(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    values, parameter, body = step.operation.params
    if not _may_leave(body):
        for value in values:
            bound = body
            if parameter is not None:
                bound = body.assign_parameters({parameter: value}, strict=False)
            _body(writer, bound, step, at)
        return
    with writer.out.for_loop(values, parameter):
        writer.loops.append(parameter)
        _body(writer, body, step, at)
        writer.loops.pop()


def _may_leave(body: QuantumCircuit) -> bool:
    """Whether a loop's body may break off, or go on with the next value early."""
    for step in body.data:
        kind = kind_of(step.operation)
        if kind in (BreakLoopOp, ContinueLoopOp):
            return True
        if kind in (IfElseOp, SwitchCaseOp, BoxOp) and any(map(_may_leave, step.operation.blocks)):
            return True
    return False


def _write_break(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    writer.out.break_loop()


def _write_continue(writer: Writer, step: Any, at: Mapping[Any, Any]) -> None:
    writer.out.continue_loop()


def _condition(writer: Writer, condition: Any, at: Mapping[Any, Any]) -> Any:
    """A condition on the outer bits."""
    if isinstance(condition, expr.Expr):
        return evaluable(condition, partial(_variable, writer, at), writer.complaint)
    target, value = condition
    if isinstance(target, Clbit):
        writer.read.add(at[target])
        return at[target], bool(value)
    bits = [at[bit] for bit in target]
    writer.read.update(bits)
    register = _register_of(writer, bits)
    if register is not None:
        return register, int(value)
    return _all_of(
        expr.lift(bit) if value >> place & 1 else expr.logic_not(bit)
        for place, bit in enumerate(bits)
    )


def _all_of(tests: Iterable[expr.Expr]) -> expr.Expr:
    first, *rest = tests
    for test in rest:
        first = expr.logic_and(first, test)
    return first


def _register_of(writer: Writer, bits: list[Clbit]) -> ClassicalRegister | None:
    """The register of the written circuit that has just these bits."""
    return next((register for register in writer.out.cregs if list(register) == bits), None)


def _variable(writer: Writer, at: Mapping[Any, Any], node: expr.Var) -> expr.Expr:
    """A variable of an expression over the outer bits."""
    if isinstance(node.var, Clbit):
        writer.read.add(at[node.var])
        return expr.Var(at[node.var], node.type)
    if not isinstance(node.var, ClassicalRegister):
        raise writer.complaint(no_variables(node.name))
    bits = [at[bit] for bit in node.var]
    writer.read.update(bits)
    register = _register_of(writer, bits)
    if register is None:
        raise writer.complaint(
            f"has an expression of a register {node.var.name!r} within an instruction; put the "
            "instruction's gates into the circuit with circuit.compose"
        )
    return expr.Var(register, node.type)


_WRITERS = {
    BoxOp: _write_box,
    BreakLoopOp: _write_break,
    ContinueLoopOp: _write_continue,
    ForLoopOp: _write_for,
    IfElseOp: _write_if,
    SwitchCaseOp: _write_switch,
    WhileLoopOp: _write_while,
}
