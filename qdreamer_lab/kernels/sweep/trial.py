"""Kernels that extend a partial plan by a piece: what that costs, and the plan that comes of it.

The plans they extend are rows of a beam; whether a new one enters a beam is decided there.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.sweep.beam import NONE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Trial(NamedTuple):
    """A partial plan that may enter the beam, and room to make it.

    Attributes:
        labels: (slots,) Fragment of the piece in each slot, numbered in slot order.
        widths: (slots,) Qubits of each of these fragments.
        pull: (slots + 1,) Bits that cuts cost less if the piece joins that fragment.
        seen: (slots + 1,) New number of each fragment of the plan that is extended.
    """

    labels: Bytes
    widths: NDArray[np.int16]
    pull: Floats
    seen: Bytes


@kernel
def empty_trial(slots: int) -> Trial:
    """Make room for one partial plan."""
    return Trial(
        np.empty(slots, np.uint8),
        np.empty(slots, np.int16),
        np.zeros(slots + 1),
        np.empty(slots + 1, np.uint8),
    )


@kernel
def pulls(row: Bytes, slots: Ints, bits: Floats, pull: Floats) -> tuple[int, float]:
    """Add up the bits that join the next piece to each fragment of a frontier `row`.

    Args:
        row: (slots,) Fragment of the piece in each slot.
        slots: Slots of the pieces that the next piece is joined to.
        bits: Bits by which it is joined to each.
        pull: Filled with the bits of each fragment.

    Returns:
        The number of fragments in the frontier, and the sum of all bits.
    """
    used = 0
    for label in row:
        if label != NONE and label + 1 > used:
            used = label + 1
    for f in range(used + 1):
        pull[f] = 0.0
    total = 0.0
    for k in range(slots.shape[0]):
        pull[row[slots[k]]] += bits[k]
        total += bits[k]
    return used, total


@kernel
def settle(
    row: Bytes,
    row_width: NDArray[np.int16],
    used: int,
    label: int,
    wider: int,
    mine: int,
    leaving: Ints,
    ample: int,
    trial: Trial,
) -> tuple[int, np.uint64]:
    """Put a piece with `label` into slot `mine`, empty the slots of `leaving`, and renumber.

    Fragments are numbered by their first slot, so that equal partitions have equal labels. One
    narrower than `ample` has room for all that is to come, and counts as just so wide. The result
    goes to `trial`.

    Returns:
        The number of fragments left in the frontier, and a hash of their labels.
    """
    labels, widths, _, seen = trial
    slots = row.shape[0]
    for s in range(slots):
        labels[s] = row[s]
    labels[mine] = label
    for k in range(leaving.shape[0]):
        labels[leaving[k]] = NONE
    for f in range(used + 1):
        seen[f] = NONE
    fresh = 0
    code = np.uint64(1469598103934665603)
    for s in range(slots):
        f = labels[s]
        if f != NONE:
            if seen[f] == NONE:
                seen[f] = fresh
                widths[fresh] = 1 if f == used else row_width[f]
                if f == label and f != used:
                    widths[fresh] += wider
                widths[fresh] = max(widths[fresh], ample)
                fresh += 1
            labels[s] = seen[f]
        code = (code ^ np.uint64(labels[s])) * np.uint64(1099511628211)
    return fresh, code ^ (code >> np.uint64(29))
