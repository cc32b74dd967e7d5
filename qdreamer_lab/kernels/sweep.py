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

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

NONE = 255
CHAIN = 400


@kernel
def frontier_slots(
    order: Ints, piece_wire: Ints, start: Ints, neighbour: Ints
) -> tuple[Ints, Ints, Ints, int]:
    """Give every piece a slot in the frontier, reused once its last neighbour is placed.

    Returns:
        `slot` (S,) of each piece, `enters` (S,) the step that places it, `leaves` (S,) the step
        after which it leaves the frontier, and the number of slots.
    """
    num = order.shape[0]
    enters = np.empty(num, np.int64)
    for step in range(num):
        enters[order[step]] = step
    leaves = enters.copy()
    for v in range(num):
        for k in range(start[v], start[v + 1]):
            leaves[v] = max(leaves[v], enters[neighbour[k]])
        if v > 0 and piece_wire[v - 1] == piece_wire[v]:
            leaves[v] = max(leaves[v], enters[v - 1])
        if v + 1 < num and piece_wire[v + 1] == piece_wire[v]:
            leaves[v] = max(leaves[v], enters[v + 1])
    slot = np.full(num, -1, np.int64)
    holder = np.full(num, -1, np.int64)
    slots = 0
    for step in range(num):
        chosen = -1
        for s in range(slots):
            if holder[s] < 0 or leaves[holder[s]] < step:
                chosen = s
                break
        if chosen < 0:
            chosen = slots
            slots += 1
        holder[chosen] = order[step]
        slot[order[step]] = chosen
    return slot, enters, leaves, slots


@kernel
def keep_best(
    count: int,
    room: int,
    labels: Bytes,
    widths: NDArray[np.int16],
    value: Floats,
    rating: Floats,
    parent: NDArray[np.int32],
    choice: Bytes,
) -> tuple[int, float]:
    """Keep the `room` cheapest of `count` partial plans, in place.

    Returns:
        How many were kept, and the lowest cost dropped (infinite if none was).
    """
    if count <= room:
        return count, np.inf
    limit = np.partition(rating[:count], room)[room]
    kept = 0
    dropped = np.inf
    ties = room
    for k in range(count):
        if rating[k] < limit:
            ties -= 1
    for k in range(count):
        take = rating[k] < limit
        if not take and rating[k] == limit and ties > 0:
            ties -= 1
            take = True
        if not take:
            dropped = min(dropped, value[k])
            continue
        if kept != k:
            labels[kept] = labels[k]
            widths[kept] = widths[k]
            value[kept] = value[k]
            rating[kept] = rating[k]
            parent[kept] = parent[k]
            choice[kept] = choice[k]
        kept += 1
    return kept, dropped


@kernel
def outlook(
    step: int,
    piece_wire: Ints,
    start: Ints,
    neighbour: Ints,
    cost: Floats,
    slot: Ints,
    enters: Ints,
    current: Ints,
    horizon: int,
    pair: Ints,
    weight: Floats,
    table: Floats,
) -> int:
    """List which frontier pieces will soon be joined by gates, and by how many bits.

    Args:
        step: pieces up to this step are placed.
        piece_wire: (S,) wire of each piece.
        start: adjacency of gates between pieces.
        neighbour: see `start`.
        cost: see `start`.
        slot: see `frontier_slots`.
        enters: see `frontier_slots`.
        current: (n,) last placed piece of each wire, -1 before its first.
        horizon: pieces to look ahead on each wire; nearer gates count more.
        pair: (P, 2) filled with slots.
        weight: (P,) filled with bits.
        table: (slots, slots) zeros, left as zeros.

    Returns:
        How many entries of `pair` and `weight` were filled.
    """
    num = piece_wire.shape[0]
    filled = 0
    for a in range(current.shape[0]):
        u = current[a]
        if u < 0:
            continue
        share = 0.5
        for k in range(1, horizon + 1):
            v = u + k
            if v >= num or piece_wire[v] != a:
                break
            share *= 1.0 - 1.0 / horizon
            for j in range(start[v], start[v + 1]):
                other = current[piece_wire[neighbour[j]]]
                if other < 0 or enters[neighbour[j]] <= step:
                    continue
                s, t = min(slot[u], slot[other]), max(slot[u], slot[other])
                if table[s, t] == 0.0:
                    if filled == weight.shape[0]:
                        continue
                    pair[filled, 0], pair[filled, 1] = s, t
                    filled += 1
                table[s, t] += share * cost[j]
    for k in range(filled):
        weight[k] = table[pair[k, 0], pair[k, 1]]
        table[pair[k, 0], pair[k, 1]] = 0.0
    return filled


