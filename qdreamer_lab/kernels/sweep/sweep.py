"""Kernel that sweeps over the pieces and keeps the best partial labellings, exactly or as a beam.

A partial plan matters for the rest only through its frontier: which frontier pieces share a
fragment, and how full those fragments are. Fragments that have left the frontier need no memory:
a piece that joined one later would be as well off in a fresh fragment. So partial plans with the
same frontier compete, and if none ever had to be dropped for lack of room the best one at the
end is optimal.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.sweep.beam import (
    BEATEN,
    NEW,
    NONE,
    empty_beam,
    find_place,
    keep_best,
    relink,
)
from qdreamer_lab.kernels.sweep.frontier import frontier_slots, outlook, replay

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@kernel
def pulls(
    row: Bytes,
    v: int,
    step: int,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    slot: Ints,
    enters: Ints,
    pull: Floats,
) -> tuple[int, float]:
    """Add up how strongly gates pull piece `v` to each fragment of a frontier `row`.

    Returns:
        The number of fragments in the frontier, and the sum of all pulls.
    """
    used = 0
    for label in row:
        if label != NONE and label + 1 > used:
            used = label + 1
    for f in range(used + 1):
        pull[f] = 0.0
    total = 0.0
    for k in range(start[v], start[v + 1]):
        u = neighbour[k]
        if enters[u] < step:
            pull[row[slot[u]]] += cost[k]
            total += cost[k]
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
    num_leaving: int,
    seen: Bytes,
    trial: Bytes,
    trial_width: NDArray[np.int16],
) -> tuple[int, np.uint64]:
    """Put a piece with `label` into slot `mine`, empty the slots of `leaving`, and renumber.

    Fragments are numbered by their first slot, so that equal partitions have equal labels. The
    result goes to `trial` and `trial_width`.

    Returns:
        The number of fragments left in the frontier, and a hash of `trial`.
    """
    slots = row.shape[0]
    for s in range(slots):
        trial[s] = row[s]
    trial[mine] = label
    for k in range(num_leaving):
        trial[leaving[k]] = NONE
    for f in range(used + 1):
        seen[f] = NONE
    fresh = 0
    code = np.uint64(1469598103934665603)
    for s in range(slots):
        f = trial[s]
        if f != NONE:
            if seen[f] == NONE:
                seen[f] = fresh
                trial_width[fresh] = 1 if f == used else row_width[f]
                if f == label and f != used:
                    trial_width[fresh] += wider
                fresh += 1
            trial[s] = seen[f]
        code = (code ^ np.uint64(trial[s])) * np.uint64(1099511628211)
    return fresh, code ^ (code >> np.uint64(29))


@kernel
def sweep(
    order: Ints,
    piece_wire: Ints,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    wire_cost: float,
    max_width: int,
    room: int,
    upper: float,
    max_states: int,
    horizon: int,
) -> tuple[Ints, float, float, int]:
    """Label pieces one by one in `order`, keeping at most `room` partial plans per step.

    Args:
        order: (S,) pieces, each wire in time order.
        piece_wire: (S,) wire of each piece.
        start: adjacency of gates between pieces.
        neighbour: see `start`.
        cost: see `start`.
        wire_cost: cost of a wire cut, in bits.
        max_width: qubits a fragment may hold.
        room: partial plans kept per step.
        upper: only plans cheaper than this are looked for, in bits.
        max_states: give up after this many partial plans in total.
        horizon: pieces to look ahead on each wire when choosing which plans to keep; 0 for none.

    Returns:
        `labels` (S,) of the best plan (all -1 if none cheaper than `upper` was found), its cost
        (or `upper`), a lower bound on the cost of every plan, and the partial plans looked at.
    """
    num = order.shape[0]
    slot, enters, leaves, slots = frontier_slots(order, piece_wire, start, neighbour)
    capacity = 2 * room + 16
    table_size = 64
    while table_size < 2 * capacity:
        table_size *= 2
    table = np.full(table_size, -1, np.int32)
    old, new = empty_beam(capacity, slots), empty_beam(capacity, slots)
    path_parent = np.empty(max(1024, num), np.int32)
    path_choice = np.empty(max(1024, num), np.uint8)
    path_start = np.zeros(num + 1, np.int64)
    seen = np.empty(slots + 1, np.uint8)
    trial = np.empty(slots, np.uint8)
    trial_width = np.empty(slots, np.int16)
    pull = np.zeros(slots + 1)
    leaving = np.empty(slots + 1, np.int64)
    current = np.full(piece_wire.max() + 1, -1, np.int64)
    pair = np.empty((slots * slots if horizon > 0 else 0, 2), np.int64)
    weight = np.empty(pair.shape[0])
    pair_table = np.zeros((slots, slots)) if horizon > 0 else np.zeros((0, 0))
    pairs_ahead = 0
    lower = upper
    limit = upper - 1e-9
    count = 1
    looked = 0
    step = 0
    while step < num and count > 0 and looked <= max_states:
        v = order[step]
        follows = v > 0 and piece_wire[v - 1] == piece_wire[v]
        num_leaving = 0
        if leaves[v] <= step:
            leaving[num_leaving] = slot[v]
            num_leaving += 1
        if follows and leaves[v - 1] == step:
            leaving[num_leaving] = slot[v - 1]
            num_leaving += 1
        for k in range(start[v], start[v + 1]):
            if enters[neighbour[k]] < step and leaves[neighbour[k]] == step:
                leaving[num_leaving] = slot[neighbour[k]]
                num_leaving += 1
        current[piece_wire[v]] = v
        if horizon > 0:
            pairs_ahead = outlook(
                step,
                piece_wire,
                start,
                neighbour,
                cost,
                slot,
                enters,
                current,
                horizon,
                pair,
                weight,
                pair_table,
            )
        table[:] = -1
        made = 0
        for p in range(count):
            row = old.labels[p]
            used, total = pulls(row, v, step, start, neighbour, cost, slot, enters, pull)
            same = -1
            if follows:
                same = row[slot[v - 1]]
                pull[same] += wire_cost
                total += wire_cost
            for f in range(used + 1):
                value = old.value[p] + total - pull[f]
                wider = 0 if f == same else 1
                if value > limit or (f < used and old.widths[p, f] + wider > max_width):
                    continue
                looked += 1
                fresh, code = settle(
                    row,
                    old.widths[p],
                    used,
                    f,
                    wider,
                    slot[v],
                    leaving,
                    num_leaving,
                    seen,
                    trial,
                    trial_width,
                )
                home = np.int64(code & np.uint64(table_size - 1))
                place = find_place(new, table[home], code, trial, trial_width, fresh, value)
                if place == BEATEN:
                    continue
                if place == NEW:
                    if made == capacity:
                        made, dropped = keep_best(new, made, room)
                        lower = min(lower, dropped)
                        relink(new, made, table)
                    place = made
                    made += 1
                    new.code[place] = code
                    new.link[place] = table[home]
                    table[home] = place
                new.labels[place] = trial
                new.widths[place] = trial_width
                ahead = 0.0
                for k in range(pairs_ahead):
                    if trial[pair[k, 0]] != trial[pair[k, 1]]:
                        ahead += weight[k]
                new.value[place] = value
                new.rating[place] = value + ahead
                new.parent[place] = p
                new.choice[place] = f
        made, dropped = keep_best(new, made, room)
        lower = min(lower, dropped)
        base = path_start[step]
        if base + made > path_parent.shape[0]:
            path_parent = np.concatenate((path_parent, np.empty(base + made, np.int32)))
            path_choice = np.concatenate((path_choice, np.empty(base + made, np.uint8)))
        path_parent[base : base + made] = new.parent[:made]
        path_choice[base : base + made] = new.choice[:made]
        path_start[step + 1] = base + made
        old, new = new, old
        count = made
        step += 1
    labels = np.full(num, -1, np.int64)
    if count == 0:
        return labels, upper, lower, looked
    best = np.argmin(old.value[:count])
    if step < num:
        return labels, upper, min(lower, old.value[best]), looked
    path = np.empty(num, np.uint8)
    k = int(best)
    for back in range(num - 1, -1, -1):
        path[back] = path_choice[path_start[back] + k]
        k = int(path_parent[path_start[back] + k])
    found = old.value[best]
    return replay(order, slot, leaves, slots, path), found, min(lower, found), looked
