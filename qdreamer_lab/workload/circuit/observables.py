"""Reading Qiskit's observables: anything its primitives take, as terms.

It must not evaluate anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.pub.complaints import no_observable
from pilot_kernel.primitive.pub.observable_text import parse_observable, texts_read
from qdreamer_lab.errors import ObservableError
from qdreamer_lab.workload.circuit.terms import ProductTerm

__all__ = ["as_sparse", "product_terms", "read_observable"]


def as_sparse(observables: object, num_qubits: int) -> list[Any]:
    """Coerce one or many observables to a flat list of Qiskit's `SparseObservable`.

    Raises:
        ObservableError: If one is not Hermitian, not finite, zero, or not on `num_qubits` qubits.
    """
    try:
        array = ObservablesArray.coerce(texts_read(observables, num_qubits))
    except PubError as error:
        raise ObservableError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise ObservableError(f"not an observable: {no_observable(error)}") from error
    sparse = list(array.sparse_observables_array().ravel())
    for observable in sparse:
        if not np.isfinite(observable.coeffs).all():
            raise ObservableError("an observable has a coefficient that is no finite number")
        if observable.num_qubits != num_qubits:
            raise ObservableError(
                f"an observable acts on {observable.num_qubits} qubits "
                f"but the circuit has {num_qubits}"
            )
    return sparse


def read_observable(text: str, num_qubits: int) -> Any:
    """The `SparsePauliOp` that a text such as `0.5*Z0 Z1 - X3` or `ZZI` says.

    Raises:
        ObservableError: If it cannot be read, or in two ways.
    """
    try:
        return parse_observable(text, num_qubits)
    except PubError as error:
        raise ObservableError(str(error)) from error


def product_terms(observable: Any) -> tuple[ProductTerm, ...]:
    """The terms of a `SparseObservable`, in its own order."""
    return tuple(
        ProductTerm(
            float(np.real(value)), tuple(sorted(zip(map(int, qubits), letters, strict=True)))
        )
        for letters, qubits, value in observable.to_sparse_list()
    )
