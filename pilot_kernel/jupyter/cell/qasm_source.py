"""A cell of OpenQASM, parsed in the notebook, so that mistakes are shown with their lines."""

import re
from typing import Any

from pilot_kernel.errors import CellError, QasmError

__all__ = ["parse_qasm"]


def parse_qasm(body: str, *, lines_above: int = 0) -> Any:
    """Read a circuit from OpenQASM 2 or 3.

    Args:
        body: The program.
        lines_above: Lines of the cell that come before it.

    Raises:
        CellError: It is empty, broken, or needs values that a cell cannot give; the message has
            line and column.
    """
    from pilot_kernel.primitive.circuit.qasm import read_qasm

    if not body.strip():
        raise CellError("the cell is empty: write an OpenQASM program below the line of the magic")
    try:
        circuit = read_qasm(body)
    except QasmError as error:
        raise CellError(_shown(error, body, lines_above)) from None
    for parameter in circuit.parameters:
        raise CellError(_shown(_without_value(parameter.name, body), body, lines_above))
    return circuit


def _without_value(name: str, body: str) -> QasmError:
    place = re.search(rf"\binput\b[^;]*\b{re.escape(name)}\s*;", body)
    before = body[: place.start()] if place else ""
    return QasmError(
        f"input {name} has no value, and a --qasm cell has no place for one: write the value into "
        "the program, or read it in Python with circuit = qiskit.qasm3.loads(text) and call "
        "session.run((circuit, values))",
        before.count("\n") + 1,
        len(before) - (before.rfind("\n") + 1) + 1,
    )


def _shown(error: QasmError, body: str, lines_above: int) -> str:
    if error.line is None or error.column is None:
        return f"the cell is not OpenQASM: {error.reason}"
    lines = body.splitlines()
    text = lines[error.line - 1] if error.line <= len(lines) else ""
    told = (
        f"OpenQASM, line {error.line + lines_above} of the cell, column {error.column}: "
        f"{error.reason}"
    )
    return f"{told}\n    {text}\n    {' ' * (error.column - 1)}^" if text else told
