"""Observables as sums of products of one-qubit operators.

Fragments only ever see a product restricted to their own qubits, so a projector letter stays one
factor here: writing it out in Paulis would double the terms for each letter. Plain data: it must
not know Qiskit, and evaluates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["DIAGONAL", "LETTERS", "Factors", "ProductTerm"]

Factors = tuple[tuple[int, str], ...]
"""(qubit, letter) for every qubit acted on, by ascending qubit; letters are the keys of LETTERS."""

LETTERS: Mapping[str, NDArray[np.complex128]] = MappingProxyType(
    {
        letter: np.array(rows, dtype=np.complex128) / scale
        for letter, rows, scale in (
            ("X", [[0, 1], [1, 0]], 1),
            ("Y", [[0, -1j], [1j, 0]], 1),
            ("Z", [[1, 0], [0, -1]], 1),
            ("0", [[1, 0], [0, 0]], 1),
            ("1", [[0, 0], [0, 1]], 1),
            ("+", [[1, 1], [1, 1]], 2),
            ("-", [[1, -1], [-1, 1]], 2),
            ("r", [[1, -1j], [1j, 1]], 2),
            ("l", [[1, 1j], [-1j, 1]], 2),
        )
    }
)
"""Qiskit's observable letters as (2, 2) matrices: Paulis, and projectors on their eigenstates."""

DIAGONAL = frozenset("Z01")
"""The letters whose matrices are diagonal."""


@dataclass(frozen=True, slots=True)
class ProductTerm:
    """`coefficient` times the product of one-qubit operators `factors`."""

    coefficient: float
    factors: Factors
