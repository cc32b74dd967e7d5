"""Observables as the primitives of simulators and devices take them: Paulis, on their qubits."""

from typing import Any

import numpy as np
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import PauliList, SparseObservable, SparsePauliOp

__all__ = ["in_paulis", "laid_out", "moved"]

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
    paulis = SparsePauliOp.from_sparse_observable(term)
    places = {place: column for column, place in enumerate(kept)}
    inside = [qubit for qubit, wire in enumerate(wires) if wire in places]
    no_flip = [q for q, wire in enumerate(wires) if wire not in places or wire in dephased]
    stays = ~paulis.paulis.x[:, no_flip].any(axis=1)
    columns = [places[wires[qubit]] for qubit in inside]
    z, x = (np.zeros((int(stays.sum()), len(kept)), dtype=bool) for _ in range(2))
    z[:, columns] = paulis.paulis.z[np.ix_(stays, inside)]
    x[:, columns] = paulis.paulis.x[np.ix_(stays, inside)]
    if not stays.any():
        return SparseObservable([("I" * len(kept), 0.0)])
    left = SparsePauliOp(PauliList.from_symplectic(z, x), paulis.coeffs[stays])
    return SparseObservable.from_sparse_pauli_op(left)