@kernel
def replay(order: Ints, slot: Ints, leaves: Ints, slots: int, path: Bytes) -> Ints:
    """Turn the choices along one path of a sweep into labels.

    A choice counts the fragments in the frontier, in slot order; one past the last is a fresh one.
    """
    num = order.shape[0]
    labels = np.full(num, -1, np.int64)
    holder = np.full(slots, -1, np.int64)
    fragments = 0
    for step in range(num):
        v = order[step]
        rank = 0
        label = -1
        for s in range(slots):
            if holder[s] < 0:
                continue
            first = True
            for t in range(s):
                if holder[t] >= 0 and labels[holder[t]] == labels[holder[s]]:
                    first = False
                    break
            if first:
                if rank == path[step]:
                    label = labels[holder[s]]
                rank += 1
        if label < 0:
            label = fragments
            fragments += 1
        labels[v] = label
        holder[slot[v]] = v
        for s in range(slots):
            if holder[s] >= 0 and leaves[holder[s]] <= step:
                holder[s] = -1
    return labels


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
    chain = np.empty(capacity, np.int32)
    key = np.empty(capacity, np.uint64)
    old_labels = np.full((capacity, slots), NONE, np.uint8)
    new_labels = np.full((capacity, slots), NONE, np.uint8)
    old_widths = np.zeros((capacity, slots), np.int16)
    new_widths = np.zeros((capacity, slots), np.int16)
    old_value = np.zeros(capacity)
    new_value = np.zeros(capacity)
    rating = np.zeros(capacity)
    current = np.full(piece_wire.max() + 1, -1, np.int64)
    pair = np.empty((slots * slots if horizon > 0 else 0, 2), np.int64)
    weight = np.empty(pair.shape[0])
    pair_table = np.zeros((slots, slots)) if horizon > 0 else np.zeros((0, 0))
    pairs_ahead = 0
    parent = np.empty(capacity, np.int32)
    choice = np.empty(capacity, np.uint8)
    history_parent = np.empty(max(1024, num), np.int32)
    history_choice = np.empty(max(1024, num), np.uint8)
    history_start = np.zeros(num + 1, np.int64)
    seen = np.empty(slots + 1, np.uint8)
    trial = np.empty(slots, np.uint8)
    trial_width = np.empty(slots, np.int16)
    pull = np.zeros(slots + 1)
    lower = upper
    limit = upper - 1e-9
    count = 1
    looked = 0
    for step in range(num):
        v = order[step]
        before = -1
        if v > 0 and piece_wire[v - 1] == piece_wire[v]:
            before = slot[v - 1]
        table[:] = -1
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
        made = 0
        for p in range(count):
            used = 0
            for s in range(slots):
                if old_labels[p, s] != NONE and old_labels[p, s] + 1 > used:
                    used = old_labels[p, s] + 1
            for f in range(used + 1):
                pull[f] = 0.0
            total = 0.0
            for k in range(start[v], start[v + 1]):
                u = neighbour[k]
                if enters[u] < step:
                    s = slot[u]
                    pull[old_labels[p, s]] += cost[k]
                    total += cost[k]
            same = -1
            if before >= 0:
                same = old_labels[p, before]
                pull[same] += wire_cost
                total += wire_cost
            for f in range(used + 1):
                value = old_value[p] + total - pull[f]
                if value > limit:
                    continue
                wider = 0 if f == same else 1
                if f < used:
                    if old_widths[p, f] + wider > max_width:
                        continue
                elif max_width < 1:
                    continue
                looked += 1
                for s in range(used + 1):
                    seen[s] = NONE
                fresh = 0
                code = np.uint64(1469598103934665603)
                for s in range(slots):
                    label = old_labels[p, s]
                    if s == slot[v]:
                        label = np.uint8(f)
                        if leaves[v] <= step:
                            label = np.uint8(NONE)
                    trial[s] = label
                for k in range(start[v], start[v + 1]):
                    u = neighbour[k]
                    if enters[u] < step and leaves[u] == step:
                        trial[slot[u]] = NONE
                if before >= 0 and leaves[v - 1] == step:
                    trial[before] = NONE
                for s in range(slots):
                    label = trial[s]
                    if label != NONE:
                        if seen[label] == NONE:
                            seen[label] = fresh
                            trial_width[fresh] = 1 if label == used else old_widths[p, label]
                            if label == f and label != used:
                                trial_width[fresh] += wider
                            fresh += 1
                        trial[s] = seen[label]
                    code = (code ^ np.uint64(trial[s])) * np.uint64(1099511628211)
                code ^= code >> np.uint64(29)
                home = np.int64(code & np.uint64(table_size - 1))
                e = table[home]
                hops = 0
                place = -1
                beaten = False
                while e >= 0 and hops < CHAIN:
                    hops += 1
                    if key[e] == code:
                        equal = True
                        for s in range(slots):
                            if new_labels[e, s] != trial[s]:
                                equal = False
                                break
                        if equal:
                            above = True
                            below = True
                            for s in range(fresh):
                                if new_widths[e, s] > trial_width[s]:
                                    above = False
                                if new_widths[e, s] < trial_width[s]:
                                    below = False
                            if above and new_value[e] <= value + 1e-12:
                                beaten = True
                                break
                            if below and value <= new_value[e]:
                                place = e
                                break
                    e = chain[e]
                if beaten:
                    continue
                if place < 0:
                    if made == capacity:
                        made, dropped = keep_best(
                            made, room, new_labels, new_widths, new_value, rating, parent, choice
                        )
                        lower = min(lower, dropped)
                        table[:] = -1
                        for e in range(made):
                            again = np.uint64(1469598103934665603)
                            for s in range(slots):
                                again = (again ^ np.uint64(new_labels[e, s])) * np.uint64(
                                    1099511628211
                                )
                            again ^= again >> np.uint64(29)
                            key[e] = again
                            spot = np.int64(again & np.uint64(table_size - 1))
                            chain[e] = table[spot]
                            table[spot] = e
                        if value > limit:
                            continue
                    place = made
                    made += 1
                    key[place] = code
                    chain[place] = table[home]
                    table[home] = place
                for s in range(slots):
                    new_labels[place, s] = trial[s]
                for s in range(fresh):
                    new_widths[place, s] = trial_width[s]
                new_value[place] = value
                ahead = 0.0
                for k in range(pairs_ahead):
                    if trial[pair[k, 0]] != trial[pair[k, 1]]:
                        ahead += weight[k]
                rating[place] = value + ahead
                parent[place] = p
                choice[place] = f
        made, dropped = keep_best(
            made, room, new_labels, new_widths, new_value, rating, parent, choice
        )
        lower = min(lower, dropped)
        base = history_start[step]
        if base + made > history_parent.shape[0]:
            size = 2 * (base + made)
            grown_parent = np.empty(size, np.int32)
            grown_parent[:base] = history_parent[:base]
            history_parent = grown_parent
            grown_choice = np.empty(size, np.uint8)
            grown_choice[:base] = history_choice[:base]
            history_choice = grown_choice
        history_parent[base : base + made] = parent[:made]
        history_choice[base : base + made] = choice[:made]
        history_start[step + 1] = base + made
        old_labels, new_labels = new_labels, old_labels
        old_widths, new_widths = new_widths, old_widths
        old_value, new_value = new_value, old_value
        count = made
        if looked > max_states or count == 0:
            break
    labels = np.full(num, -1, np.int64)
    if count == 0:
        return labels, upper, lower, looked
    if looked > max_states and step + 1 < num:
        for k in range(count):
            lower = min(lower, old_value[k])
        return labels, upper, lower, looked
    best = 0
    for k in range(count):
        if old_value[k] < old_value[best]:
            best = k
    found = old_value[best]
    path = np.empty(num, np.uint8)
    k = best
    for step in range(num - 1, -1, -1):
        path[step] = history_choice[history_start[step] + k]
        k = int(history_parent[history_start[step] + k])
    return replay(order, slot, leaves, slots, path), found, min(lower, found), looked
