"""What is wrong with a PUB that Qiskit refuses, in words that say what to write instead.

It is asked only once Qiskit has refused, so it never refuses anything itself.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.primitives.containers import BitArray, DataBin

from pilot_kernel.primitive.pub.observable_text import is_text

__all__ = ["complaint", "no_number", "no_observable", "unfit_register", "unknown_names"]

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
    said = _of_values(values, circuit) or _of_last(rest, observables=observables)
    return said or no_observable(error)


def no_observable(error: BaseException) -> str:
    """What Qiskit says of observables that it refuses, in plainer words where there are any."""
    said = str(error)
    if said.startswith("Empty observable"):
        return (
            "an observable is zero: its coefficients are 0, or its terms cancel. Its value is 0 "
            "whatever the circuit; leave it out"
        )
    if said.startswith("Non-Hermitian"):
        return "an observable is not Hermitian: coefficients must be real and finite numbers"
    return said


def no_number(pub: Any) -> str:
    """What is no finite number in an estimator PUB that Qiskit takes; empty if all of it is.

    Args:
        pub: An `EstimatorPub`.
    """
    if pub.precision is not None and not np.isfinite(pub.precision):
        return f"precision={pub.precision!r}: a finite number, zero or more"
    observables = {id(each): each for each in pub.observables.sparse_observables_array().ravel()}
    for each in observables.values():
        if not np.isfinite(each.coeffs).all():
            return "an observable has a coefficient that is no finite number"
    return ""


def unfit_register(circuit: QuantumCircuit) -> str:
    """What is wrong with the names of a circuit's classical registers; empty if nothing is."""
    for register in circuit.cregs:
        try:
            DataBin(**{register.name: BitArray(np.zeros((1, 1), dtype=np.uint8), 1)}, shape=())
        except (TypeError, ValueError):
            return (
                f"has a classical register {register.name!r}, a name that Qiskit's results cannot "
                "hold; call it something else"
            )
    return ""


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
        if isinstance(one, str) and is_text(one) and any(map(str.isdigit, one)):
            continue  # such as 0*Z0, which was read and is no label
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
    except (TypeError, ValueError, OverflowError):
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
