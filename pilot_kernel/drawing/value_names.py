"""Names for the values of a result: observables and parameter values."""

import itertools
from typing import Any

import numpy as np

from pilot_kernel.drawing.charts import is_sweep

__all__ = ["observable_names", "pub_bindings", "value_names"]

_MOST_NAMED = 16
_PARAMETERS = 3


def value_names(pubs: Any, *, plain: bool = False) -> list[Any]:
    """The names of the values of each PUB, as arrays that broadcast with them.

    Args:
        pubs: What was run, as a primitive takes it.
        plain: Names of the observables only, without values of parameters.

    Returns:
        An array for each PUB; an empty list if they have no observables.
    """
    named = [(pub, observable_names(pub.observables)) for pub in _estimator_pubs(pubs)]
    return [names if plain else _with_parameters(pub, names) for pub, names in named]


def _estimator_pubs(pubs: Any) -> list[Any]:
    """The PUBs as Qiskit's own objects; empty for PUBs without observables."""
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    from pilot_kernel.primitive.pub.check import has_observables, listed
    from pilot_kernel.primitive.pub.observable_text import with_texts_read

    found = listed(pubs)
    if not has_observables(found):
        return []
    read = map(with_texts_read, found)
    return [EstimatorPub.coerce(tuple(pub) if isinstance(pub, list) else pub) for pub in read]


def _with_parameters(pub: Any, names: Any) -> Any:
    """Names with parameter values in them, where a table has several sets of them."""
    sets = pub.parameter_values
    if sets.size < 2 or is_sweep(pub.shape, names):
        return names
    parameters = list(itertools.chain.from_iterable(sets.data))
    values = sets.as_array(parameters)
    observables = np.broadcast_to(names, pub.shape)
    places = np.broadcast_to(np.arange(sets.size).reshape(sets.shape), pub.shape)
    values = values.reshape(sets.size, -1)
    labels = np.empty(pub.shape, dtype=object)
    for index in itertools.islice(np.ndindex(pub.shape), _MOST_NAMED):
        labels[index] = f"{observables[index]}  {_set_name(parameters, values[places[index]])}"
    return labels


def _set_name(parameters: list[str], values: Any) -> str:
    shown = [f"{name} = {value:.4g}" for name, value in zip(parameters, values, strict=True)]
    more = f", … ({len(shown)} parameters)" if len(shown) > _PARAMETERS else ""
    return ", ".join(shown[:_PARAMETERS]) + more


def pub_bindings(pubs: Any) -> list[Any]:
    """The `BindingsArray` of each PUB with observables; empty for PUBs without any."""
    return [pub.parameter_values for pub in _estimator_pubs(pubs)]


def observable_names(observables: Any) -> Any:
    """The names in an `ObservablesArray`, as an array of its shape."""
    names = np.empty(observables.shape, dtype=object)
    for index in np.ndindex(names.shape):
        names[index] = _observable_name(observables[index])
    return names


def _observable_name(terms: Any) -> str:
    """A short name: `ZZ`, `0.5 XX + 0.5 YY`, and so on; long identities become `Z₀Z₃₅`."""
    parts = []
    for pauli, coefficient in terms.items():
        factor = "" if coefficient == 1 else f"{np.real(coefficient):g} "
        parts.append(f"{factor}{_pauli_name(str(pauli))}")
    shown = " + ".join(parts[:3])
    return f"{shown} + …({len(parts)} terms)" if len(parts) > 3 else shown


def _pauli_name(pauli: str) -> str:
    if len(pauli) <= 6:
        return pauli
    digits = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    acting = [(len(pauli) - 1 - at, letter) for at, letter in enumerate(pauli) if letter != "I"]
    if len(acting) > 6:
        return f"{pauli[:6]}…"
    shown = "".join(f"{letter}{str(qubit).translate(digits)}" for qubit, letter in acting[::-1])
    return shown or "I"
