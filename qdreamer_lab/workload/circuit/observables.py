"""Observables as sums of products of one-qubit operators.

Fragments only ever see a product restricted to their own qubits, so a projector letter stays one
factor here: writing it out in Paulis would double the terms for each letter. It must not evaluate
anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray

from qdreamer_lab.errors import ObservableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["DIAGONAL", "LETTERS", "Factors", "ProductTerm", "as_sparse", "product_terms"]

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


def as_sparse(observables: object, num_qubits: int) -> list[Any]:
    """Coerce one or many observables to a flat list of Qiskit's `SparseObservable`.

    Raises:
        ObservableError: if one is not Hermitian, is zero, or is not on `num_qubits` qubits.
    """
    try:
        array = ObservablesArray.coerce(observables)
    except (TypeError, ValueError) as error:
        raise ObservableError(f"not an observable: {error}") from error
    sparse = list(array.sparse_observables_array().ravel())
    for observable in sparse:
        if observable.num_qubits != num_qubits:
            raise ObservableError(
                f"an observable acts on {observable.num_qubits} qubits "
                f"but the circuit has {num_qubits}"
            )
    return sparse


def product_terms(observable: Any) -> tuple[ProductTerm, ...]:
    """The terms of a `SparseObservable`, in its own order."""
    return tuple(
        ProductTerm(
            float(np.real(value)), tuple(sorted(zip(map(int, qubits), letters, strict=True)))
        )
        for letters, qubits, value in observable.to_sparse_list()
    )
