"""Kernel that sweeps over the pieces with every piece on one of a few devices.

As `kernels/sweep/sweep.py`, but fragments are limited in number, and each has a limit of its own: a
device. What is on a device that has left the frontier must be remembered then, because others may
need its place, so a partial plan keeps the load of every device. Devices of one width are
interchangeable, and numbered so that plans that differ by an exchange are the same.
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
from qdreamer_lab.kernels.sweep.frontier import Frontier, frontier_of
from qdreamer_lab.kernels.sweep.outlook import empty_outlook
from qdreamer_lab.kernels.sweep.path import choices_of, empty_path, remember
from qdreamer_lab.kernels.sweep.sweep import Bar, Effort, Step, step_at
from qdreamer_lab.kernels.sweep.trial import Trial, empty_trial

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Shorts = NDArray[np.int16]


class Devices(NamedTuple):
    """K devices, and what is still to come.

    Attributes:
        rooms: (K,) Qubits of each, widest first.
        group: (K,) The first device of the same width.
        total_room: Qubits all may hold together.
        pieces_left: Pieces that are placed after the one at hand.
        wires_left: Wires that begin among these.
    """

    rooms: Ints
    group: Ints
    total_room: int
    pieces_left: int
    wires_left: int


@kernel
def groups_of(rooms: Ints) -> Ints:
    """Find the first device (K,) of each device's width; `rooms` must be sorted."""
    group = np.zeros(rooms.shape[0], np.int64)
    for d in range(1, rooms.shape[0]):
        group[d] = group[d - 1] if rooms[d] == rooms[d - 1] else d
    return group


@kernel
def settle_on(
    row: Bytes, loads: Shorts, choice: int, wider: int, step: Step, devices: Devices, trial: Trial
) -> np.uint64:
    """Put a piece on device `choice`, empty the slots that fall empty, and renumber devices.

    Within a width, devices in the frontier come first, by their first slot, and the others after
    them, fullest first. A device with room for all that is to come counts as just so full. The
    result goes to `trial`; `trial.seen` tells the new number of each device.

    Args:
        row: Device of the piece in each slot.
        loads: Qubits on each device, then all together.
        choice: The device.
        wider: Qubits that it has to hold more.
        step: The piece at hand.
        devices: What devices may hold.
        trial: The plan that is made.

    Returns:
        A hash of the labels.
    """
    labels, widths, _, seen = trial
    num = devices.rooms.shape[0]
    for s in range(row.shape[0]):
        labels[s] = row[s]
    labels[step.slot] = choice
    for k in range(step.leaving.shape[0]):
        labels[step.leaving[k]] = NONE
    place = devices.group.copy()
    for d in range(num):
        seen[d] = NONE
    code = np.uint64(1469598103934665603)
    for s in range(row.shape[0]):
        d = labels[s]
        if d != NONE:
            if seen[d] == NONE:
                seen[d] = place[devices.group[d]]
                place[devices.group[d]] += 1
            labels[s] = seen[d]
        code = (code ^ np.uint64(labels[s])) * np.uint64(1099511628211)
    for _ in range(num):
        fullest, most = -1, -1
        for d in range(num):
            load = loads[d] + (wider if d == choice else 0)
            if seen[d] == NONE and load > most:
                fullest, most = d, load
        if fullest < 0:
            break
        seen[fullest] = place[devices.group[fullest]]
        place[devices.group[fullest]] += 1
    for d in range(num):
        load = loads[d] + (wider if d == choice else 0)
        widths[seen[d]] = max(int(load), int(devices.rooms[d] - devices.pieces_left))
    widths[num] = max(int(loads[num] + wider), devices.total_room - devices.pieces_left)
    return code ^ (code >> np.uint64(29))


@kernel
def same_as_before(d: int, loads: Shorts, held: NDArray[np.bool_], group: Ints) -> bool:
    """Whether a device is like the one before: of its width, as full, and without frontier."""
    if d == 0 or group[d] != group[d - 1] or held[d] or held[d - 1]:
        return False
    return bool(loads[d] == loads[d - 1])


