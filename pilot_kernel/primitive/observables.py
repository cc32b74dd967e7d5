"""Observables as the primitives of simulators and devices take them: Paulis, on their qubits."""

from typing import Any

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray

__all__ = ["in_paulis", "laid_out"]

_PAULIS = frozenset("XYZ")


def in_paulis(observables: ObservablesArray) -> ObservablesArray:
    """The same observables for primitives that know no projectors (0, 1, +, -, r, l).

    Most come back as they are.
    """
    terms = observables.sparse_observables_array().ravel()
    if all(set(label) <= _PAULIS for term in terms for label, _, _ in term.to_sparse_list()):
        return observables
    return _array([term.as_paulis().simplify() for term in terms], observables.shape)


def laid_out(observables: ObservablesArray, layout: Any) -> ObservablesArray:
    """The same observables on the qubits where a transpiler has put the circuit's."""
    terms = observables.sparse_observables_array().ravel()
    return _array([term.apply_layout(layout) for term in terms], observables.shape)


def _array(terms: list[Any], shape: tuple[int, ...]) -> ObservablesArray:
    array = np.empty(len(terms), dtype=object)
    array[:] = terms
    return ObservablesArray(array.reshape(shape), validate=False)
