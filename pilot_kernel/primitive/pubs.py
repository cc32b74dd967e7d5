"""From what people write to checked PUBs, before anything is submitted.

Every complaint is a PubError that says which PUB and what to do about it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

from pilot_kernel.errors import PubError

__all__ = ["estimator_pubs", "has_observables", "listed", "sampler_pubs"]

_OPERATORS = (Pauli, PauliList, SparsePauliOp, SparseObservable, ObservablesArray)
_LETTERS = frozenset("IXYZ01+-rl")


def listed(pubs: Any) -> list[Any]:
    """A list of PUBs, whether one or several were given."""
    if isinstance(pubs, (QuantumCircuit, SamplerPub, EstimatorPub)):
        return [pubs]
    if isinstance(pubs, tuple) and len(pubs) > 1 and isinstance(pubs[0], QuantumCircuit):
        several = isinstance(pubs[1], (QuantumCircuit, tuple)) and not _observable(pubs[1])
        return list(pubs) if several else [pubs]
    if isinstance(pubs, (list, tuple)) and pubs:
        return list(pubs)
    raise PubError(
        f"expected a circuit, a PUB such as (circuit, observables), or a list of them; got "
        f"{_shown(pubs)}"
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
        return len(pub) > 1 and _observable(pub[1])
    raise PubError(f"PUB {number} is no circuit and no (circuit, ...), but {_shown(pub)}")


def _observable(value: Any) -> bool:
    if isinstance(value, (list, tuple, np.ndarray)):
        return len(value) > 0 and _observable(value[0])
    if isinstance(value, str):
        return bool(value) and set(value) <= _LETTERS
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
    if not isinstance(shots, (int, np.integer)) or shots < 1:
        raise PubError(f"shots={shots!r}: a whole number of at least 1")
    found = []
    for number, pub in enumerate(pubs):
        circuit, values = _parts(pub, number, values_at=1)
        _check_bound(circuit, values, number)
        if not circuit.clbits or not circuit.count_ops().get("measure", _has_body(circuit)):
            raise PubError(
                f"PUB {number} measures nothing; add measure_all() to the circuit, or give "
                "observables: (circuit, observables)"
            )
        found.append(_coerce(SamplerPub, pub, shots, number))
    return found


def estimator_pubs(pubs: Sequence[Any], precision: float) -> list[EstimatorPub]:
    """Coerce and check PUBs for estimation.

    Args:
        pubs: What `EstimatorPub.coerce` takes.
        precision: Standard error for those that name none; 0 is exact.

    Raises:
        PubError: A PUB cannot run as it is.
    """
    if precision < 0:
        raise PubError(f"precision={precision!r}: zero (exact) or more")
    found = []
    for number, pub in enumerate(pubs):
        circuit, values = _parts(pub, number, values_at=2)
        _check_bound(circuit, values, number)
        found.append(_coerce(EstimatorPub, pub, precision, number))
    return found


def _parts(pub: Any, number: int, *, values_at: int) -> tuple[QuantumCircuit, Any]:
    if isinstance(pub, (SamplerPub, EstimatorPub)):
        return pub.circuit, pub.parameter_values
    if isinstance(pub, QuantumCircuit):
        return pub, None
    if isinstance(pub, (tuple, list)) and pub and isinstance(pub[0], QuantumCircuit):
        return pub[0], pub[values_at] if len(pub) > values_at else None
    raise PubError(f"PUB {number} is no circuit and no (circuit, ...), but {_shown(pub)}")


def _check_bound(circuit: QuantumCircuit, values: Any, number: int) -> None:
    if circuit.num_parameters and values is None:
        names = [parameter.name for parameter in circuit.parameters]
        shown = ", ".join(names if len(names) <= 6 else [*names[:3], "...", names[-1]])
        raise PubError(
            f"PUB {number} has no values for its {len(names)} parameters ({shown}); give them in "
            "the PUB, or bind them with circuit.assign_parameters"
        )


def _has_body(circuit: QuantumCircuit) -> int:
    """Whether measurements may hide in the bodies of control flow."""
    return int(any(getattr(inst.operation, "blocks", ()) for inst in circuit.data))


def _coerce(kind: Any, pub: Any, default: float, number: int) -> Any:
    try:
        return kind.coerce(tuple(pub) if isinstance(pub, list) else pub, default)
    except (ValueError, TypeError) as error:
        raise PubError(f"PUB {number}: {error}") from error


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
