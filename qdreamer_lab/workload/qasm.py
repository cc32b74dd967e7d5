"""Reading OpenQASM 2 and 3 from files and text. The file is read and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilot_kernel.errors import QasmError as PilotQasmError
from pilot_kernel.primitive.circuit.qasm import read_qasm
from qdreamer_lab.errors import QasmError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["load_circuit", "loads_qasm"]


def load_circuit(path: str | Path) -> QuantumCircuit:
    """Read a circuit from an OpenQASM 2 or 3 file; includes are looked for next to it.

    What `qiskit.qasm2.dump` and `qiskit.qasm3.dump` write is read, all gates of Qiskit's library
    included.

    Args:
        path: The file.

    Raises:
        QasmError: If the file cannot be read or is no valid OpenQASM 2 or 3.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QasmError(f"cannot read {path}: {error}") from error
    return loads_qasm(text, name=str(path), folder=path.parent)


def loads_qasm(text: str, *, name: str = "<text>", folder: Path | None = None) -> QuantumCircuit:
    """Read a circuit from OpenQASM text; without a version line it is OpenQASM 2.

    Args:
        text: The program.
        name: What errors call it.
        folder: Where includes are, besides the current folder.

    Raises:
        QasmError: With line and column, both from 1.
    """
    try:
        return read_qasm(text, folder)
    except PilotQasmError as error:
        place = "" if error.line is None else f"{error.line}:{error.column}: "
        raise QasmError(f"{name}:{place or ' '}{error.reason}") from error
