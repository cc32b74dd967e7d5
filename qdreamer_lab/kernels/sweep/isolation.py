"""Kernels that know what it takes at least to keep a fragment apart from all that is still to come.

In the end every fragment of the frontier is cut off from the rest. The cheapest way to do so, by
gates and wires still to come, is a minimum cut, and one that leaves the fragment as narrow as it
has to be depends only on its pieces in the frontier and on the room that is left in it. A sweep
backward over all such sets of pieces finds all of these minimum cuts exactly.

A cut separates two fragments, so half the sum over the fragments in the frontier is a lower bound
on what a partial plan has yet to pay, as for multiway cuts (Dahlhaus et al., 1994); so is each of
them alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Pieces, follows
from qdreamer_lab.kernels.sweep.frontier import Frontier, slots_around

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Isolation(NamedTuple):
    """Minimum cuts after each of S steps.

    Attributes:
        bits: What they cost, of all steps; of a step by set of frontier pieces, then by room.
        start: (S + 1,) Where those of each step begin.
        place: (S, slots) Which bit of a set stands for the piece in a slot.
        most_room: (S,) Largest room that is told apart: more is as good.
    """

    bits: Floats
    start: Ints
    place: Ints
    most_room: Ints


@kernel
def no_isolation() -> Isolation:
    """Minimum cuts of no step: nothing is known."""
    return Isolation(
        np.empty(0), np.zeros(1, np.int64), np.zeros((0, 0), np.int64), np.zeros(0, np.int64)
    )


@kernel
def places_of(frontier: Frontier) -> tuple[Ints, Ints]:
    """Number the frontier pieces after each step: by slot (S, slots), and how many they are (S,).

    Slots that are empty then have no number, -1.
    """
    num = frontier.order.shape[0]
    place, count = np.full((num, frontier.slots), -1, np.int64), np.zeros(num, np.int64)
    for v in range(num):
        for step in range(frontier.enters[v], frontier.leaves[v]):
            place[step, frontier.slot[v]] = 0
    for step in range(num):
        for s in range(frontier.slots):
            if place[step, s] == 0:
                place[step, s] = count[step]
                count[step] += 1
    return place, count


@kernel
def isolation_of(frontier: Frontier, pieces: Pieces, max_width: int, limit: int) -> Isolation:
    """Find what it costs at least to isolate any set of frontier pieces, after every step.

    Args:
        frontier: Who is in the frontier, and when.
        pieces: What is swept over.
        max_width: Qubits a fragment may hold.
        limit: Minimum cuts that may be kept. If there are more, room does not count; if there are
            still more, nothing is known.
    """
    num = frontier.order.shape[0]
    place, count = places_of(frontier)
    most_room = np.minimum(max_width, np.arange(num - 1, -1, -1))
    size = 0.0
    for step in range(num):
        size += 2.0 ** count[step] * (most_room[step] + 1)
    if size > limit:
        most_room[:] = 0
        size = 0.0
        for step in range(num):
            size += 2.0 ** count[step]
        if size > limit:
            return no_isolation()
        counts_room = False
    else:
        counts_room = True
    start = np.zeros(num + 1, np.int64)
    for step in range(num):
        start[step + 1] = start[step] + (1 << count[step]) * (most_room[step] + 1)
    bits = np.zeros(start[num])
    isolation = Isolation(bits, start, place, most_room)
    for step in range(num - 1, 0, -1):
        step_back(isolation, frontier, pieces, step, count[step - 1], counts_room)
    return isolation


@kernel
def step_back(
    isolation: Isolation, frontier: Frontier, pieces: Pieces, step: int, held: int, room: bool
) -> None:
    """Fill in the minimum cuts before a step from those after it.

    Args:
        isolation: The minimum cuts; filled.
        frontier: Who is in the frontier, and when.
        pieces: What is swept over.
        step: The step.
        held: Frontier pieces before it.
        room: Whether room counts.
    """
    bits, start, place, most_room = isolation
    v = frontier.order[step]
    joined, weight, _ = slots_around(frontier, pieces, step)
    mine, before = place[step, frontier.slot[v]], -1
    if follows(pieces.wire, v):
        before = place[step - 1, frontier.slot[v - 1]]
    old, new = most_room[step - 1] + 1, most_room[step] + 1
    # The piece just placed may have the slot of one that left at this step or before.
    moved = np.full(held, -1, np.int64)
    for s in range(frontier.slots):
        if place[step - 1, s] >= 0 and s != frontier.slot[v]:
            moved[place[step - 1, s]] = place[step, s]
    for mask in range(1 << held):
        apart, kept = np.zeros(2), 0
        for k in range(joined.shape[0]):
            inside = (mask >> place[step - 1, joined[k]]) & 1
            apart[1 - inside] += weight[k]
        for b in range(held):
            if moved[b] >= 0 and (mask >> b) & 1:
                kept |= 1 << moved[b]
        joins = kept | (1 << mine) if mine >= 0 else kept
        need = 0 if not room or (before >= 0 and (mask >> before) & 1) else 1
        for r in range(old):
            # What is outside need not have room: fragments may be as many as there must.
            best = apart[0] + bits[start[step] + kept * new + min(r, new - 1)]
            if r >= need:
                best = min(
                    best, apart[1] + bits[start[step] + joins * new + min(r - need, new - 1)]
                )
            bits[start[step - 1] + mask * old + r] = best


@kernel
def isolated(
    isolation: Isolation,
    step: int,
    labels: Bytes,
    widths: NDArray[np.int16],
    fresh: int,
    max_width: int,
    sets: Ints,
) -> float:
    """Bits that a partial plan has yet to pay at least.

    Args:
        isolation: The minimum cuts.
        step: The step that has been made.
        labels: (slots,) Fragment of the piece in each slot.
        widths: Qubits of each fragment.
        fresh: Number of fragments.
        max_width: Qubits each may hold.
        sets: (slots,) Room to work in.
    """
    bits, start, place, most_room = isolation
    sets[:fresh] = 0
    for s in range(labels.shape[0]):
        if place[step, s] >= 0:
            sets[labels[s]] |= 1 << place[step, s]
    total, most = 0.0, 0.0
    rooms = most_room[step] + 1
    for f in range(fresh):
        room = min(max_width - int(widths[f]), most_room[step])
        alone = bits[start[step] + sets[f] * rooms + room]
        total += alone
        most = max(most, alone)
    return max(most, total / 2)
