"""How a cell runs on a worker. Workers import this module, so it imports no IPython."""

import ast
import asyncio
import inspect
import sys
from dataclasses import dataclass
from typing import Any

from pilot_kernel.errors import CellError, ShipError
from pilot_kernel.jupyter.worker.display_capture import DisplayCapture, capture_displays
from pilot_kernel.jupyter.worker.payload import Payload, pack, remember_source, unpack
from pilot_kernel.task.process.streams import emit

__all__ = ["VALUE", "CellOutcome", "code_of", "run_cell"]

VALUE = "the value of the last expression"
"""Under which name a cell's value travels."""


@dataclass(frozen=True)
class CellOutcome:
    """What a cell left behind: its value and its named outputs, still pickled."""

    payload: Payload

    def open(self) -> tuple[Any, dict[str, Any]]:
        """The value and the named outputs."""
        values = unpack(self.payload)
        return values.pop(VALUE), values


def run_cell(
    source: str, filename: str, inputs: Payload, outputs: tuple[str, ...] = ()
) -> CellOutcome:
    """Run a cell in a fresh namespace.

    Args:
        source: The cell.
        filename: What tracebacks call it.
        inputs: The variables it starts with.
        outputs: The names to bring back besides the value of its last expression.

    Raises:
        CellError: It did not define one of `outputs`.
        ShipError: A result cannot be sent back.
        Exception: Whatever the cell raises.
    """
    remember_source(source, filename)
    namespace: dict[str, Any] = {"__name__": "__main__", **unpack(inputs)}
    codes = code_of(ast.parse(source, filename), filename)
    with capture_displays(emit, namespace) as capture:
        try:
            value = _evaluate(codes, namespace)
        except Exception:
            capture.show_figures()
            raise
        capture.show_figures(value)
        missing = [name for name in outputs if name not in namespace]
        if missing:
            raise CellError(f"the cell ended without defining {', '.join(missing)}, which -o names")
        return _outcome(value, {name: namespace[name] for name in outputs}, capture)


def _evaluate(codes: list[Any], namespace: dict[str, Any]) -> Any:
    value = None
    for code in codes:
        value = eval(code, namespace)  # noqa: S307 running what the user wrote is the point
        if code.co_flags & inspect.CO_COROUTINE:
            value = asyncio.run(value)
    return value


def _outcome(value: Any, outputs: dict[str, Any], capture: DisplayCapture) -> CellOutcome:
    try:
        return CellOutcome(pack({VALUE: value, **outputs}))
    except ShipError as error:
        # The notebook shows the values that it gets. This one it cannot get, so it is shown here.
        if not str(error).startswith(VALUE) or not capture.show_value(value):
            raise
        print(f"[{error}; it is shown, and the result is None]", file=sys.stderr)
    return CellOutcome(pack({VALUE: None, **outputs}))


def code_of(tree: ast.Module, filename: str) -> list[Any]:
    """Compile a cell into its statements and, if it ends with one, its last expression."""
    last = tree.body[-1] if tree.body else None
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if not isinstance(last, ast.Expr):
        return [compile(tree, filename, "exec", flags)]
    before = ast.Module(body=tree.body[:-1], type_ignores=[])
    return [
        compile(before, filename, "exec", flags),
        compile(ast.Expression(last.value), filename, "eval", flags),
    ]
