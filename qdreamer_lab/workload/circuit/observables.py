"""Reading Qiskit's observables: anything its primitives take, as terms.

It must not evaluate anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray

from qdreamer_lab.errors import ObservableError
from qdreamer_lab.workload.circuit.terms import ProductTerm

__all__ = ["as_sparse", "product_terms"]


def as_sparse(observables: object, num_qubits: int) -> list[Any]:
    """Coerce one or many observables to a flat list of Qiskit's `SparseObservable`.

    Raises:
        ObservableError: If one is not Hermitian, is zero, or is not on `num_qubits` qubits.
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
