"""Observables as people type them on a command line: `Z0 Z17`, `0.5*Z0 Z1 - X3`.

    observable = term (("+" | "-") term)*
    term       = [number ["*"]] (factor ["*"])+      factor = X, Y or Z and a qubit number
               | [number ["*"]] "I"                  the identity

Blanks are free. Qubit 0 is the circuit's first. Only text is handled here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab.errors import ObservableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parse_observable"]

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<factor>[XYZ]\d+)|(?P<identity>I)(?![A-Z\d])|(?P<sign>[+-])|(?P<star>\*)|(?P<blank>\s+)"
)


def parse_observable(text: str, num_qubits: int) -> SparsePauliOp:
    """Read a real sum of Pauli products.

    Raises:
        ObservableError: With the column (from 1) of what cannot be read, or the qubit that does
            not exist or appears twice in a term.
    """
    terms: list[tuple[str, list[int], float]] = []
    for column, sign, number, factors in _terms(text):
        if not factors:
            raise _unreadable(text, column, "a term needs factors such as Z0, or I")
        letters, qubits = "", []
        for factor in factors:
            if factor == "I":
                continue
            letters += factor[0]
            qubits.append(int(factor[1:]))
        for qubit in qubits:
            if qubit >= num_qubits:
                raise ObservableError(
                    f"observable {text!r} acts on qubit {qubit}, "
                    f"but the circuit has qubits 0 to {num_qubits - 1}"
                )
            if qubits.count(qubit) > 1:
                raise ObservableError(f"observable {text!r} names qubit {qubit} twice in one term")
        terms.append((letters, qubits, sign * number))
    return SparsePauliOp.from_sparse_list(terms, num_qubits)


def _terms(text: str) -> Iterator[tuple[int, float, float, list[str]]]:
    """Yield (column, sign, number, factors) of each term."""
    column, sign = 0, 1.0
    number: float | None = None
    factors: list[str] = []
    for at, kind, word in _tokens(text):
        if kind == "sign" and (factors or number is not None):
            yield column, sign, 1.0 if number is None else number, factors
            column, sign, number, factors = at, 1.0, None, []
        if kind == "sign":
            sign = -sign if word == "-" else sign
        elif kind == "number":
            if factors or number is not None:
                raise _unreadable(text, at, "a number must come first in its term")
            number = float(word)
        elif kind in ("factor", "identity"):
            factors.append(word)
    yield column, sign, 1.0 if number is None else number, factors


def _tokens(text: str) -> Iterator[tuple[int, str, str]]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unreadable(text, at, "write it like 'Z0 Z17' or '0.5*Z0 Z1 - X3'")
        if found.lastgroup != "blank":
            yield at, str(found.lastgroup), found.group()
        at = found.end()


def _unreadable(text: str, at: int, hint: str) -> ObservableError:
    return ObservableError(f"cannot read observable {text!r} at column {at + 1}: {hint}")
