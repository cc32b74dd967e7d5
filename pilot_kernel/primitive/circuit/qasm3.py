"""Reading OpenQASM 3 with Qiskit's importer, with errors that say where.

Three mistakes of the importer are corrected: bits outside registers get registers of their names,
ranges may count downwards, and a gate under a modifier is what its definition says.
"""

# ruff: noqa: N802 a visitor's methods are called after the nodes they visit

import contextlib
import io
import math
import re
from collections.abc import Callable
from typing import Any

import openqasm3
from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Gate
from qiskit_qasm3_import import types
from qiskit_qasm3_import.converter import ConvertVisitor
from qiskit_qasm3_import.exceptions import ConversionError, raise_from_node
from qiskit_qasm3_import.expression import ValueResolver

from pilot_kernel.errors import QasmError
from pilot_kernel.primitive.circuit.custom_gates import unrolled

__all__ = ["read_qasm3"]

_LEXER_PLACE = re.compile(r"L(?P<line>\d+):C(?P<column>\d+): *(?P<reason>.*)", re.DOTALL)
_PLACE = re.compile(r"(?P<line>\d+),(?P<column>\d+): *(?P<reason>.*)", re.DOTALL)
_TOO_DEEP = "this is nested too deeply to be read; take it apart into statements of their own"
_NO_FUNCTIONS = "'FunctionCall' cannot be resolved into a Qiskit value"


def read_qasm3(text: str) -> QuantumCircuit:
    """Read an OpenQASM 3 program.

    Raises:
        QasmError: It is no OpenQASM 3, or holds what Qiskit's circuits cannot; with its place.
    """
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the lexer prints what it raises
            program = openqasm3.parse(text)
    except openqasm3.parser.QASM3ParsingError as error:
        raise _syntax_error(error) from error
    except RecursionError as error:
        raise QasmError(_TOO_DEEP, *_statement_of(error)) from None
    try:
        circuit: QuantumCircuit = _Converter().convert(program).circuit
    except ConversionError as error:
        place = _PLACE.match(error.message)
        if place is None:
            raise QasmError(error.message) from error
        reason = place["reason"]
        if reason == _NO_FUNCTIONS:
            reason = "functions are not evaluated in OpenQASM 3 here; write the number"
        raise QasmError(reason, int(place["line"]), int(place["column"]) + 1) from error
    return circuit