@kernel
def extend_on(
    step: Step,
    devices: Devices,
    bar: Bar,
    old: Beam,
    count: int,
    new: Beam,
    table: NDArray[np.int32],
    trial: Trial,
) -> tuple[int, float, int]:
    """Place a piece on all devices in the first `count` plans of beam `old`; the best fill `new`.

    Returns:
        The plans in `new`, the lowest cost of those dropped for lack of room, and the plans made.
    """
    _, most, _, _, room, stop = bar
    num = devices.rooms.shape[0]
    held = np.zeros(num, np.bool_)
    made, looked, dropped = 0, 0, np.inf
    table[:] = -1
    for p in range(count):
        if stop[0] != 0:
            break
        row, loads = old.labels[p], old.widths[p]
        held[:] = False
        for label in row:
            if label != NONE:
                held[label] = True
        trial.pull[:num] = 0.0
        total = 0.0
        for k in range(step.joined.shape[0]):
            trial.pull[row[step.joined[k]]] += step.bits[k]
            total += step.bits[k]
        before = row[step.before] if step.before >= 0 else NONE
        for d in range(num):
            value = old.value[p] + total - trial.pull[d]
            wider = 0 if d == before else 1
            if value > most or loads[d] + wider > devices.rooms[d]:
                continue
            if loads[num] + wider + devices.wires_left > devices.total_room:
                continue
            if same_as_before(d, loads, held, devices.group):
                continue
            looked += 1
            code = settle_on(row, loads, d, wider, step, devices, trial)
            home = np.int64(code & np.uint64(table.shape[0] - 1))
            place = find_place(new, table[home], code, trial.labels, trial.widths, num + 1, value)
            if place == BEATEN:
                continue
            if place == NEW:
                if made == new.value.shape[0]:
                    made, least, _ = keep_best(new, made, room)
                    dropped = min(dropped, least)
                    relink(new, made, table)
                place = made
                made += 1
                new.code[place] = code
                new.link[place] = table[home]
                table[home] = place
            new.labels[place] = trial.labels
            new.widths[place] = trial.widths
            new.value[place] = value
            new.rating[place] = value
            new.parent[place] = p
            new.choice[place] = d
    made, least, _ = keep_best(new, made, room)
    return made, min(dropped, least), looked


@kernel
def wires_after(frontier: Frontier, pieces: Pieces) -> Ints:
    """Count the wires (S,) that begin after each step."""
    num = frontier.order.shape[0]
    after = np.zeros(num, np.int64)
    for number in range(num - 1, 0, -1):
        begins = 0 if follows(pieces.wire, frontier.order[number]) else 1
        after[number - 1] = after[number] + begins
    return after


@kernel
def devices_of_path(
    frontier: Frontier, pieces: Pieces, rooms: Ints, total: int, path: Bytes, columns: int
) -> Ints:
    """Turn the choices (S,) along one path of a sweep into the device of each piece."""
    num, known = path.shape[0], rooms.shape[0]
    out = np.full(num, -1, np.int64)
    names, renamed = np.arange(known), np.arange(known)
    row, loads = np.full(columns, NONE, np.uint8), np.zeros(columns, np.int16)
    trial, outlook = empty_trial(columns), empty_outlook(pieces.wire.max() + 1, 0)
    after, group = wires_after(frontier, pieces), groups_of(rooms)
    for number in range(num):
        step = step_at(number, frontier, pieces, outlook, 0)
        devices = Devices(rooms, group, total, num - number - 1, after[number])
        choice = int(path[number])
        out[frontier.order[number]] = names[choice]
        wider = 0 if step.before >= 0 and row[step.before] == choice else 1
        settle_on(row, loads, choice, wider, step, devices, trial)
        row[:] = trial.labels
        loads[:] = trial.widths
        for d in range(known):
            renamed[trial.seen[d]] = names[d]
        names[:] = renamed
    return out


@kernel
def device_sweep(
    order: Ints, pieces: Pieces, rooms: Ints, total: int, upper: float, effort: Effort
) -> tuple[Ints, float, float, int]:
    """Label pieces one by one in `order` by devices, keeping a limited number of partial plans.

    Args:
        order: (S,) Pieces, each wire in time order; fewer than 2^15.
        pieces: What is labelled.
        rooms: (K,) Qubits that each device holds, widest first; at most 254 of them.
        total: Qubits that all may hold together, below 2^15 like each of them.
        upper: Only plans cheaper than this are looked for, in bits.
        effort: How hard to try; it does not look ahead.

    Returns:
        The device (S,) of each piece in the best plan (all -1 if none cheaper than `upper` was
        found), its cost (or `upper`), a lower bound on the cost of every plan, and the partial
        plans looked at.
    """
    num = order.shape[0]
    frontier = frontier_of(order, pieces)
    columns = max(frontier.slots, rooms.shape[0] + 1)
    outlook = empty_outlook(pieces.wire.max() + 1, 0)
    size = 2 * effort.room + 16
    old, new = empty_beam(size, columns), empty_beam(size, columns)
    table, trial, path = empty_table(size), empty_trial(columns), empty_path(num)
    trial.labels[:] = NONE
    trial.widths[:] = 0
    bar = Bar(int(rooms[0]), upper - 1e-9, 0.0, 0, effort.room, effort.stop)
    after, group = wires_after(frontier, pieces), groups_of(rooms)
    lower = upper
    count, looked, number = 1, 0, 0
    while number < num and count > 0 and looked <= effort.max_states:
        step = step_at(number, frontier, pieces, outlook, 0)
        devices = Devices(rooms, group, total, num - number - 1, after[number])
        made, dropped, tried = extend_on(step, devices, bar, old, count, new, table, trial)
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
    labels = devices_of_path(frontier, pieces, rooms, total, choices_of(path, best), columns)
    return labels, found, min(lower, found), looked
