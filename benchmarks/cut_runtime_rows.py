"""What the parts of `cut_runtime.py` share: rows, the clock, and the circuits.

A row is one figure beside what it is compared with. `wanted` is the bar it should clear, in words;
`met` whether it does, or None where there is no bar.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from qdreamer_lab import CutEstimator

if TYPE_CHECKING:
    from collections.abc import Callable

    from qiskit import QuantumCircuit

HEAD = ("row", "ours", "peer", "ratio", "wanted", "")
WIDTHS = (47, 24, 30, 9, 12, 4)


@dataclass(frozen=True)
class Row:
    """One line of the table; `raw` goes to the JSON lines only."""

    name: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    wanted: str = ""
    met: bool | None = None
    raw: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """As a line of text."""
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}x"
        mark = "" if self.met is None else "yes" if self.met else "NO"
        return line_of((self.name, self.ours, self.peer, ratio, self.wanted, mark))

    def json(self) -> str:
        """As a line of JSON."""
        return json.dumps(asdict(self), default=lambda scalar: scalar.item())


def line_of(cells: tuple[str, ...]) -> str:
    """Cells in columns."""
    padded = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)]
    return " ".join(padded).rstrip()


def at_least(name: str, ratio: float, bar: float, ours: str, peer: str, **raw: Any) -> Row:
    """A row whose ratio must reach a bar."""
    return Row(name, ours, peer, ratio, f">= {bar:g}x", ratio >= bar, {"ratio": ratio, **raw})


def at_most(name: str, value: float, bar: float, peer: str, **raw: Any) -> Row:
    """A row whose value, an error, must stay under a bar."""
    return Row(name, f"{value:.1e}", peer, None, f"<= {bar:g}", value <= bar, raw)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and its seconds."""
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


def median_of(call: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """What the last of several calls returns, and the median of their seconds."""
    runs = [timed(call) for _ in range(repeats)]
    return runs[-1][0], statistics.median(seconds for _, seconds in runs)


def seconds_text(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def su2(num_qubits: int, reps: int = 2) -> QuantumCircuit:
    """EfficientSU2, linear, with angles spread evenly over [0.1, 2.9]."""
    ansatz = efficient_su2(num_qubits, entanglement="linear", reps=reps)
    return ansatz.assign_parameters(np.linspace(0.1, 2.9, ansatz.num_parameters))


def pauli(letters: str, qubits: list[int], num_qubits: int) -> SparsePauliOp:
    """A Pauli string on some qubits."""
    return SparsePauliOp.from_sparse_list([(letters, qubits, 1.0)], num_qubits)


def ends_and_middle(num_qubits: int) -> list[SparsePauliOp]:
    """Z on the first and on the last qubit, and ZZ on the two in the middle."""
    middle = num_qubits // 2
    places = (("Z", [0]), ("Z", [num_qubits - 1]), ("ZZ", [middle - 1, middle]))
    return [pauli(letters, qubits, num_qubits) for letters, qubits in places]


def dense(circuit: QuantumCircuit, observables: list[SparsePauliOp]) -> np.ndarray:
    """Values by Qiskit's state vector."""
    state = Statevector(circuit)
    return np.array([state.expectation_value(one).real for one in observables])


def exact(circuit: QuantumCircuit, observables: Any, width: int) -> Any:
    """A PUB's result from a fresh estimator, plan included."""
    return CutEstimator(width, mode="exact").run([(circuit, observables)]).result()[0]
