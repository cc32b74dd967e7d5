"""Kernel that sweeps over the pieces and keeps the best partial labellings, exactly or as a beam.

A partial plan matters for the rest only through its frontier: which frontier pieces share a
fragment, and how full those fragments are. Fragments that have left the frontier need no memory:
a piece that joined one later would be as well off in a fresh fragment. So partial plans with the
same frontier compete, and if none ever had to be dropped for lack of room the best one at the
end is optimal. A partial plan that cannot end up cheap enough is dropped at once: what it has yet
to pay is bounded by what it takes to keep its fragments apart (`isolation`) and by what the pieces
to come cost among themselves, which a sweep from the other end has found out.
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
from qdreamer_lab.kernels.sweep.isolation import (
    Isolation,
    isolated,
    isolation_of,
    no_isolation,
)
from qdreamer_lab.kernels.sweep.outlook import Outlook, bits_ahead, empty_outlook, look_ahead
from qdreamer_lab.kernels.sweep.path import choices_of, empty_path, labels_of_path, remember
from qdreamer_lab.kernels.sweep.trial import Trial, empty_trial, pulls, settle

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


NEVER = np.zeros(1, np.int64)
"""A flag that stays down; see `Effort.stop`."""


#: Widths are kept as short integers.
MOST_AMPLE = 16_000


class Effort(NamedTuple):
    """How hard a sweep tries.

    Attributes:
        room: Partial plans kept per step.
        max_states: Give up after this many partial plans in total.
        horizon: Pieces to look ahead on each wire when choosing which plans to keep; 0 for none.
        stop: (1,) Flag that another thread raises; the sweep gives up when it is no longer 0.
        foresight: Minimum cuts that may be found beforehand to bound what plans have yet to pay;
            only with a horizon of 0.
    """

    room: int
    max_states: int
    horizon: int
    stop: Ints = NEVER
    foresight: int = 0


class Bar(NamedTuple):
    """Which partial plans are of use.

    Attributes:
        max_width: Qubits a fragment may hold.
        most: Bits that their cuts may cost.
        rest: Bits of these that pieces placed later cost at least among themselves.
        pieces_left: How many of these there are.
        room: How many are kept per step.
        stop: (1,) As in `Effort`.
    """

    max_width: int
    most: float
    rest: float
    pieces_left: int
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
    number: int,
    step: Step,
    isolation: Isolation,
    bar: Bar,
    old: Beam,
    count: int,
    new: Beam,
    table: NDArray[np.int32],
    trial: Trial,
) -> tuple[int, float, float, int]:
    """Place a piece in all ways in the first `count` plans of beam `old`; the best fill `new`.

    Returns:
        The plans in `new`, the lowest cost of those dropped for lack of room, a lower bound on what
        any of these would have cost in the end, and the plans made.
    """
    slot, slot_before, joined, bits, leaving, soon, soon_bits = step
    max_width, most, rest, pieces_left, room, stop = bar
    labels, widths, pull, _ = trial
    bounded, sets = isolation.bits.shape[0] > 0, np.empty(labels.shape[0], np.int64)
    made, looked, dropped, rated = 0, 0, np.inf, np.inf
    table[:] = -1
    ample = min(max(0, max_width - pieces_left), MOST_AMPLE)
    for p in range(count):
        if stop[0] != 0:
            break
        row, row_width = old.labels[p], old.widths[p]
        used, total = pulls(row, joined, bits, pull)
        before = row[slot_before] if slot_before >= 0 else NONE
        for f in range(used + 1):
            value = old.value[p] + total - pull[f]
            wider = 0 if f == before else 1
            if value + rest > most or (f < used and row_width[f] + wider > max_width):
                continue
            looked += 1
            fresh, code = settle(row, row_width, used, f, wider, slot, leaving, ample, trial)
            if bounded:
                rating = value + isolated(isolation, number, labels, widths, fresh, max_width, sets)
                if rating > most:
                    continue
            else:
                rating = value + bits_ahead(soon, soon_bits, labels)
            home = np.int64(code & np.uint64(table.shape[0] - 1))
            place = find_place(new, table[home], code, labels, widths, fresh, value)
            if place == BEATEN:
                continue
            if place == NEW:
                if made == new.value.shape[0]:
                    made, least, least_rated = keep_best(new, made, room)
                    dropped, rated = min(dropped, least), min(rated, least_rated)
                    relink(new, made, table)
                place = made
                made += 1
                new.code[place] = code
                new.link[place] = table[home]
                table[home] = place
            new.labels[place] = labels
            new.widths[place] = widths
            new.value[place] = value
            new.rating[place] = rating
            new.parent[place] = p
            new.choice[place] = f
    made, least, least_rated = keep_best(new, made, room)
    dropped, rated = min(dropped, least), min(rated, least_rated)
    return made, dropped, max(dropped + rest, rated if bounded else 0.0), looked


@kernel
def sweep(
    order: Ints, pieces: Pieces, max_width: int, upper: float, effort: Effort
) -> tuple[Ints, float, float, int]:
    """`guided_sweep` that knows nothing of what is to come.

    Returns:
        `labels` (S,) of the best plan (all -1 if none cheaper than `upper` was found), its cost
        (or `upper`), a lower bound on the cost of every plan, and the partial plans looked at.
    """
    rest = np.zeros(order.shape[0] + 1)
    labels, found, lower, looked, _ = guided_sweep(order, pieces, max_width, upper, effort, rest)
    return labels, found, lower, looked


@kernel
def guided_sweep(
    order: Ints, pieces: Pieces, max_width: int, upper: float, effort: Effort, rest: Floats
) -> tuple[Ints, float, float, int, Floats]:
    """Label pieces one by one in `order`, keeping a limited number of partial plans per step.

    Args:
        order: (S,) Pieces, each wire in time order.
        pieces: What is labelled.
        max_width: Qubits a fragment may hold.
        upper: Only plans cheaper than this are looked for, in bits.
        effort: How hard to try.
        rest: (S + 1,) Bits that the pieces after the first k cost at least among themselves, in
            every plan cheaper than `upper`.

    Returns:
        What `sweep` does, and (S + 1,) the bits that the first k pieces cost at least among
        themselves, in every plan cheaper than `upper`.
    """
    num = order.shape[0]
    frontier = frontier_of(order, pieces)
    slots = frontier.slots
    outlook = empty_outlook(pieces.wire.max() + 1, slots if effort.horizon > 0 else 0)
    old, new = empty_beam(2 * effort.room + 16, slots), empty_beam(2 * effort.room + 16, slots)
    table, trial = empty_table(2 * effort.room + 16), empty_trial(slots)
    path = empty_path(num)
    isolation = no_isolation()
    if effort.foresight > 0:
        isolation = isolation_of(frontier, pieces, max_width, effort.foresight)
    lower, cheapest, spent = upper, upper, np.zeros(num + 1)
    count, looked, number = 1, 0, 0
    while number < num and count > 0 and looked <= effort.max_states:
        step = step_at(number, frontier, pieces, outlook, effort.horizon)
        left = num - number - 1
        bar = Bar(max_width, upper - 1e-9, rest[number + 1], left, effort.room, effort.stop)
        made, dropped, least, tried = extend_all(
            number, step, isolation, bar, old, count, new, table, trial
        )
        if effort.stop[0] != 0:
            break
        count = made
        lower, cheapest = min(lower, least), min(cheapest, dropped)
        looked += tried
        path = remember(path, number, new, count)
        old, new = new, old
        number += 1
        # Those that were beaten or cannot end up cheap enough cost no less.
        spent[number] = min(cheapest, old.value[:count].min()) if count > 0 else cheapest
    spent[number:] = spent[number]
    none = np.full(num, -1, np.int64)
    if count == 0:
        return none, upper, lower, looked, spent
    if number < num:
        ahead = old.value[:count].min() + rest[number]
        if isolation.bits.shape[0] > 0:
            ahead = max(ahead, old.rating[:count].min())
        return none, upper, min(lower, ahead), looked, spent
    best = int(np.argmin(old.value[:count]))
    labels = labels_of_path(frontier, choices_of(path, best))
    return labels, old.value[best], min(lower, old.value[best]), looked, spent
