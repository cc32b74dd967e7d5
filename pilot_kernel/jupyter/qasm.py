"""OpenQASM cells: parsed in the notebook, so that a mistake is shown with its line at once."""

import contextlib
import io
import re
from typing import Any

from pilot_kernel.errors import CellError

__all__ = ["parse_qasm"]

_PLACE = re.compile(r"(?:line )?(\d+)[,:](\d+):? ?(.*)", re.DOTALL)
_VERSION = re.compile(r"^\s*OPENQASM\s+(\d+)", re.MULTILINE)


def parse_qasm(body: str, *, lines_above: int = 0) -> Any:
    """Read a circuit from OpenQASM 2 or 3; without a version line it is 3.

    Args:
        body: The program.
        lines_above: Lines of the cell that come before it.

    Raises:
        CellError: It is empty or broken; the message has line and column.
    """
    from qiskit import qasm2, qasm3

    if not body.strip():
        raise CellError("the cell is empty: write an OpenQASM program below the magic's line")
    version = _VERSION.search(body)
    complaints = io.StringIO()
    try:
        if version is not None and version[1] == "2":
            return qasm2.loads(body, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
        with contextlib.redirect_stderr(complaints):  # the parser prints where it stumbled
            return qasm3.loads(body)
    except Exception as error:  # noqa: BLE001 the parsers raise several unrelated types
        told = getattr(error, "message", "") or str(error)
        raise CellError(_shown(told or complaints.getvalue(), body, lines_above)) from None


def _shown(message: str, body: str, lines_above: int) -> str:
    place = _PLACE.search(message)
    if place is None:
        return f"the cell is no OpenQASM: {message.strip() or 'it cannot be parsed'}"
    line, column = int(place[1]), int(place[2])
    why = place[3].strip().splitlines()[:1]
    text = body.splitlines()[line - 1] if line <= len(body.splitlines()) else ""
    told = (
        f"OpenQASM, line {line + lines_above} of the cell, column {column + 1}: "
        f"{why[0] if why else 'it cannot be parsed'}"
    )
    return f"{told}\n    {text}\n    {' ' * column}^" if text else told
