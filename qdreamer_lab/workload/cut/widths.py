"""Widths as users give them in `max_qubits`: of any number of fragments, or of each device.

One number stands for any number of fragments of that width. A list names the widths of devices,
each of which runs one fragment of a plan at most, and a dict says how many there are of each width.
The order does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from qdreamer_lab.errors import PlanError

__all__ = ["Devices", "check_count", "check_width", "read_devices", "read_widths"]

Devices = int | list[int] | tuple[int, ...] | Mapping[int, int]
"""What users may give as `max_qubits`."""

_MOST_DEVICES = 10_000
"""More are a slip: whoever has so many of one width gives that width alone."""


def check_width(max_qubits: object) -> None:
    """Refuse a width that no fragment can have.

    Raises:
        PlanError: If it is not an integer of at least 1, such as widths of several devices where
            one is asked for.
    """
    _check_one("max_qubits", max_qubits, "plan_cuts, CutEstimator and find_cuts take")


def read_devices(max_qubits: object) -> tuple[int, tuple[int, ...] | None]:
    """Read `max_qubits` as users give it.

    Args:
        max_qubits: A width; or a list, tuple or one-dimensional array of widths, one for each
            device, in any order; or a dict with the number of devices of each width.

    Returns:
        The greatest width, and the widths of all devices, widest first; None in place of these for
        any number of fragments of one width.

    Raises:
        PlanError: If it is something else, is empty, or holds what is no integer of at least 1.
    """
    if isinstance(max_qubits, Mapping):
        for width, count in max_qubits.items():
            check_count("a width in max_qubits", width)
            check_count(f"max_qubits[{width}], the number of devices,", count)
        listed = dict(max_qubits)
        total = sum(map(int, listed.values()))
    elif isinstance(max_qubits, (list, tuple)) or (
        isinstance(max_qubits, np.ndarray) and max_qubits.ndim == 1
    ):
        for place, width in enumerate(max_qubits):
            check_count(f"max_qubits[{place}]", width)
        listed = Counter(map(int, max_qubits))
        total = len(max_qubits)
    elif isinstance(max_qubits, (int, np.integer)) and not isinstance(max_qubits, bool):
        check_width(max_qubits)
        return int(max_qubits), None
    else:
        raise PlanError(
            "max_qubits must be an integer, or a list of the widths of devices, or a dict with the "
            f"number of devices of each width, got {max_qubits!r}"
        )
    if not listed:
        raise PlanError("max_qubits names no device: give one width at least")
    if total > _MOST_DEVICES:
        raise PlanError(
            f"max_qubits names {total:,} devices, more than {_MOST_DEVICES:,}; one width alone "
            "stands for any number of devices"
        )
    widest_first = sorted(((int(w), int(c)) for w, c in listed.items()), reverse=True)
    devices = tuple(width for width, count in widest_first for _ in range(count))
    return devices[0], devices


def read_widths(widths: object) -> list[int]:
    """Read widths that plans are wanted for, one for each.

    Args:
        widths: Any number of widths but none, in any order, which is kept.

    Raises:
        PlanError: If it is something else, is empty, or holds what is no integer of at least 1.
    """
    if isinstance(widths, str | Mapping) or not isinstance(widths, Iterable):
        raise PlanError(f"widths must be integers, one after the other, got {widths!r}")
    listed = list(widths)
    if not listed:
        raise PlanError("widths is empty: name one at least, or leave it out for a selection")
    for place, width in enumerate(listed):
        _check_one(f"widths[{place}]", width, "plan_cuts takes")
    return listed


def _check_one(name: str, width: object, others: str) -> None:
    """Refuse what is not one width, and say who takes several."""
    if isinstance(width, (list, tuple, Mapping, np.ndarray)):
        raise PlanError(
            f"{name} must be an integer, got {width!r}; the widths of several devices are what "
            f"{others}"
        )
    check_count(name, width)


def check_count(name: str, value: object, least: int = 1) -> None:
    """Refuse what is no integer of at least `least`.

    Raises:
        PlanError: With the name and the value.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise PlanError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise PlanError(f"{name} must be at least {least}, got {value}")
