"""Fragments on devices of several widths, one fragment to a device: what fits, and on which.

Widths sorted descending fit if each is at most the device's at the same place: whatever else fits,
exchanging two fragments on their devices never makes it worse. It must not know circuits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["devices_of", "fits", "fragment_widths", "packed_on"]


def fragment_widths(pairs: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Qubits (K,) of each fragment: one for every run of its label along a wire.

    Args:
        pairs: (m, 2) Qubits of each block, in time order.
        labels: (m, 2) Fragment of each endpoint.
    """
    ends = np.argsort(pairs.ravel(), kind="stable")  # by wire, then by time
    wire, label = pairs.ravel()[ends], labels.ravel()[ends]
    opens = np.ones(len(ends), np.bool_)
    opens[1:] = (wire[1:] != wire[:-1]) | (label[1:] != label[:-1])
    return np.bincount(label[opens])


def fits(widths: NDArray[np.int64], devices: Sequence[int] | NDArray[np.int64]) -> bool:
    """Whether every fragment can have a device of its own.

    Args:
        widths: (K,) Qubits of each fragment; empty ones need no device.
        devices: Qubits of each device, widest first.
    """
    needed = np.sort(widths[widths > 0])[::-1]
    if len(needed) > len(devices):
        return False
    return all(wide <= room for wide, room in zip(needed.tolist(), devices, strict=False))


def devices_of(widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The device (K,) of each fragment, by number: the widest fragment has the widest device."""
    place = np.empty(len(widths), np.int64)
    place[np.argsort(-widths, kind="stable")] = np.arange(len(widths))
    return place


def packed_on(
    widths: NDArray[np.int64], devices: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Put fragments together until each device holds what shares it as one fragment.

    The widest go first, each where it leaves least room.

    Args:
        widths: (K,) Qubits of each fragment.
        devices: Qubits of each device, widest first.

    Returns:
        The device (K,) of each fragment, by number; those that fit nowhere are on devices that
        are not there, numbered on.
    """
    room = np.array(devices, np.int64)
    place = np.empty(len(widths), np.int64)
    more = len(room)
    for fragment in np.argsort(-widths, kind="stable").tolist():
        left = room - widths[fragment]
        if np.any(left >= 0):
            place[fragment] = int(np.argmin(np.where(left >= 0, left, np.iinfo(np.int64).max)))
            room[place[fragment]] -= widths[fragment]
        else:
            place[fragment] = more
            more += 1
    return place
