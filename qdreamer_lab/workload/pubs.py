"""PUBs as people hand them over: checked, without what no value depends on, and read as requests.

Nothing runs here, and nothing is said of whether a circuit can be cut.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Delay
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from pilot_kernel.errors import PubError as TextError
from pilot_kernel.primitive.pub.complaints import (
    complaint,
    no_number,
    unfit_register,
    unknown_names,
)
from pilot_kernel.primitive.pub.observable_text import with_texts_read
from qdreamer_lab.errors import PubError
from qdreamer_lab.workload.bindings import all_bound
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from qiskit.circuit import Parameter

    from qdreamer_lab.workload.circuit.lightcone import GateList

__all__ = [
    "check_names",
    "checked_pub",
    "checked_sampler_pub",
    "listed_pubs",
    "outcome_request",
    "owned",
    "pairing",
    "request_of",
    "uncut_work",
]

_SMALL, _VERY_WIDE = 12, 1000
"""Qubits between which work doubles with each."""

_PLANNING = 2.0**20
"""What each set of values takes besides, in the units of `uncut_work`."""

_HOW = "run takes a list of PUBs, also for one: run([(circuit, observables, parameter_values)])"
_HOW_SAMPLED = "run takes a list of PUBs, also for one: run([circuit])"


def listed_pubs(pubs: Iterable[Any], *, sampled: bool = False) -> list[Any]:
    """The PUBs of one call.

    Args:
        pubs: As they were handed over.
        sampled: Whether they are sampler PUBs, of which a circuit alone is one.

    Raises:
        PubError: If it is no list of them, such as a single one.
    """
    how = _HOW_SAMPLED if sampled else _HOW
    if isinstance(pubs, (QuantumCircuit, EstimatorPub, SamplerPub, str)):
        raise PubError(f"{how}; got a single {type(pubs).__name__}")
    try:
        listed = list(pubs)
    except TypeError as error:
        raise PubError(f"{how}; got {type(pubs).__name__}") from error
    if not sampled and listed and isinstance(listed[0], QuantumCircuit):
        raise PubError(f"{_HOW}; got a circuit in the place of a PUB")
    return listed


def checked_pub(pub: Any, precision: float | None, number: int) -> EstimatorPub:
    """A PUB whose parts fit together.

    Args:
        pub: What Qiskit's estimators take.
        precision: If it names none.
        number: Its place in the list, for errors.

    Raises:
        PubError: If they do not fit, or a value is no finite number.
    """
    if precision is not None and not (
        isinstance(precision, (int, float, np.number)) and 0 <= precision < math.inf
    ):
        raise PubError(f"precision={precision!r}: a standard error of zero or more, such as 0.01")
    try:
        checked = EstimatorPub.coerce(with_texts_read(pub), precision)
        check_names(checked)
    except TextError as error:
        raise PubError(f"PUB {number}: {error}") from error
    except (TypeError, ValueError, OverflowError, QiskitError) as error:
        said = complaint(error, pub, observables=True)
        raise PubError(f"PUB {number}: {said}") from error
    if said := no_number(checked):
        raise PubError(f"PUB {number}: {said}")
    given = checked.parameter_values
    if given.num_parameters and not np.isfinite(given.ravel().as_array()).all():
        raise PubError(f"PUB {number}: parameter values must be finite numbers")
    return _without_open_delays(checked)


def checked_sampler_pub(pub: Any, shots: int, number: int) -> SamplerPub:
    """A sampler PUB whose parts fit together, and that nobody else can change.

    Args:
        pub: What Qiskit's samplers take.
        shots: If it names none.
        number: Its place in the list, for errors.

    Raises:
        PubError: If they do not fit, or a value is no finite number.
    """
    try:
        checked = SamplerPub.coerce(pub, shots)
        check_names(checked)
    except AttributeError as error:  # of Qiskit's own check, where there is no circuit
        raise PubError(f"PUB {number} holds no circuit: {pub!r:.60}") from error
    except (TypeError, ValueError, OverflowError, QiskitError) as error:
        said = complaint(error, pub, observables=False)
        raise PubError(f"PUB {number}: {said}") from error
    if said := unfit_register(checked.circuit):
        raise PubError(f"PUB {number} {said}")
    if checked.shots < 1:
        raise PubError(f"PUB {number}: shots={checked.shots}: at least 1")
    if not np.isfinite(checked.parameter_values.ravel().as_array()).all():
        raise PubError(f"PUB {number}: parameter values must be finite numbers")
    values = _copied(checked.parameter_values)
    return SamplerPub(checked.circuit.copy(), values, checked.shots, validate=False)


def outcome_request(
    gates: QuantumCircuit, measured: Sequence[int], parameter_values: BindingsArray
) -> Request:
    """What a sampler PUB asks for: Z on every qubit that is measured tells what may act there.

    Args:
        gates: Its circuit without measurements.
        measured: The qubits that are measured.
        parameter_values: Its own.
    """
    terms = tuple(ProductTerm(1.0, ((qubit, "Z"),)) for qubit in measured)
    return Request(
        source=gates,
        values=_values(gates, parameter_values),
        circuits=_bound(gates, parameter_values),
        observables=(terms,),
        pairs=np.zeros((0, 2), np.int64),
        precision=0.0,
    )


def owned(pub: EstimatorPub, *, lent: bool) -> EstimatorPub:
    """A PUB that nobody else can change: what the user does with circuit and values is no matter.

    Args:
        pub: A PUB that was checked.
        lent: Whether the user cannot change the circuit before all is over.
    """
    values = _copied(pub.parameter_values)
    circuit = pub.circuit if lent else pub.circuit.copy()
    return EstimatorPub(circuit, pub.observables, values, pub.precision, validate=False)


def _copied(given: BindingsArray) -> BindingsArray:
    arrays = {names: array.copy() for names, array in given.data.items()}
    return BindingsArray(arrays, shape=given.shape)


def check_names(pub: EstimatorPub | SamplerPub) -> None:
    """Refuse values of parameters that a circuit does not have; Qiskit only counts them.

    Raises:
        ValueError: Naming them.
    """
    given = {getattr(key, "name", key) for keys in pub.parameter_values.data for key in keys}
    if said := unknown_names(pub.circuit, given):
        raise ValueError(said)


def request_of(
    pub: EstimatorPub, first_gates: GateList | None = None, *, lent: bool = False
) -> Request:
    """What a PUB asks for.

    Args:
        pub: A PUB that was checked.
        first_gates: The gates of its circuit with the first values, if they are known.
        lent: Whether the user cannot change the circuit before all is over.
    """
    which, observables = pairing(pub)
    return Request(
        source=pub.circuit,
        values=_values(pub.circuit, pub.parameter_values),
        circuits=_bound(pub.circuit, pub.parameter_values, lent=lent),
        observables=tuple(product_terms(observable) for observable in observables),
        pairs=which.reshape(2, -1).T,
        precision=pub.precision,
        first_gates=first_gates,
    )


def pairing(pub: EstimatorPub) -> tuple[NDArray[np.int64], list[Any]]:
    """Which binding meets which observable.

    Returns:
        (2, *shape) int64, shape being the PUB's: flat index of the binding and of the observable;
        and the observables they count.
    """
    values, observables = pub.parameter_values, pub.observables
    bindings = np.arange(values.size, dtype=np.int64).reshape(values.shape)
    numbers = np.arange(observables.size, dtype=np.int64).reshape(observables.shape)
    which = np.empty((2, *pub.shape), np.int64)
    which[0], which[1] = bindings, numbers
    return which, as_sparse(observables, pub.circuit.num_qubits)


def uncut_work(pub: EstimatorPub, num_gates: int) -> float:
    """Amplitudes, times gates and terms, of running a PUB's circuit uncut with all its values.

    Args:
        pub: A PUB that was checked.
        num_gates: Of its circuit.
    """
    terms = sum(each.num_terms for each in as_sparse(pub.observables, pub.circuit.num_qubits))
    # Small circuits take time as well: to be read gate by gate, and to be planned.
    width = min(max(pub.circuit.num_qubits, _SMALL), _VERY_WIDE)
    return int(pub.parameter_values.size) * (math.ldexp(num_gates + terms, width) + _PLANNING)


def _bound(
    circuit: QuantumCircuit, values: BindingsArray, *, lent: bool = False
) -> tuple[QuantumCircuit, ...]:
    """The circuit with each binding; never the one that the user may change, unless it is lent."""
    if not circuit.parameters:
        return (circuit if lent else circuit.copy(),) * int(values.size)
    return all_bound(circuit, values)


def _values(circuit: QuantumCircuit, values: BindingsArray) -> tuple[dict[str, float], ...]:
    """Every parameter's value by name, for each binding."""
    if not circuit.parameters:
        return ({},) * int(values.size)
    names = [parameter.name for parameter in circuit.parameters]
    rows = values.as_array(circuit.parameters).reshape(values.size, len(names))
    return tuple(dict(zip(names, row, strict=True)) for row in rows.tolist())


def _without_open_delays(pub: EstimatorPub) -> EstimatorPub:
    """Without delays that have parameters: no value depends on them, and not all can be bound."""
    circuit = pub.circuit
    if not circuit.parameters or not any(map(_is_open_delay, circuit.data)):
        return pub
    left = circuit.copy_empty_like()
    for instruction in circuit.data:
        if not _is_open_delay(instruction):
            left.append(instruction)
    values, shape = pub.parameter_values, pub.parameter_values.shape
    every: list[Parameter] = list(circuit.parameters)
    columns = dict(zip(every, np.moveaxis(values.as_array(every), -1, 0), strict=True))
    kept = BindingsArray({p: columns[p] for p in left.parameters}, shape=shape)
    return EstimatorPub(left, pub.observables, kept, pub.precision)


def _is_open_delay(instruction: Any) -> bool:
    if instruction.is_standard_gate() or not isinstance(instruction.operation, Delay):
        return False
    return bool(getattr(instruction.operation.duration, "parameters", ()))
