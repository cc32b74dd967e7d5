"""The result of a primitive as a table of rows: for pandas, or for whoever wants plain columns."""

import itertools
from typing import Any

import numpy as np

from pilot_kernel.drawing.value_names import observable_names, pub_bindings, value_names
from pilot_kernel.errors import PilotError

__all__ = ["columns", "to_frame"]


def to_frame(result: Any, pubs: Any = None) -> Any:
    """The result of a primitive as a pandas `DataFrame`.

    Args:
        result: A Qiskit `PrimitiveResult`, or the result of one PUB.
        pubs: What was run, so that rows have the names of observables and the values of parameters;
            results of cut circuits know them.

    Returns:
        Of estimates a row for each value, with `pub`, `index` where a PUB has several,
        `observable`, the parameters, `value` and `std`. Of samples a row for each
        outcome, with `pub`, `index`, the parameters, `register`, `outcome` and `count`.

    Raises:
        PilotError: pandas is not installed, or `pubs` are not those of the result.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise PilotError("to_frame needs pandas: pip install pandas") from error
    return pd.DataFrame(columns(result, pubs))


def columns(result: Any, pubs: Any = None) -> dict[str, list[Any]]:
    """The columns of `to_frame`, all of one length; what a row has not got is None.

    Args:
        result: As for `to_frame`.
        pubs: As for `to_frame`.

    Raises:
        PilotError: `pubs` are not those of the result.
    """
    results = [result] if hasattr(result, "data") else list(result)
    names, bindings = _known(results, pubs)
    rows = [
        {"pub": number, **row}
        for number, (one, called, bound) in enumerate(zip(results, names, bindings, strict=True))
        for row in (_values(one, called, bound) if "evs" in one.data else _counts(one, bound))
    ]
    last = ("register", "outcome", "count", "value", "std")
    keys = {key: None for row in rows for key in row}
    order = [*(key for key in keys if key not in last), *(key for key in last if key in keys)]
    return {key: [row.get(key) for row in rows] for key in order}


def _known(results: list[Any], pubs: Any) -> tuple[list[Any], list[Any]]:
    """For each result the names of its observables and its `BindingsArray`, if they are known."""
    if pubs is None:
        told: list[Any] = [getattr(one, "metadata", None) or {} for one in results]
        seen = [each.get("observables") for each in told]
        names = [None if each is None else observable_names(each) for each in seen]
        return names, [each.get("parameter_values") for each in told]
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    from pilot_kernel.primitive.pub.check import has_observables, listed

    found = listed(pubs)
    if len(found) != len(results):
        raise PilotError(f"there are {len(results)} results of {len(found)} PUBs")
    if has_observables(found):
        return value_names(found, plain=True), pub_bindings(found)
    sampled = [SamplerPub.coerce(tuple(pub) if isinstance(pub, list) else pub) for pub in found]
    return [None] * len(found), [pub.parameter_values for pub in sampled]


def _values(one: Any, names: Any, bindings: Any) -> list[dict[str, Any]]:
    evs = np.real(np.asarray(one.data.evs))
    stds = np.asarray(one.data.stds if "stds" in one.data else np.zeros(evs.shape))
    called = None if names is None else np.broadcast_to(names, evs.shape)
    rows = []
    for index in np.ndindex(evs.shape):
        row: dict[str, Any] = {"index": index} if index else {}
        if called is not None:
            row["observable"] = str(called[index])
        row |= _parameters(bindings, evs.shape, index)
        rows.append({**row, "value": float(evs[index]), "std": float(stds[index])})
    return rows


def _counts(one: Any, bindings: Any) -> list[dict[str, Any]]:
    rows = []
    for register, bits in one.data.items():
        if not hasattr(bits, "get_counts"):
            continue
        for index in np.ndindex(bits.shape):
            row: dict[str, Any] = {"index": index} if index else {}
            row |= {**_parameters(bindings, bits.shape, index), "register": register}
            counts = bits[index].get_counts() if index else bits.get_counts()
            rows += [{**row, "outcome": key, "count": counts[key]} for key in sorted(counts)]
    return rows


def _parameters(bindings: Any, shape: tuple[int, ...], index: tuple[int, ...]) -> dict[str, float]:
    """The parameters of one value, by name."""
    if bindings is None or not bindings.num_parameters:
        return {}
    names = [str(name) for name in itertools.chain.from_iterable(bindings.data)]
    values = np.broadcast_to(bindings.as_array(), (*shape, len(names)))
    return dict(zip(names, map(float, values[index]), strict=True))
