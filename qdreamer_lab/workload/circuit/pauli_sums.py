"""Observables as sums of Pauli strings, for simulators that know nothing else.

Projector letters are written out, which doubles the strings for each. It must not evaluate
anything.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from qdreamer_lab.errors import MethodError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qdreamer_lab.workload.circuit.terms import Factors, ProductTerm

__all__ = ["PauliSum", "pauli_sum"]

PauliSum = tuple[tuple[float, "Factors"], ...]
"""(coefficient, Pauli string) for each string; the identity has no factors."""

_PROJECTORS = {"0": ("Z", 1), "1": ("Z", -1), "+": ("X", 1), "-": ("X", -1), "r": ("Y", 1)}
_PROJECTORS["l"] = ("Y", -1)

_MOST_STRINGS = 1 << 16
"""More than that would take longer to write down than to simulate."""


def pauli_sum(terms: Iterable[ProductTerm]) -> PauliSum:
    """An observable in Pauli strings, each once.

    Raises:
        MethodError: If projectors make it too many.
    """
    found: dict[Factors, float] = {}
    for term in terms:
        for coefficient, string in _strings(term):
            found[string] = found.get(string, 0.0) + coefficient
            if len(found) > _MOST_STRINGS:
                raise MethodError(
                    f"its projectors make more than {_MOST_STRINGS:,} Pauli strings; use "
                    'method="statevector", which takes projectors as they are'
                )
    return tuple((coefficient, string) for string, coefficient in found.items())


def _strings(term: ProductTerm) -> Iterator[tuple[float, Factors]]:
    """A projector is half the identity, and plus or minus half a Pauli operator."""
    choices = [
        [(0.5, None), (0.5 * _PROJECTORS[letter][1], (qubit, _PROJECTORS[letter][0]))]
        if letter in _PROJECTORS
        else [(1.0, (qubit, letter))]
        for qubit, letter in term.factors
    ]
    for chosen in itertools.product(*choices):
        coefficient = term.coefficient
        for part, _ in chosen:
            coefficient *= part
        yield coefficient, tuple(factor for _, factor in chosen if factor is not None)
