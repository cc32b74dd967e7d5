"""Observables as people type them: `Z0 Z17`, `0.5*Z0 Z1 - X3`, `ZZI + 2*IXX`.

    observable = term (("+" | "-") term)*
    term       = [number ["*"]] (factor ["*"])+      factor = X, Y or Z and a qubit number
               | [number ["*"]] label                I, X, Y or Z for each qubit, the last one first
               | [number ["*"]] "I"                  the identity

Blanks are free. Qubit 0 is the circuit's first. What is a label of Qiskit's, projectors included,
stays one in a PUB. Only text is handled here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from pilot_kernel.errors import PubError

__all__ = ["is_text", "parse_observable", "texts_read", "with_texts_read"]

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<factor>[XYZ]\d+)|(?P<label>[IXYZ]+)(?![A-Z\d])|(?P<sign>[+-])|(?P<star>\*)"
    r"|(?P<blank>\s+)"
)
_LABEL = re.compile(r"[IXYZ01+\-rl]+")
_LETTERS = re.compile(r"[IXYZ]+")
_PAULI = re.compile(r"[IXYZ]")


def is_text(value: str) -> bool:
    """Whether it is an observable at first sight: read by the grammar above, or as a label."""
    if _LABEL.fullmatch(value):
        return True
    found = "".join(match[0] for match in _TOKEN.finditer(value))
    return found == value and _PAULI.search(value) is not None


def with_texts_read(pub: Any) -> Any:
    """A PUB in which Qiskit understands the observables; any other value comes back as it is.

    Raises:
        PubError: If a text cannot be read; see `parse_observable`.
    """
    if not isinstance(pub, (tuple, list)) or len(pub) < 2 or not isinstance(pub[0], QuantumCircuit):
        return pub
    circuit, observables, *rest = pub
    return (circuit, texts_read(observables, circuit.num_qubits), *rest)


def texts_read(observables: Any, num_qubits: int) -> Any:
    """Observables of any form, with operators in the places of texts that are no labels.

    What is meant as a label, of another width or with other letters, is left for Qiskit to refuse.

    Raises:
        PubError: If a text cannot be read; see `parse_observable`.
    """
    if isinstance(observables, str):
        left = _is_label(observables, num_qubits) or observables.isalpha()
        return observables if left else parse_observable(observables, num_qubits)
    if isinstance(observables, (list, tuple)):
        return type(observables)(texts_read(each, num_qubits) for each in observables)
    if isinstance(observables, np.ndarray) and observables.dtype.kind in "OU":
        return texts_read(observables.tolist(), num_qubits)
    if isinstance(observables, Mapping):
        return _weighted(observables, num_qubits)
    return observables


def _weighted(observables: Mapping[Any, Any], num_qubits: int) -> Any:
    read = {key: texts_read(key, num_qubits) for key in observables if isinstance(key, str)}
    if all(isinstance(each, str) for each in read.values()):
        return observables
    return sum(
        (value * SparsePauliOp(read.get(key, key)) for key, value in observables.items()),
        SparsePauliOp("I" * num_qubits, 0.0),
    ).simplify()


def _is_label(text: str, num_qubits: int) -> bool:
    return len(text) == num_qubits and _LABEL.fullmatch(text) is not None


def parse_observable(text: str, num_qubits: int) -> SparsePauliOp:
    """Read a real sum of Pauli products.

    Raises:
        PubError: With the column (from 1) of what cannot be read, the qubit that does not exist or
            appears twice in a term, or both meanings of what is a label of Qiskit's as well.
    """
    if _is_label(text, num_qubits) and not _LETTERS.fullmatch(text):
        raise PubError(
            f"observable {text!r} can be read in two ways: as factors that name their qubits, and "
            "as Qiskit's label with a letter for each qubit; write 1*" + text + " for the former"
        )
    terms: list[tuple[str, list[int], float]] = []
    for column, sign, number, words in _terms(text):
        if not words:
            raise _unreadable(text, column, "a term needs factors such as Z0, or I")
        letters, qubits = _factors(text, words, num_qubits)
        terms.append((letters, qubits, sign * number))
    return SparsePauliOp.from_sparse_list(terms, num_qubits)


def _factors(text: str, words: list[str], num_qubits: int) -> tuple[str, list[int]]:
    """The letters of a term other than I, and their qubits."""
    labels = [word for word in words if word.isalpha() and (word != "I" or num_qubits == 1)]
    if labels:
        if len(words) > 1 or len(labels[0]) != num_qubits:
            raise PubError(
                f"observable {text!r}: a label such as {labels[0]} is a term by itself, with a "
                f"letter for each of the {num_qubits} qubits; or name qubits, as in Z0 Z1"
            )
        acting = [(q, letter) for q, letter in enumerate(labels[0][::-1]) if letter != "I"]
        return "".join(letter for _, letter in acting), [qubit for qubit, _ in acting]
    factors = [word for word in words if word != "I"]
    qubits = [int(factor[1:]) for factor in factors]
    for qubit in qubits:
        if qubit >= num_qubits:
            raise PubError(
                f"observable {text!r} acts on qubit {qubit}, "
                f"but the circuit has qubits 0 to {num_qubits - 1}"
            )
        if qubits.count(qubit) > 1:
            raise PubError(f"observable {text!r} names qubit {qubit} twice in one term")
    return "".join(factor[0] for factor in factors), qubits


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
            if number == np.inf:
                raise _unreadable(text, at, "the number is too large")
        elif kind in ("factor", "label"):
            factors.append(word)
    yield column, sign, 1.0 if number is None else number, factors


def _tokens(text: str) -> Iterator[tuple[int, str, str]]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unreadable(text, at, "write it like 'Z0 Z17', '0.5*Z0 Z1 - X3' or 'ZZI'")
        if found.lastgroup != "blank":
            yield at, str(found.lastgroup), found.group()
        at = found.end()


def _unreadable(text: str, at: int, hint: str) -> PubError:
    return PubError(f"cannot read observable {text!r} at column {at + 1}: {hint}")
