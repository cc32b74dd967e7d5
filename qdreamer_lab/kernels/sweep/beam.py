"""The beam of a sweep: partial plans as rows of arrays, and how they compete.

`kernels/sweep/sweep.py` fills it. Nothing here knows pieces or gates.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.sweep.selection import value_at

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

#: Label of an empty slot.
NONE = 255

#: Partial plans with one hash that are compared with a new one at most.
CHAIN = 400

NEW, BEATEN = -1, -2


class Beam(NamedTuple):
    """Partial plans of one step, each a row of every array.

    Attributes:
        labels: (C, slots) Fragment of the piece in each slot, numbered in slot order.
        widths: (C, slots) Qubits of each of these fragments.
        value: (C,) Bits of the cuts so far.
        rating: (C,) By what plans are dropped when there is no room: value plus what lies ahead.
        parent: (C,) Row of the plan this one extends, in the beam before.
        choice: (C,) Fragment that was chosen for the piece just placed, numbered as in `parent`.
        code: (C,) Hash of the labels.
        link: (C,) Next row with the same place in the table, or -1.
    """

    labels: Bytes
    widths: NDArray[np.int16]
    value: Floats
    rating: Floats
    parent: NDArray[np.int32]
    choice: Bytes
    code: NDArray[np.uint64]
    link: NDArray[np.int32]


@kernel
def empty_beam(capacity: int, slots: int) -> Beam:
    """Make room for `capacity` partial plans; row 0 is the plan with nothing placed."""
    return Beam(
        np.full((capacity, slots), NONE, np.uint8),
        np.zeros((capacity, slots), np.int16),
        np.zeros(capacity),
        np.zeros(capacity),
        np.zeros(capacity, np.int32),
        np.zeros(capacity, np.uint8),
        np.zeros(capacity, np.uint64),
        np.full(capacity, -1, np.int32),
    )


@kernel
def empty_table(capacity: int) -> NDArray[np.int32]:
    """Make a hash table for `capacity` partial plans: a row for each remainder of hashes, or -1."""
    size = 64
    while size < 2 * capacity:
        size *= 2
    return np.full(size, -1, np.int32)


@kernel
def copy_row(beam: Beam, source: int, target: int) -> None:
    """Overwrite the plan in row `target` by that in row `source`, all but its link."""
    for s in range(beam.labels.shape[1]):
        beam.labels[target, s] = beam.labels[source, s]
        beam.widths[target, s] = beam.widths[source, s]
    beam.value[target] = beam.value[source]
    beam.rating[target] = beam.rating[source]
    beam.parent[target] = beam.parent[source]
    beam.choice[target] = beam.choice[source]
    beam.code[target] = beam.code[source]


@kernel
def keep_best(beam: Beam, count: int, room: int) -> tuple[int, float, float]:
    """Keep the `room` best rated of `count` partial plans, in place.

    Returns:
        How many were kept, and the lowest cost and rating dropped (infinite if none was).
    """
    if count <= room:
        return count, np.inf, np.inf
    limit = value_at(beam.rating[:count], room)
    ties = room
    for k in range(count):
        if beam.rating[k] < limit:
            ties -= 1
    kept = 0
    dropped, rated = np.inf, np.inf
    for k in range(count):
        take = beam.rating[k] < limit
        if not take and beam.rating[k] == limit and ties > 0:
            ties -= 1
            take = True
        if not take:
            dropped = min(dropped, beam.value[k])
            rated = min(rated, beam.rating[k])
            continue
        if kept != k:
            copy_row(beam, k, kept)
        kept += 1
    return kept, dropped, rated


@kernel
def relink(beam: Beam, count: int, table: NDArray[np.int32]) -> None:
    """Empty a hash table, and link the first `count` partial plans into it."""
    table[:] = -1
    for row in range(count):
        home = np.int64(beam.code[row] & np.uint64(table.shape[0] - 1))
        beam.link[row] = table[home]
        table[home] = row


@kernel
def find_place(
    beam: Beam,
    head: int,
    code: np.uint64,
    labels: Bytes,
    widths: NDArray[np.int16],
    fresh: int,
    value: float,
) -> int:
    """Compare a partial plan with those in the beam that have the same frontier.

    Args:
        beam: The plans it competes with.
        head: The row that its hash leads to first, or -1.
        code: Hash of its labels.
        labels: (slots,) Fragment of the piece in each slot.
        widths: Qubits of its fragments.
        fresh: Number of its fragments.
        value: Bits of its cuts so far.

    Returns:
        The row it replaces, being no worse in cost and widths; `BEATEN` if some row is no worse
        than it; `NEW` if neither.
    """
    e = head
    hops = 0
    while e >= 0 and hops < CHAIN:
        hops += 1
        if beam.code[e] == code:
            equal = True
            for s in range(labels.shape[0]):
                if beam.labels[e, s] != labels[s]:
                    equal = False
                    break
            if equal:
                wider, slimmer = False, False
                for f in range(fresh):
                    wider = wider or beam.widths[e, f] > widths[f]
                    slimmer = slimmer or beam.widths[e, f] < widths[f]
                if not wider and beam.value[e] <= value + 1e-12:
                    return BEATEN
                if not slimmer and value <= beam.value[e]:
                    return int(e)
        e = beam.link[e]
    return NEW
