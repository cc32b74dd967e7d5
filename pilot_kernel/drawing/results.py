"""Makes charts of the result of a primitive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot_kernel.drawing.charts import Axis, Chart, Counts, Curves, Values, is_sweep
from pilot_kernel.drawing.value_names import observable_names

__all__ = ["MOST_PUBS", "result_charts"]

MOST_PUBS = 12
"""Of how many PUBs there are charts."""

_BARS = 16
_ROWS = 16
_CURVES = 6
_NAMED = 3


def result_charts(
    result: Any, labels: Sequence[Any] = (), bindings: Sequence[Any] = ()
) -> list[Chart]:
    """The charts of a Qiskit `PrimitiveResult`.

    Args:
        result: The result.
        labels: For each PUB the names of its observables, an array. Without it, they are made of
            `observables` in the metadata, if that is there.
        bindings: For each PUB its `BindingsArray`; without it, `parameter_values` in the
            metadata.
    """
    found: list[Chart] = []
    several = len(result) > 1
    for number, pub in enumerate(result):
        if number == MOST_PUBS:
            break
        title = f"PUB {number}" if several else ""
        if "evs" in pub.data:
            found.append(
                _estimates(
                    pub.data,
                    title,
                    labels[number] if number < len(labels) else _names_in_metadata(pub),
                    bindings[number]
                    if number < len(bindings)
                    else _metadata(pub, "parameter_values"),
                    int(_metadata(pub, "shots") or 0),
                )
            )
        else:
            found.extend(_samples(pub.data, title))
    return found


def _metadata(pub: Any, name: str) -> Any:
    """An entry of the metadata of a PUB's result; None if there is none."""
    return (getattr(pub, "metadata", None) or {}).get(name)


def _names_in_metadata(pub: Any) -> Any:
    observables = _metadata(pub, "observables")
    return None if observables is None else observable_names(observables)


def _samples(data: Any, title: str) -> list[Chart]:
    found: list[Chart] = []
    for register, bits in data.items():
        if not hasattr(bits, "get_counts"):
            continue
        parts = [title, register if len(data) > 1 else ""]
        if bits.ndim:
            bits_of_first = bits[(0,) * bits.ndim]
            parts.append(f"first of {bits.size} parameter sets")
        else:
            bits_of_first = bits
        shown = ", ".join(part for part in parts if part)
        found.append(_counts(bits_of_first.get_counts(), bits.num_shots, shown))
    return found


def _counts(counts: dict[str, int], shots: int, title: str) -> Counts:
    rows = sorted(counts.items())
    if len(rows) > _BARS:
        rows = sorted(rows, key=lambda row: -row[1])[:_BARS]
    return Counts(title, tuple(rows), shots, len(counts) - len(rows))


def _estimates(data: Any, title: str, labels: Any, bindings: Any, shots: int) -> Chart:
    evs = np.real(np.asarray(data.evs))
    stds = np.asarray(data.stds if "stds" in data else np.zeros(evs.shape))
    names = None if labels is None else np.asarray(labels, dtype=object)
    curves = _curves(evs, stds, names, title, bindings)
    if curves is not None:
        return curves
    shown = np.broadcast_to(names, evs.shape) if names is not None else None
    rows = []
    for index in list(np.ndindex(evs.shape))[:_ROWS]:
        label = str(shown[index]) if shown is not None else ""
        ordinal = index and (names is None or names.ndim == 0)
        place = f"[{', '.join(map(str, index))}]" if ordinal else ""
        rows.append((f"{label} {place}".strip(), float(evs[index]), float(stds[index])))
    return Values(title, tuple(rows), evs.size - len(rows), shots)


def _curves(evs: Any, stds: Any, names: Any, title: str, bindings: Any) -> Curves | None:
    """Curves, if the last axis is a sweep and there are not too many."""
    if not is_sweep(evs.shape, names):
        return None
    rows = evs.reshape(-1, evs.shape[-1])
    if len(rows) > _CURVES:
        return None
    if names is None:
        labels = [f"[{row}]" for row in range(len(rows))] if len(rows) > 1 else [""]
    else:
        labels = [str(name) for name in np.broadcast_to(names, evs.shape)[..., 0].reshape(-1)]
    sweep = None
    if bindings is not None and bindings.num_parameters > 0:
        sweep = _Sweep.of(bindings, evs.shape)
        labels = [" ".join(filter(None, both)) for both in zip(labels, sweep.rows, strict=True)]
    bands = stds.reshape(rows.shape)
    return Curves(
        title=title,
        labels=tuple(labels),
        values=tuple(tuple(map(float, row)) for row in rows),
        stds=tuple(tuple(map(float, row)) for row in bands),
        axis=Axis("", tuple(map(float, range(evs.shape[-1])))) if sweep is None else sweep.axis,
        sets=evs.shape[-1] if sweep is None else bindings.size,
    )


@dataclass(frozen=True)
class _Sweep:
    """Which parameters change along the curves, and which between them.

    Attributes:
        axis: The parameter that changes along them, if there is one and it only grows or falls.
        rows: For each curve, the parameters that set it apart from others; may be empty.
    """

    axis: Axis
    rows: tuple[str, ...]

    @classmethod
    def of(cls, bindings: Any, shape: tuple[int, ...]) -> "_Sweep":
        names = [str(name) for group in bindings.data for name in group]
        values = np.broadcast_to(bindings.as_array(), (*shape, len(names)))
        values = values.reshape(-1, shape[-1], len(names))
        along = np.ptp(values, axis=1).any(axis=0)
        between = np.flatnonzero(np.ptp(values[:, 0], axis=0).astype(bool) & ~along)[:_NAMED]
        rows = (", ".join(f"{names[k]} = {row[0, k]:.4g}" for k in between) for row in values)
        return cls(_axis(names, values, np.flatnonzero(along)), tuple(rows))


def _axis(names: list[str], rows: Any, along: Any) -> Axis:
    numbers = Axis("", tuple(map(float, range(rows.shape[1]))))
    if len(along) != 1:
        return numbers
    points = rows[0, :, along[0]]
    steps = np.diff(points)
    straight = bool((steps > 0).all() or (steps < 0).all())
    if not straight or (rows[:, :, along[0]] != points).any():
        return numbers
    return Axis(names[along[0]], tuple(map(float, points)))