class _Converter(ConvertVisitor):
    """The importer, with line and column in every error."""

    def visit(self, node: Any, context: Any = None) -> Any:
        try:
            return super().visit(node, context)
        except (ConversionError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 it lets whatever its calls raise through
            raise_from_node(node, _words(node, error))

    def visit_Program(self, node: ast.Program, context: Any) -> Any:
        for statement in node.statements:
            try:
                context = self.visit(statement, context)
            except RecursionError:
                raise_from_node(statement, _TOO_DEEP)
        return context

    def visit_Include(self, node: ast.Include, context: Any) -> Any:
        if node.filename != "stdgates.inc":
            raise_from_node(
                node,
                f"include {node.filename!r} is not supported in OpenQASM 3, only "
                '"stdgates.inc" is; define the other gates in the program',
            )
        return super().visit_Include(node, context)

    def visit_ClassicalDeclaration(self, node: ast.ClassicalDeclaration, context: Any) -> Any:
        context = super().visit_ClassicalDeclaration(node, context)
        if getattr(node.type, "size", None) is None:
            # What is measured into a bit that is in no register is in no result.
            name = node.identifier.name
            bit = context.symbol_table.get(name, node).data
            context.circuit.add_register(ClassicalRegister(bits=[bit], name=name))
        return context

    def visit_ForInLoop(self, node: ast.ForInLoop, context: Any) -> Any:
        name = node.identifier.name
        if _is_index(node.block, name):
            raise_from_node(
                node,
                f"loop variable {name!r} is used as an index, which Qiskit's circuits cannot; "
                "write the statements out",
            )
        return super().visit_ForInLoop(node, context)

    def _resolve_generic(self, node: Any, context: Any, strict: bool) -> Any:
        return _Resolver(context, strict).resolve(node)

    def _resolve_condition(self, node: Any, context: Any) -> Any:
        if _holds(node, _counts_down):
            raise_from_node(node, "a condition cannot be on such a range; write it with let first")
        return super()._resolve_condition(node, context)

    def _resolve_angle(self, node: Any, context: Any) -> Any:
        value = super()._resolve_angle(node, context)
        if isinstance(value, float) and not math.isfinite(value):
            raise_from_node(node, f"the angle is {value}, which is no finite number")
        return value

    def _apply_gate_modifier(self, modifier: Any, gate: Gate, context: Any) -> Any:
        if type(gate) is Gate:  # Qiskit would control it by its name
            gate = unrolled(gate.definition).to_gate()
        return super()._apply_gate_modifier(modifier, gate, context)


class _Resolver(ValueResolver):
    """The values of expressions; ranges are OpenQASM's, which include their end."""

    def visit_BinaryExpression(self, node: ast.BinaryExpression) -> Any:
        found = super().visit_BinaryExpression(node)
        if node.op is ast.BinaryOperator["/"] and isinstance(found[1], (types.Int, types.Uint)):
            above, below = self.visit(node.lhs)[0], self.visit(node.rhs)[0]
            if isinstance(above, int) and isinstance(below, int) and above % below:
                raise_from_node(
                    node,
                    f"{above} / {below} divides whole numbers, of which OpenQASM 3 makes a whole "
                    f"number; write {above}.0 / {below} if the fraction is meant",
                )
        return found

    def _index_collection(self, collection: Any, kind: Any, indexer: Any, base: Any) -> Any:
        single = indexer[0] if isinstance(indexer, list) and len(indexer) == 1 else None
        if not isinstance(single, ast.RangeDefinition) or not hasattr(collection, "__len__"):
            return super()._index_collection(collection, kind, indexer, base)
        chosen = self._indices(single, len(collection))
        return [collection[index] for index in chosen], type(kind)(len(chosen))

    def _indices(self, node: ast.RangeDefinition, size: int) -> range:
        """Both ends belong to a range, and negative ones count from the end."""
        step = 1 if node.step is None else self.visit(node.step)[0]
        ends = [0, size - 1] if step > 0 else [size - 1, 0]
        for k, end in enumerate((node.start, node.end)):
            if end is not None:
                value = self.visit(end)[0]
                ends[k] = value + size if value < 0 else value
        chosen = range(ends[0], ends[1] + (1 if step > 0 else -1), step)
        if not chosen or not (0 <= min(chosen) <= max(chosen) < size):
            raise_from_node(node, f"this range is not within a register of size {size}")
        return chosen


def _words(node: Any, error: Exception) -> str:
    if isinstance(error, IndexError):
        return "an index is out of range"
    if isinstance(error, ZeroDivisionError):
        return "cannot divide by zero"
    return str(getattr(error, "message", error)) or type(error).__name__


def _holds(node: Any, wanted: Callable[[Any], bool]) -> bool:
    """Whether a node, or any node below it, fulfils a condition."""
    if isinstance(node, (list, tuple)):
        return any(_holds(each, wanted) for each in node)
    if not isinstance(node, ast.QASMNode):
        return False
    return wanted(node) or any(_holds(each, wanted) for each in vars(node).values())


def _counts_down(node: Any) -> bool:
    """Whether a range is one that the importer gets wrong."""
    minus = ast.UnaryOperator["-"]
    return isinstance(node, ast.RangeDefinition) and _holds(
        [node.start, node.end, node.step],
        lambda each: isinstance(each, ast.UnaryExpression) and each.op is minus,
    )


def _is_index(node: Any, name: str) -> bool:
    """Whether a variable stands in the index of a register, anywhere below a node."""

    def indexed(node: Any) -> bool:
        where = getattr(node, "indices", getattr(node, "index", None))
        return isinstance(node, (ast.IndexedIdentifier, ast.IndexExpression)) and _holds(
            where, lambda each: isinstance(each, ast.Identifier) and each.name == name
        )

    return _holds(node, indexed)


def _syntax_error(error: Exception) -> QasmError:
    place = _LEXER_PLACE.match(str(error))
    if place is not None:
        return QasmError(place["reason"], int(place["line"]), int(place["column"]) + 1)
    reason = error.__cause__.args[0] if error.__cause__ and error.__cause__.args else None
    token = getattr(reason, "offendingToken", None)
    if token is None:
        return QasmError(str(error) or "not valid OpenQASM 3")
    what = "end of the program" if token.text == "<EOF>" else repr(token.text)
    return QasmError(f"unexpected {what}", token.line, token.column + 1)


def _statement_of(error: BaseException) -> tuple[int | None, int | None]:
    """Where the parser was: its frames hold the statements they are at."""
    trace = error.__traceback__
    while trace is not None:
        held = trace.tb_frame.f_locals
        start = getattr(held.get("localctx", held.get("ctx")), "start", None)
        if start is not None and trace.tb_frame.f_code.co_name in ("statement", "visitStatement"):
            return start.line, start.column + 1
        trace = trace.tb_next
    return None, None
