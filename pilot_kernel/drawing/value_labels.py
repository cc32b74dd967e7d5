"""What the values of a result are of: observables by name, and parameter values."""

import itertools
from typing import Any

import numpy as np

from pilot_kernel.drawing.results import observable_labels

__all__ = ["result_labels"]

_FEW_SETS = 6  # from here on a sweep is a curve, and its axis says which set is which
_MOST_NAMED = 16
_PARAMETERS = 3


def result_labels(pubs: Any) -> list[Any]:
    """The names of the values of each PUB, as arrays that broadcast with them.

    Args:
        pubs: What was run, as a primitive takes it.

    Returns:
        One array for each PUB; nothing if they have no observables.
    """
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    from pilot_kernel.primitive.pub.check import listed

    names = observable_labels(pubs)
    if not names:
        return []
    checked = [EstimatorPub.coerce(tuple(p) if isinstance(p, list) else p) for p in listed(pubs)]
    return [_with_parameters(pub, own) for pub, own in zip(checked, names, strict=True)]


def _with_parameters(pub: Any, names: Any) -> Any:
    """Names that say the parameter values too, where there are several sets and no curve."""
    sets = pub.parameter_values
    if sets.size < 2 or not _is_table(pub.shape, names):
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


def _is_table(shape: tuple[int, ...], names: Any) -> bool:
    return len(shape) > 2 or shape[-1] < _FEW_SETS or (names.ndim > 0 and names.shape[-1] > 1)


def _set_name(parameters: list[str], values: Any) -> str:
    shown = [f"{name} = {value:.4g}" for name, value in zip(parameters, values, strict=True)]
    more = f", … ({len(shown)} parameters)" if len(shown) > _PARAMETERS else ""
    return ", ".join(shown[:_PARAMETERS]) + more
