"""Observables in Pauli terms, on the qubits where a rewritten circuit has them."""

from typing import Any

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import SparseObservable

from pilot_kernel.errors import PubError

__all__ = ["in_paulis", "laid_out", "moved"]

_PAULIS = frozenset("XYZ")
_ON_ZERO = {"X": 0, "Y": 0, "Z": 1, "0": 1, "1": 0, "+": 0.5, "-": 0.5, "r": 0.5, "l": 0.5}
_DEPHASED = {"X": 0, "Y": 0, "+": 0.5, "-": 0.5, "r": 0.5, "l": 0.5}
_MOST_STRINGS = 2**20


def in_paulis(observables: ObservablesArray) -> ObservablesArray:
    """The same observables for primitives that know no projectors (0, 1, +, -, r, l).

    Most come back as they are.
    """
    terms = observables.sparse_observables_array().ravel()
    if all(set(label) <= _PAULIS for term in terms for label, _, _ in term.to_sparse_list()):
        return observables
    return _array([_expanded(term) for term in terms], observables.shape)


def laid_out(observables: ObservablesArray, layout: Any) -> ObservablesArray:
    """The same observables on the qubits where a transpiler has put the circuit's."""
    terms = observables.sparse_observables_array().ravel()
    return _array([term.apply_layout(layout) for term in terms], observables.shape)


def _array(terms: list[Any], shape: tuple[int, ...]) -> ObservablesArray:
    array = np.empty(len(terms), dtype=object)
    array[:] = terms
    return ObservablesArray(array.reshape(shape), validate=False)


def moved(
    observables: ObservablesArray, wires: list[int], dephased: frozenset[int], kept: list[int]
) -> ObservablesArray:
    """The same observables where a circuit's qubits were moved, measured or left out.

    Args:
        observables: Any, projectors too.
        wires: For each qubit, where it is now.
        dephased: Places on which X and Y vanish.
        kept: Places that are simulated; on the others is |0>.

    Returns:
        Paulis on the places kept, in their order; what vanishes is zero times the identity.
    """
    done: dict[int, SparseObservable] = {}
    terms = observables.sparse_observables_array().ravel()
    for term in terms:
        if id(term) not in done:
            done[id(term)] = _moved(term, wires, dephased, kept)
    return _array([done[id(term)] for term in terms], observables.shape)


def _moved(
    term: SparseObservable, wires: list[int], dephased: frozenset[int], kept: list[int]
) -> SparseObservable:
    places = {place: column for column, place in enumerate(kept)}
    found = []
    for label, qubits, weight in term.to_sparse_list():
        left = ""
        columns = []
        for letter, qubit in zip(label, qubits, strict=True):
            place = wires[qubit]
            if place not in places:
                weight *= _ON_ZERO[letter]
            elif place in dephased and letter in _DEPHASED:
                weight *= _DEPHASED[letter]
            else:
                left += letter
                columns.append(places[place])
        if weight:
            found.append((left, columns, weight))
    return _expanded(SparseObservable.from_sparse_list(found, len(kept)))


def _expanded(term: SparseObservable) -> SparseObservable:
    """In Paulis alone. Zero is zero times the identity, since Qiskit wants at least one term."""
    strings = sum(
        2 ** sum(letter not in _PAULIS for letter in label) for label, _, _ in term.to_sparse_list()
    )
    if strings > _MOST_STRINGS:
        raise PubError(
            f"an observable with projectors (0, 1, +, -, r, l) is {strings:.3g} Pauli strings, "
            f"more than {_MOST_STRINGS}; project fewer qubits, or sample the circuit"
        )
    paulis = term.as_paulis().simplify()
    return paulis if len(paulis) else SparseObservable([("I" * term.num_qubits, 0.0)])
