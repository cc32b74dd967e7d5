"""PUBs checked before anything is submitted, from whatever form users write them in.

Every complaint is a PubError that says which PUB and what to do about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVectorElement
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.gates import measures
from pilot_kernel.primitive.circuit.measured_at_end import without_measurements_at_end
from pilot_kernel.primitive.pub.complaints import (
    complaint,
    no_number,
    unfit_register,
    unknown_names,
)
from pilot_kernel.primitive.pub.observable_text import is_text, with_texts_read

__all__ = ["estimator_pubs", "has_observables", "listed", "sampler_pubs"]

_OPERATORS = (Pauli, PauliList, SparsePauliOp, SparseObservable, ObservablesArray)


def listed(pubs: Any, *, may_be_empty: bool = False) -> list[Any]:
    """A list of PUBs, whether one or several were given.

    Raises:
        PubError: They are no PUBs, or an empty list where that has no meaning.
    """
    if isinstance(pubs, (QuantumCircuit, SamplerPub, EstimatorPub)):
        return [pubs]
    if isinstance(pubs, tuple) and len(pubs) > 1 and isinstance(pubs[0], QuantumCircuit):
        several = isinstance(pubs[1], (QuantumCircuit, tuple)) and not _observable(pubs[1])
        return list(pubs) if several else [pubs]
    if isinstance(pubs, Iterable) and not isinstance(pubs, (str, bytes, Mapping)):
        found = list(pubs)
        if found or may_be_empty:
            return found
    program = isinstance(pubs, str) and "OPENQASM" in pubs
    hint = "; OpenQASM is read by qiskit.qasm3.loads, or by %%qtask --qasm" if program else ""
    raise PubError(
        f"expected a circuit, a PUB such as (circuit, observables), or a list of them; got "
        f"{_shown(pubs)}{hint}"
    )


def has_observables(pubs: Sequence[Any]) -> bool:
    """Whether the PUBs are an estimator's.

    Raises:
        PubError: One is no PUB, or only some have observables.
    """
    estimates = [_estimates(pub, number) for number, pub in enumerate(pubs)]
    if any(estimates) and not all(estimates):
        raise PubError(
            f"PUB {estimates.index(True)} has observables and PUB {estimates.index(False)} has "
            "none; run them apart"
        )
    return estimates[0]


def _estimates(pub: Any, number: int) -> bool:
    if isinstance(pub, (SamplerPub, EstimatorPub)):
        return isinstance(pub, EstimatorPub)
    if isinstance(pub, QuantumCircuit):
        return False
    if isinstance(pub, (tuple, list)) and pub and isinstance(pub[0], QuantumCircuit):
        return len(pub) > 1 and (_text(pub[1]) or (_observable(pub[1]) and not _binds(pub)))
    raise PubError(f"PUB {number} is neither a circuit nor (circuit, ...): it is {_shown(pub)}")


def _binds(pub: Sequence[Any]) -> bool:
    """Whether a dict that looks like an observable binds parameters called `X` or `r`."""
    circuit, second, *rest = pub
    if not isinstance(second, Mapping) or (rest and not isinstance(rest[0], (int, np.integer))):
        return False
    names = {parameter.name for parameter in circuit.parameters}
    names |= {p.vector.name for p in circuit.parameters if isinstance(p, ParameterVectorElement)}
    keys = [key for keys in second for key in (keys if isinstance(keys, tuple) else (keys,))]
    return bool(keys) and all(getattr(key, "name", key) in names for key in keys)


def _text(value: Any) -> bool:
    """Whether it is meant as observables, written right or not: no parameter values are texts."""
    if isinstance(value, (list, tuple)):
        return bool(value) and _text(value[0])
    return isinstance(value, str)


def _observable(value: Any) -> bool:
    if isinstance(value, (list, tuple, np.ndarray)):
        return len(value) > 0 and _observable(value[0])
    if isinstance(value, str):
        return is_text(value)
    if isinstance(value, Mapping):
        return any(isinstance(key, Pauli) or _observable(key) for key in value)
    return isinstance(value, _OPERATORS)


def sampler_pubs(pubs: Sequence[Any], shots: int) -> list[SamplerPub]:
    """Coerce and check PUBs for sampling.

    Args:
        pubs: What `SamplerPub.coerce` takes.
        shots: Shots for those that name none.

    Raises:
        PubError: A PUB cannot run as it is.
    """
    if isinstance(shots, bool) or not isinstance(shots, (int, np.integer)) or shots < 1:
        raise PubError(f"shots={shots!r}: a whole number of at least 1")
    found = []
    for number, pub in enumerate(pubs):
        circuit, values = _parts(pub, number, values_at=1)
        _check_bound(circuit, values, number)
        if not measures(circuit):
            raise PubError(
                f"PUB {number} measures nothing; add measure_all() to the circuit, or give "
                "observables: (circuit, observables)"
            )
        _check_registers(circuit, number)
        found.append(_coerce(SamplerPub, pub, shots, number))
    return found


def estimator_pubs(pubs: Sequence[Any], precision: float) -> list[EstimatorPub]:
    """Coerce and check PUBs for estimation; measurements at the end of circuits are left out.

    Args:
        pubs: What `EstimatorPub.coerce` takes.
        precision: Standard error for those that name none; 0 is exact.

    Raises:
        PubError: A PUB cannot run as it is.
    """
    if not isinstance(precision, (int, float, np.number)) or not 0 <= precision < np.inf:
        raise PubError(f"precision={precision!r}: a finite number, zero (exact) or more")
    found = []
    for number, pub in enumerate(pubs):
        circuit, values = _parts(pub, number, values_at=2)
        _check_bound(circuit, values, number)
        found.append(_coerce(EstimatorPub, pub, float(precision), number))
    # PUBs that share a circuit go on sharing it.
    bare = {id(pub.circuit): without_measurements_at_end(pub.circuit) for pub in found}
    return [_with_circuit(pub, bare[id(pub.circuit)]) for pub in found]


def _with_circuit(pub: EstimatorPub, circuit: QuantumCircuit) -> EstimatorPub:
    if circuit is pub.circuit:
        return pub
    given = pub.observables, pub.parameter_values, pub.precision
    return EstimatorPub(circuit, *given, validate=False)


def _parts(pub: Any, number: int, *, values_at: int) -> tuple[QuantumCircuit, Any]:
    if isinstance(pub, (SamplerPub, EstimatorPub)):
        return pub.circuit, pub.parameter_values
    if isinstance(pub, QuantumCircuit):
        return pub, None
    if isinstance(pub, (tuple, list)) and pub and isinstance(pub[0], QuantumCircuit):
        return pub[0], pub[values_at] if len(pub) > values_at else None
    raise PubError(f"PUB {number} is neither a circuit nor (circuit, ...): it is {_shown(pub)}")


def _check_bound(circuit: QuantumCircuit, values: Any, number: int) -> None:
    if circuit.num_parameters and values is None:
        names = [parameter.name for parameter in circuit.parameters]
        shown = ", ".join(names if len(names) <= 6 else [*names[:3], "...", names[-1]])
        raise PubError(
            f"PUB {number} has no values for its {len(names)} parameters ({shown}); give them in "
            "the PUB, or bind them with circuit.assign_parameters"
        )


def _check_registers(circuit: QuantumCircuit, number: int) -> None:
    if said := unfit_register(circuit):
        raise PubError(f"PUB {number} {said}")


def _check_values(pub: SamplerPub | EstimatorPub, number: int) -> None:
    keys = {key for names in pub.parameter_values.data for key in names}
    if said := unknown_names(pub.circuit, {getattr(key, "name", key) for key in keys}):
        raise PubError(f"PUB {number}: {said}")  # Qiskit only counts them
    for names, values in pub.parameter_values.data.items():
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            name = names[wrong[0][-1]]
            raise PubError(
                f"PUB {number}: the value of parameter {name!r} is {values[tuple(wrong[0])]}, not "
                "a finite number"
            )


def _coerce(kind: Any, pub: Any, default: float, number: int) -> Any:
    try:
        read = with_texts_read(pub) if kind is EstimatorPub else pub
        found = kind.coerce(tuple(read) if isinstance(read, list) else read, default)
    except PubError as error:
        raise PubError(f"PUB {number}: {error}") from error
    except (ValueError, TypeError, OverflowError, QiskitError) as error:
        said = complaint(error, pub, observables=kind is EstimatorPub)
        raise PubError(f"PUB {number}: {said}") from error
    if kind is EstimatorPub and (said := no_number(found)):
        raise PubError(f"PUB {number}: {said}")
    _check_values(found, number)
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
