"""Kernel that sweeps over the pieces and keeps the best partial labellings, exactly or as a beam.

A partial plan matters for the rest only through its frontier: which frontier pieces share a
fragment, and how full those fragments are. Fragments that have left the frontier need no memory:
a piece that joined one later would be as well off in a fresh fragment. So partial plans with the
same frontier compete, and if none ever had to be dropped for lack of room the best one at the
end is optimal.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.pieces.pieces import Pieces, follows
from qdreamer_lab.kernels.sweep.beam import (
    BEATEN,
    NEW,
    NONE,
    Beam,
    empty_beam,
    empty_table,
    find_place,
    keep_best,
    relink,
)
from qdreamer_lab.kernels.sweep.frontier import Frontier, frontier_of, slots_around
from qdreamer_lab.kernels.sweep.outlook import Outlook, bits_ahead, empty_outlook, look_ahead
from qdreamer_lab.kernels.sweep.path import choices_of, empty_path, labels_of_path, remember
from qdreamer_lab.kernels.sweep.trial import Trial, empty_trial, pulls, settle

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


NEVER = np.zeros(1, np.int64)
"""A flag that stays down; see `Effort.stop`."""


class Effort(NamedTuple):
    """How hard a sweep tries.

    Attributes:
        room: Partial plans kept per step.
        max_states: Give up after this many partial plans in total.
        horizon: Pieces to look ahead on each wire when choosing which plans to keep; 0 for none.
        stop: (1,) Flag that another thread raises; the sweep gives up when it is no longer 0.
    """

    room: int
    max_states: int
    horizon: int
    stop: Ints = NEVER


class Bar(NamedTuple):
    """Which partial plans are of use.

    Attributes:
        max_width: Qubits a fragment may hold.
        most: Bits that their cuts may cost.
        room: How many are kept per step.
        stop: (1,) As in `Effort`.
    """

    max_width: int
    most: float
    room: int
    stop: Ints


class Step(NamedTuple):
    """What a step of a sweep, which places a piece, has to know of the piece and the frontier.

    Attributes:
        slot: Slot of the piece.
        before: Slot of the piece before it on its wire, -1 if there is none.
        joined: Slots of all placed pieces that it is joined to.
        bits: Bits by which it is joined to each of these.
        leaving: Slots that fall empty at the end of the step.
        soon: (P, 2) Pairs of slots whose pieces gates will soon join.
        soon_bits: (P,) Bits of these gates.
    """

    slot: int
    before: int
    joined: Ints
    bits: Floats
    leaving: Ints
    soon: Ints
    soon_bits: Floats


@kernel
def step_at(
    number: int, frontier: Frontier, pieces: Pieces, outlook: Outlook, horizon: int
) -> Step:
    """Gather what the step with this number has to know; the outlook is brought up to date."""
    v = frontier.order[number]
    before = frontier.slot[v - 1] if follows(pieces.wire, v) else -1
    joined, bits, leaving = slots_around(frontier, pieces, number)
    outlook.current[pieces.wire[v]] = v
    soon, soon_bits = look_ahead(outlook, pieces, frontier, number, horizon)
    return Step(frontier.slot[v], before, joined, bits, leaving, soon, soon_bits)


@kernel
def extend_all(
    step: Step, bar: Bar, old: Beam, count: int, new: Beam, table: NDArray[np.int32], trial: Trial
) -> tuple[int, float, int]:
    """Place a piece in all ways in the first `count` plans of beam `old`; the best fill `new`.

    Returns:
        The plans in `new`, the lowest cost of those dropped for lack of room, and the plans made.
    """
    slot, slot_before, joined, bits, leaving, soon, soon_bits = step
    max_width, most, room, stop = bar
    labels, widths, pull, _ = trial
    made, looked, dropped = 0, 0, np.inf
    table[:] = -1
    for p in range(count):
        if stop[0] != 0:
            break
        row, row_width = old.labels[p], old.widths[p]
        used, total = pulls(row, joined, bits, pull)
        before = row[slot_before] if slot_before >= 0 else NONE
        for f in range(used + 1):
            value = old.value[p] + total - pull[f]
            wider = 0 if f == before else 1
            if value > most or (f < used and row_width[f] + wider > max_width):
                continue
            looked += 1
            fresh, code = settle(row, row_width, used, f, wider, slot, leaving, trial)
            home = np.int64(code & np.uint64(table.shape[0] - 1))
            place = find_place(new, table[home], code, labels, widths, fresh, value)
            if place == BEATEN:
                continue
            if place == NEW:
                if made == new.value.shape[0]:
                    made, least = keep_best(new, made, room)
                    dropped = min(dropped, least)
                    relink(new, made, table)
                place = made
                made += 1
                new.code[place] = code
                new.link[place] = table[home]
                table[home] = place
            new.labels[place] = labels
            new.widths[place] = widths
            new.value[place] = value
            new.rating[place] = value + bits_ahead(soon, soon_bits, labels)
            new.parent[place] = p
            new.choice[place] = f
    made, least = keep_best(new, made, room)
    return made, min(dropped, least), looked


@kernel
def sweep(
    order: Ints, pieces: Pieces, max_width: int, upper: float, effort: Effort
) -> tuple[Ints, float, float, int]:
    """Label pieces one by one in `order`, keeping a limited number of partial plans per step.

    Args:
        order: (S,) Pieces, each wire in time order.
        pieces: What is labelled.
        max_width: Qubits a fragment may hold.
        upper: Only plans cheaper than this are looked for, in bits.
        effort: How hard to try.

    Returns:
        `labels` (S,) of the best plan (all -1 if none cheaper than `upper` was found), its cost
        (or `upper`), a lower bound on the cost of every plan, and the partial plans looked at.
    """
    num = order.shape[0]
    frontier = frontier_of(order, pieces)
    slots = frontier.slots
    outlook = empty_outlook(pieces.wire.max() + 1, slots if effort.horizon > 0 else 0)
    bar = Bar(max_width, upper - 1e-9, effort.room, effort.stop)
    old, new = empty_beam(2 * effort.room + 16, slots), empty_beam(2 * effort.room + 16, slots)
    table, trial = empty_table(2 * effort.room + 16), empty_trial(slots)
    path = empty_path(num)
    lower = upper
    count, looked, number = 1, 0, 0
    while number < num and count > 0 and looked <= effort.max_states:
        step = step_at(number, frontier, pieces, outlook, effort.horizon)
        made, dropped, tried = extend_all(step, bar, old, count, new, table, trial)
        if effort.stop[0] != 0:
            break
        count = made
        lower = min(lower, dropped)
        looked += tried
        path = remember(path, number, new, count)
        old, new = new, old
        number += 1
    if count == 0:
        return np.full(num, -1, np.int64), upper, lower, looked
    best = int(np.argmin(old.value[:count]))
    found = old.value[best]
    if number < num:
        return np.full(num, -1, np.int64), upper, min(lower, found), looked
    labels = labels_of_path(frontier, choices_of(path, best))
    return labels, found, min(lower, found), looked
