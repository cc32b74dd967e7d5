"""Classical conditions rewritten so that Aer evaluates them correctly; others are refused.

Aer (0.18) treats the number 0 as true, and keeps only the lowest 32 bits of a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qiskit.circuit import ClassicalRegister, Clbit, IfElseOp, Store, SwitchCaseOp, WhileLoopOp
from qiskit.circuit.classical import expr, types

if TYPE_CHECKING:
    from collections.abc import Callable

    from qiskit import QuantumCircuit

    Complaint = Callable[[str], Exception]

__all__ = ["evaluable", "no_variables", "with_evaluable_conditions"]

_RUNNABLE = (
    *(expr.Unary.Op.BIT_NOT, expr.Unary.Op.LOGIC_NOT),
    *(expr.Binary.Op.BIT_AND, expr.Binary.Op.BIT_OR, expr.Binary.Op.BIT_XOR),
    *(expr.Binary.Op.LOGIC_AND, expr.Binary.Op.LOGIC_OR),
    *(expr.Binary.Op.EQUAL, expr.Binary.Op.NOT_EQUAL),
    *(expr.Binary.Op.LESS, expr.Binary.Op.LESS_EQUAL),
    *(expr.Binary.Op.GREATER, expr.Binary.Op.GREATER_EQUAL),
)
_WIDEST = 32


def evaluable(
    node: expr.Expr, variable: Callable[[expr.Var], expr.Expr], complaint: Complaint
) -> expr.Expr:
    """An expression rewritten so that Aer evaluates it correctly.

    Args:
        node: The expression.
        variable: What to write for a bit, a register or a variable.
        complaint: Makes an error of some words about the circuit.
    """
    written: expr.Expr = node.accept(_Writer(variable, complaint))
    return written


class _Writer(expr.ExprVisitor[expr.Expr]):  # type: ignore[misc]
    """Rewrites an expression so that Aer evaluates it correctly."""

    def __init__(self, variable: Callable[[expr.Var], expr.Expr], complaint: Complaint) -> None:
        self._variable = variable
        self._complaint = complaint

    def visit_var(self, node: expr.Var, /) -> expr.Expr:
        self._check_width(node)
        return self._variable(node)

    def visit_value(self, node: expr.Value, /) -> expr.Expr:
        self._check_width(node)
        return node

    def visit_cast(self, node: expr.Cast, /) -> expr.Expr:
        self._check_width(node)
        inner = node.operand.accept(self)
        if node.type.kind is types.Bool and inner.type.kind is types.Uint:
            zero = expr.Value(0, inner.type)
            return expr.Binary(expr.Binary.Op.NOT_EQUAL, inner, zero, node.type)
        return expr.Cast(inner, node.type, implicit=node.implicit)

    def visit_unary(self, node: expr.Unary, /) -> expr.Expr:
        self._check(node)
        return expr.Unary(node.op, node.operand.accept(self), node.type)

    def visit_binary(self, node: expr.Binary, /) -> expr.Expr:
        self._check(node)
        return expr.Binary(node.op, node.left.accept(self), node.right.accept(self), node.type)

    def visit_generic(self, node: expr.Expr, /) -> expr.Expr:
        raise self._complaint(
            f"has an expression of a kind that Aer does not evaluate: {type(node).__name__}"
        )

    def _check(self, node: Any) -> None:
        self._check_width(node)
        if node.op not in _RUNNABLE:
            raise self._complaint(
                f"has an operation that Aer does not evaluate in an expression: {node.op.name}"
            )

    def _check_width(self, node: expr.Expr) -> None:
        if node.type.kind is types.Uint and node.type.width > _WIDEST:
            raise self._complaint(
                f"has an expression of {node.type.width} bits, and Aer evaluates at most "
                f"{_WIDEST}; compare shorter registers, or a whole register with a number: "
                "if_test((register, number))"
            )


def no_variables(name: str) -> str:
    """The complaint about a classical variable."""
    return (
        f"has a classical variable {name!r}, which simulators here do not run; measure into "
        "classical registers instead"
    )


def with_evaluable_conditions(circuit: QuantumCircuit, complaint: Complaint) -> QuantumCircuit:
    """The same circuit with conditions that Aer evaluates correctly; itself if it has no others.

    Args:
        circuit: In gates that need no writing out, with any control flow.
        complaint: Makes an error of some words about the circuit.
    """
    for variable in circuit.iter_vars():
        raise complaint(no_variables(variable.name))
    if not any(_decides(step.operation) for step in circuit.data):
        return circuit
    out = circuit.copy_empty_like()
    for step in circuit.data:
        out._append(step.replace(operation=_evaluable(step.operation, complaint)))
    return out


def _decides(operation: Any) -> bool:
    return isinstance(operation, Store) or bool(getattr(operation, "blocks", ()))


def _evaluable(operation: Any, complaint: Complaint) -> Any:
    if isinstance(operation, Store):
        raise complaint("stores into a classical bit, which simulators here do not run")
    if not _decides(operation):
        return operation
    blocks = [with_evaluable_conditions(block, complaint) for block in operation.blocks]
    if isinstance(operation, SwitchCaseOp) and isinstance(operation.target, expr.Expr):
        raise complaint("has a switch over an expression; write it with if_test")
    condition = getattr(operation, "condition", None)
    if isinstance(operation, (IfElseOp, WhileLoopOp)) and isinstance(condition, expr.Expr):
        written = evaluable(condition, _bits_only(complaint), complaint)
        return type(operation)(written, *blocks, label=operation.label)
    return operation.replace_blocks(blocks)


def _bits_only(complaint: Complaint) -> Callable[[expr.Var], expr.Expr]:
    def variable(node: expr.Var) -> expr.Expr:
        if isinstance(node.var, (Clbit, ClassicalRegister)):
            return node
        raise complaint(no_variables(node.name))

    return variable
