"""What is wrong with a PUB that Qiskit refuses, in words that say what to write instead.

It is asked only once Qiskit has refused, so it never refuses anything itself.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

__all__ = ["complaint", "unknown_names"]

_MOST_NAMES = 6


def complaint(error: BaseException, pub: Any, *, observables: bool) -> str:
    """Why a PUB was refused, and what would do.

    Args:
        error: What Qiskit says.
        pub: A PUB as it was handed over.
        observables: Whether an estimator was to take it.

    Returns:
        One sentence; Qiskit's own if nothing better is known.
    """
    if not isinstance(pub, (tuple, list)):
        return str(error)
    form = "(circuit, observables, parameter_values)" if observables else "(circuit, values)"
    if not pub or not isinstance(pub[0], QuantumCircuit):
        first = type(pub[0]).__name__ if pub else "nothing"
        return f"a PUB is {form}, and this one begins with {first}"
    circuit, rest = pub[0], list(pub[1:])
    if observables:
        if not rest:
            return f"it has no observables; a PUB is {form}"
        if said := _of_observables(rest.pop(0), circuit.num_qubits):
            return said
    values = rest.pop(0) if rest else None
    return _of_values(values, circuit) or _of_last(rest, observables=observables) or str(error)


def unknown_names(circuit: QuantumCircuit, given: set[str]) -> str:
    """What to say of values for parameters that a circuit does not have; empty if it has all.

    Args:
        circuit: The circuit of a PUB.
        given: Names of the parameters that have values.
    """
    known = {parameter.name for parameter in circuit.parameters}
    if given == known:
        return ""
    wrong, missing = sorted(given - known), sorted(known - given)
    said = [f"values are given for {', '.join(wrong)}"] if wrong else []
    said += [f"there is no value for {_few(missing)}"] if missing else []
    return f"{' and '.join(said)}; the circuit's parameters are {_few(sorted(known)) or 'none'}"


def _of_observables(observables: Any, num_qubits: int) -> str:
    """What is wrong with the texts and operators among observables."""
    for one in _each(observables):
        width = len(one) if isinstance(one, str) else getattr(one, "num_qubits", None)
        if isinstance(one, str) and (strange := sorted(set(one) - set("IXYZ01+-rl"))):
            return (
                f"observable {one!r} holds {', '.join(map(repr, strange))}; a Pauli string has a "
                f"letter for each of the {num_qubits} qubits, I, X, Y or Z, the last one for "
                f"qubit 0, such as {_example(num_qubits)!r}"
            )
        if width is None:
            return (
                f"{one!r:.60} is no observable; write a Pauli string such as "
                f"{_example(num_qubits)!r}, or a SparsePauliOp"
            )
        if width != num_qubits:
            what = f"{str(one)!r:.60}" if isinstance(one, str) else type(one).__name__
            qubits = "1 qubit" if width == 1 else f"{width} qubits"
            return (
                f"observable {what} is of {qubits} and the circuit has {num_qubits}; it "
                f"needs a letter for each, I where nothing is measured, such as "
                f"{_example(num_qubits)!r}"
            )
    return ""


def _each(observables: Any) -> list[Any]:
    """All observables in an array or list of any depth; of a dict, its keys."""
    if isinstance(observables, Mapping):
        return list(observables)
    if isinstance(observables, (list, tuple, np.ndarray)):
        return [one for part in observables for one in _each(part)]
    return [observables]


def _example(num_qubits: int) -> str:
    return "I" * (num_qubits - 1) + "Z" if num_qubits <= 12 else f"I...IZ of {num_qubits} letters"


def _of_values(values: Any, circuit: QuantumCircuit) -> str:
    """What is wrong with parameter values in the order of the parameters, or by their names."""
    names = [parameter.name for parameter in circuit.parameters]
    if isinstance(values, Mapping):
        return _of_mapping(values, circuit)
    if values is None:
        how = "give them last in the PUB, or bind them with circuit.assign_parameters"
        return f"there are no values for {_few(names)}; {how}" if names else ""
    try:
        shape = np.shape(np.asarray(values, dtype=float)) or (1,)
    except (TypeError, ValueError):
        hint = (
            "; an observable is a Pauli string of I, X, Y and Z, and several go into a list: "
            "(circuit, [first, second])"
        )
        hint = hint if isinstance(values, str) else ""
        return f"parameter values are numbers, and these are {values!r:.60}{hint}"
    count = len(names)
    if count == 1 or shape[-1] == count:
        return ""
    if not names:
        return "it has parameter values, and its circuit has no parameters; leave them out"
    return (
        f"the circuit has {count} parameters ({_few(names)}), and the values have {shape[-1]} in "
        f"a row; give one for each in this order, shape ({count},), or (points, {count}) for a "
        "sweep"
    )


def _of_mapping(values: Mapping[Any, Any], circuit: QuantumCircuit) -> str:
    """What is wrong with values by the names of their parameters."""
    vectors = {p.vector.name for p in circuit.parameters if hasattr(p, "vector")}
    given: set[str] = set()
    for key, value in values.items():
        if isinstance(key, str) and key in vectors:
            return f"{key!r} names a ParameterVector; the key is the vector itself, not its name"
        listed = list(key) if isinstance(key, (tuple, ParameterVector)) else [key]
        names = [str(getattr(each, "name", each)) for each in listed]
        given.update(names)
        last = (np.shape(value) or (1,))[-1]
        if len(names) > 1 and last != len(names):
            return (
                f"{_few(names)} are {len(names)} parameters, and their values have {last} in a row"
            )
    return unknown_names(circuit, given)


def _of_last(rest: list[Any], *, observables: bool) -> str:
    """What is wrong with the shots or the precision that a PUB names itself."""
    if not rest or rest[0] is None:
        return ""
    if observables:
        good = isinstance(rest[0], (int, float, np.number)) and 0 <= rest[0] < np.inf
        return "" if good else f"precision={rest[0]!r:.60}: a finite number, zero or more"
    good = isinstance(rest[0], (int, np.integer)) and rest[0] >= 1
    return "" if good else f"shots={rest[0]!r:.60}: a whole number of at least 1"


def _few(names: list[str]) -> str:
    """Names, the middle left out if they are many."""
    return ", ".join(names if len(names) <= _MOST_NAMES else [*names[:3], "...", names[-1]])
