"""Reading OpenQASM 2 and 3, with errors that say where.

Qiskit and the parsers it calls report a broken program in several ways; here they become one. The
file is read and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qiskit import qasm2, qasm3
from qiskit.exceptions import QiskitError

from qdreamer_lab.errors import QasmError

if TYPE_CHECKING:
    from pathlib import Path

    from qiskit import QuantumCircuit

__all__ = ["load_qasm", "loads_qasm"]

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_HEADER = re.compile(r"OPENQASM\s+(?P<major>\d+)(?:\.\d+)?\s*;")
_PLACE = re.compile(r"^(?:<input>:)?(?P<line>\d+),(?P<column>\d+): *")


def load_qasm(path: Path) -> QuantumCircuit:
    """Read a circuit from a file.

    Raises:
        QasmError: if the file cannot be read or is no valid OpenQASM 2 or 3.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QasmError(f"cannot read {path}: {error}") from error
    return loads_qasm(text, name=str(path))


def loads_qasm(text: str, *, name: str = "<text>") -> QuantumCircuit:
    """Read a circuit from OpenQASM text; `name` is what errors call it.

    Raises:
        QasmError: with line and column (both from 1) where the parser gives them.
    """
    header = _HEADER.match(_COMMENT.sub("", text).lstrip())
    if header is None:
        raise QasmError(f"{name}:1:1: the program must begin with `OPENQASM 2.0;` or `OPENQASM 3;`")
    major = int(header["major"])
    if major not in (2, 3):
        raise QasmError(f"{name}: OpenQASM {major} is not supported; 2 and 3 are")
    try:
        if major == 2:
            legacy = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
            return qasm2.loads(text, custom_instructions=legacy)
        return qasm3.loads(text)
    except QiskitError as error:
        raise QasmError(_placed(name, error.message)) from error
    except Exception as error:
        # The OpenQASM 3 parser's own error is not Qiskit's and comes from a package we do not
        # import; the token it stumbled over hangs on its cause.
        if type(error).__name__ != "QASM3ParsingError":
            raise
        raise QasmError(_stumbled(name, error)) from error


def _placed(name: str, message: str) -> str:
    found = _PLACE.match(message)
    if found is None:
        return f"{name}: {message}"
    line, column = int(found["line"]), int(found["column"]) + 1
    return f"{name}:{line}:{column}: {message[found.end() :]}"


def _stumbled(name: str, error: Exception) -> str:
    reason = error.__cause__.args[0] if error.__cause__ and error.__cause__.args else None
    token = getattr(reason, "offendingToken", None)
    if token is None:
        return f"{name}: {error or 'not valid OpenQASM 3'}"
    return f"{name}:{token.line}:{token.column + 1}: unexpected {token.text!r}"
