"""From a primitive's result to what there is to draw: plain data, no drawing here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Counts", "Curves", "Figure", "Values", "figures", "observable_labels"]

_BARS = 16
_ROWS = 16
_CURVES = 6
_POINTS = 6
_PUBS = 12


@dataclass(frozen=True)
class Counts:
    """How often each outcome came.

    Attributes:
        title: What it is of.
        rows: Outcomes and their counts; all in order of the outcomes, or the most frequent first.
        shots: How many shots there were.
        left_out: How many outcomes are not in `rows`.
    """

    title: str
    rows: tuple[tuple[str, int], ...]
    shots: int
    left_out: int


@dataclass(frozen=True)
class Values:
    """Expectation values with their standard errors (0 if exact)."""

    title: str
    rows: tuple[tuple[str, float, float], ...]
    left_out: int


@dataclass(frozen=True)
class Curves:
    """Expectation values along a sweep: one curve an observable."""

    title: str
    labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    stds: tuple[tuple[float, ...], ...]


Figure = Counts | Values | Curves


def figures(result: Any, labels: Sequence[Any] = ()) -> list[Figure]:
    """What there is to draw of a Qiskit `PrimitiveResult`.

    Args:
        result: The result.
        labels: For each PUB an array of its observables' names, if they are known.
    """
    found: list[Figure] = []
    several = len(result) > 1
    for number, pub in enumerate(result):
        if number == _PUBS:
            break
        title = f"PUB {number}" if several else ""
        if "evs" in pub.data:
            own = labels[number] if number < len(labels) else None
            found.append(_estimates(pub.data, title, own))
        else:
            found.extend(_samples(pub.data, title))
    return found


def _samples(data: Any, title: str) -> list[Figure]:
    found: list[Figure] = []
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


def _estimates(data: Any, title: str, labels: Any) -> Figure:
    evs = np.real(np.asarray(data.evs))
    stds = np.asarray(data.stds if "stds" in data else np.zeros(evs.shape))
    names = None if labels is None else np.asarray(labels, dtype=object)
    curves = _curves(evs, stds, names, title)
    if curves is not None:
        return curves
    shown = np.broadcast_to(names, evs.shape) if names is not None else None
    rows = []
    for index in list(np.ndindex(evs.shape))[:_ROWS]:
        label = str(shown[index]) if shown is not None else ""
        ordinal = index and (names is None or names.ndim == 0)
        place = f"[{', '.join(map(str, index))}]" if ordinal else ""
        rows.append((f"{label} {place}".strip(), float(evs[index]), float(stds[index])))
    return Values(title, tuple(rows), evs.size - len(rows))


def _curves(evs: Any, stds: Any, names: Any, title: str) -> Curves | None:
    """Curves, if the last axis is a sweep; observables along it are no sweep."""
    if evs.ndim not in (1, 2) or evs.shape[-1] < _POINTS:
        return None
    if names is not None and names.ndim and names.shape[-1] > 1:
        return None
    rows = evs.reshape(-1, evs.shape[-1])
    if len(rows) > _CURVES:
        return None
    if names is None:
        labels = [f"[{row}]" for row in range(len(rows))] if len(rows) > 1 else [""]
    else:
        labels = [str(name) for name in np.broadcast_to(names, evs.shape)[..., 0].reshape(-1)]
    bands = stds.reshape(rows.shape)
    return Curves(
        title,
        tuple(labels),
        tuple(tuple(map(float, row)) for row in rows),
        tuple(tuple(map(float, row)) for row in bands),
    )


def observable_labels(pubs: Any) -> list[Any]:
    """The names of the observables of each PUB, as arrays; empty for PUBs without any."""
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    from pilot_kernel.primitive.pubs import has_observables, listed

    found = listed(pubs)
    if not has_observables(found):
        return []
    arrays = []
    for pub in found:
        observables = EstimatorPub.coerce(tuple(pub) if isinstance(pub, list) else pub).observables
        names = np.empty(observables.shape, dtype=object)
        for index in np.ndindex(names.shape):
            names[index] = _observable_name(observables[index])
        arrays.append(names)
    return arrays


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
