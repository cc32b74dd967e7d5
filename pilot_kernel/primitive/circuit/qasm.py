"""Reading OpenQASM 2 and 3: one place for cells and files, with errors that say where.

A program without a version line is OpenQASM 2, as Qiskit reads it, unless it uses what only
OpenQASM 3 has. A gate that a program defines is what the definition says, whatever its name.
"""

import math
import re
from bisect import bisect_left
from pathlib import Path
from typing import NoReturn

from qiskit import QuantumCircuit, qasm2

from pilot_kernel.errors import QasmError

__all__ = ["read_qasm"]

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_HEADER = re.compile(r"\s*OPENQASM\s+(?P<major>\d+)(?:\.\d+)?\s*;")
_ONLY_IN_3 = re.compile(
    r"\b(?:qu)?bit\b\s*(?:\[[^\]]*\]\s*)?[^\W\d]|\binput\s+\w|stdgates\.inc|=\s*measure\b|\$\d"
)
_DEFINITION = re.compile(r"\b(?:gate|opaque)\s+([a-z]\w*)")
_INCLUDE = re.compile(r'\binclude\s*"([^"]*)"')
_BODY = re.compile(r"\{[^}]*\}")
_PLACE = re.compile(r"(?P<file>[^:]*):(?P<line>\d+),(?P<column>\d+): *(?P<reason>.*)", re.DOTALL)
_NOT_FOUND = re.compile(r"unable to find '(?P<file>[^']*)'")

_ADVICE = {
    "hqslib1.inc": (
        'hqslib1.inc is not supported; include "qelib1.inc" and write U1q(theta, phi) as '
        "u3(theta, phi - pi/2, pi/2 - phi), RZZ(theta) as rzz(theta) and ZZ as rzz(pi/2)"
    ),
    "stdgates.inc": 'stdgates.inc belongs to OpenQASM 3; in OpenQASM 2 include "qelib1.inc"',
}


def read_qasm(text: str, folder: Path | None = None) -> QuantumCircuit:
    """Read a circuit.

    Args:
        text: The program.
        folder: Where an OpenQASM 2 program's includes are, besides the current folder.

    Raises:
        QasmError: It cannot be read; with line and column, both from 1, wherever they are known.
    """
    text = text.removeprefix("\ufeff")  # with which some editors begin files
    plain = _COMMENT.sub(_blanked, text)
    header = _HEADER.match(plain)
    major = int(header["major"]) if header else 3 if _ONLY_IN_3.search(plain) else 2
    if major == 2:
        return _read_2(text, plain, [Path(), *([] if folder is None else [folder])])
    if major == 3:
        # Only those who need it wait for the parser to be loaded.
        from pilot_kernel.primitive.circuit.qasm3 import read_qasm3

        return read_qasm3(text)
    line = plain[: header.start("major")].count("\n") + 1 if header else 1
    raise QasmError(f"OpenQASM {major} is not supported; 2 and 3 are", line, 1)


def _read_2(text: str, plain: str, folders: list[Path]) -> QuantumCircuit:
    defined = _defined(plain, folders, set())
    known = [each for each in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if each.name not in defined]

    def read(program: str) -> QuantumCircuit:
        return qasm2.loads(
            program,
            include_path=folders,
            custom_instructions=known,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )

    try:
        circuit = read(text)
    except qasm2.QASM2ParseError as error:
        _refuse(error)
    if _finite(circuit):
        return circuit
    # The parser lets asin(2) and 1e400 through, and does not say where they are.
    ends = [mark.end() for mark in re.finditer(";", _BODY.sub(_blanked, plain))]
    first = bisect_left(ends, True, key=lambda end: not _finite(read(text[:end])))
    rest = plain[ends[first - 1] :]
    start = ends[first - 1] + len(rest) - len(rest.lstrip())
    before = plain[:start].split("\n")
    raise QasmError("an angle is no finite number", len(before), len(before[-1]) + 1)


def _blanked(found: re.Match[str]) -> str:
    """As many blanks, on as many lines, so that places stay."""
    return re.sub(r"[^\n]", " ", found[0])


def _finite(circuit: QuantumCircuit) -> bool:
    values = (value for step in circuit.data for value in step.params)
    return all(math.isfinite(value) for value in values if isinstance(value, float))


def _defined(plain: str, folders: list[Path], seen: set[Path]) -> set[str]:
    """Names of the gates that a program, or a file that it includes, defines itself."""
    found = set(_DEFINITION.findall(plain))
    for name in _INCLUDE.findall(plain):
        path = next((each / name for each in folders if (each / name).is_file()), None)
        if name == "qelib1.inc" or path is None or path in seen:
            continue
        seen.add(path)
        inner = _COMMENT.sub(" ", path.read_text(encoding="utf-8", errors="replace"))
        found |= _defined(inner, folders, seen)
    return found


def _refuse(error: qasm2.QASM2ParseError) -> NoReturn:
    place = _PLACE.match(error.message)
    if place is None:
        raise QasmError(error.message) from error
    line, column, reason = int(place["line"]), int(place["column"]) + 1, place["reason"]
    missing = _NOT_FOUND.match(reason)
    if missing is not None:
        reason = _ADVICE.get(
            Path(missing["file"]).name,
            f"there is no file {missing['file']!r} to include; qelib1.inc is known, and other "
            "files must lie next to the program",
        )
    if place["file"] != "<input>":
        raise QasmError(f"{place['file']}:{line}:{column}: {reason}") from error
    raise QasmError(reason, line, column) from error
