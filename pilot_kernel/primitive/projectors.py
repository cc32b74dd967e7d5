"""Observables with projectors (0, 1, +, -, r, l), written as sums of Paulis."""

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray

__all__ = ["in_paulis"]

_PAULIS = frozenset("XYZ")


def in_paulis(observables: ObservablesArray) -> ObservablesArray:
    """The same observables for primitives that know no projectors; most come back as they are."""
    terms = observables.sparse_observables_array().ravel()
    if all(set(label) <= _PAULIS for term in terms for label, _, _ in term.to_sparse_list()):
        return observables
    expanded = np.empty(len(terms), dtype=object)
    expanded[:] = [term.as_paulis().simplify() for term in terms]
    return ObservablesArray(expanded.reshape(observables.shape), validate=False)
