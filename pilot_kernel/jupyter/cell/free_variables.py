"""Which of the notebook's variables a cell needs, found from its syntax tree.

A variable is needed if the cell may read it before binding it. Where that depends on what happens
at run time (an `if`, a loop that may not run, a function called later), it counts as needed: a
variable too many costs a little time, a missing one costs the result.
"""

import ast
import dis
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any

from pilot_kernel.errors import ShipError
from pilot_kernel.jupyter.worker.payload import Payload, pack

__all__ = ["DEFAULT_LIMIT_BYTES", "bound_names", "collect", "read_names"]

DEFAULT_LIMIT_BYTES = 256 * 10**6

_READS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
_BINDS = frozenset({"STORE_NAME"})
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def collect(
    tree: ast.Module,
    namespace: Mapping[str, Any],
    *,
    only: Iterable[str] | None = None,
    hidden: Mapping[str, Any] | None = None,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
) -> Payload:
    """Pickle the variables that a cell reads.

    Args:
        tree: The cell.
        namespace: The notebook's variables.
        only: Send these variables, instead of those that the cell may read.
        hidden: What the notebook itself has put into `namespace`; this is not sent.
        limit_bytes: Most bytes that all variables may take together.

    Raises:
        ShipError: A variable does not exist, cannot be pickled, or is too large.
    """
    if only is None:
        hidden = hidden or {}
        names = [n for n in read_names(tree) if n in namespace]
        names = [n for n in names if n not in hidden or hidden[n] is not namespace[n]]
        names = [n for n in names if not (n.startswith("__") and n.endswith("__"))]
    else:
        names = list(only)
        for name in names:
            if name not in namespace:
                raise ShipError(f"-i {name}: the notebook has no variable of that name")
    return pack({name: namespace[name] for name in names}, limit_bytes)


def read_names(tree: ast.Module) -> list[str]:
    """The global names that a cell may read before it binds them, in order of appearance."""
    flow = _Flow()
    flow.run(tree.body, set())
    return list(flow.read)


def bound_names(tree: ast.Module) -> set[str] | None:
    """The global names that a cell may bind; None if `import *` hides them."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            return None
    for code in _codes(_compiled(tree)):
        for step in dis.get_instructions(code):
            if step.opname in ("STORE_NAME", "STORE_GLOBAL"):
                found.add(step.argval)
    return found


class _Flow:
    """Walks through statements in order, and knows which names are certainly bound."""

    def __init__(self) -> None:
        self.read: dict[str, None] = {}
        self._branching: dict[type[ast.stmt], Callable[[Any, set[str]], set[str]]] = {
            ast.If: self._if,
            ast.For: self._loop,
            ast.AsyncFor: self._loop,
            ast.While: self._while,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Match: self._match,
        }

    def run(self, body: list[ast.stmt], bound: set[str]) -> set[str]:
        for statement in body:
            branch = self._branching.get(type(statement))
            bound = branch(statement, bound) if branch else self._plain(statement, bound)
        return bound

    def _plain(self, node: ast.stmt, bound: set[str]) -> set[str]:
        code = _compiled(ast.Module([node], []))
        own = {node.name} if isinstance(node, _NAMED) else set()
        self._reads(code, bound, own)
        steps = list(dis.get_instructions(code))
        gone = {step.argval for step in steps if step.opname == "DELETE_NAME"}
        return (bound - gone) | {step.argval for step in steps if step.opname in _BINDS}

    def _reads(self, code: CodeType, bound: set[str], own: set[str]) -> None:
        for inner in _codes(code):
            known = bound | own if inner is not code else bound
            for step in dis.get_instructions(inner):
                if step.opname in _READS and step.argval not in known:
                    self.read.setdefault(step.argval)

    def _expression(self, node: ast.expr | None, bound: set[str]) -> set[str]:
        if node is None:
            return bound
        return self._plain(ast.copy_location(ast.Expr(node), node), bound)

    def _target(self, node: ast.expr, bound: set[str]) -> set[str]:
        assign = ast.Assign([node], ast.copy_location(ast.Constant(None), node))
        return self._plain(ast.copy_location(assign, node), bound)

    def _if(self, node: ast.If, bound: set[str]) -> set[str]:
        bound = self._expression(node.test, bound)
        return self.run(node.body, bound) & self.run(node.orelse, bound)

    def _loop(self, node: ast.For, bound: set[str]) -> set[str]:
        bound = self._expression(node.iter, bound)
        self.run(node.body, self._target(node.target, bound))
        self.run(node.orelse, bound)
        return bound

    def _while(self, node: ast.While, bound: set[str]) -> set[str]:
        bound = self._expression(node.test, bound)
        self.run(node.body, bound)
        self.run(node.orelse, bound)
        return bound

    def _try(self, node: ast.Try, bound: set[str]) -> set[str]:
        ends = [self.run(node.orelse, self.run(node.body, bound))]
        for handler in node.handlers:
            self._expression(handler.type, bound)
            ends.append(self.run(handler.body, bound | ({handler.name} if handler.name else set())))
        return self.run(node.finalbody, set.intersection(*ends) if node.handlers else ends[0])

    def _with(self, node: ast.With, bound: set[str]) -> set[str]:
        for item in node.items:
            bound = self._expression(item.context_expr, bound)
            if item.optional_vars is not None:
                bound = self._target(item.optional_vars, bound)
        return self.run(node.body, bound)

    def _match(self, node: ast.Match, bound: set[str]) -> set[str]:
        bound = self._expression(node.subject, bound)
        for case in node.cases:
            inner = set(bound)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr):
                    self._expression(part, bound)
                inner |= {
                    n for n in (getattr(part, "name", None), getattr(part, "rest", None)) if n
                }
            self._expression(case.guard, inner)
            self.run(case.body, inner)
        return bound


def _compiled(tree: ast.Module) -> CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    # `break`, `continue` and the like only compile inside their loop; they read no names.
    body = [n for n in tree.body if not isinstance(n, (ast.Break, ast.Continue))]
    code: CodeType = compile(ast.Module(body, []), "<cell>", "exec", flags)
    return code


def _codes(code: CodeType) -> Iterable[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
