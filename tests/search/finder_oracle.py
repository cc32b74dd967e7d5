"""A slow search that is obviously right: every labelling of every endpoint, tried in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from qdreamer_lab.kernels.cost.plan_price import price
from qdreamer_lab.search.cost_models import MODELS
from qdreamer_lab.search.problem_arrays import blocks_of, sines

if TYPE_CHECKING:
    from qdreamer_lab.search.problem import CutProblem


@numba.njit(cache=True)
def _rooms_hold(widths, rooms, limit, idle, placed, left):
    """Whether fragments fit on devices: the widest first, each on the narrowest that holds it."""
    room, count, total = 0, 0, idle
    for d in range(rooms.shape[0]):
        left[d] = rooms[d]
        if d < limit:  # they come widest first
            room += rooms[d]
    for label in range(widths.shape[0]):
        placed[label] = widths[label] == 0
    while True:
        widest = chosen = -1
        for label in range(widths.shape[0]):
            if not placed[label] and (widest < 0 or widths[label] > widths[widest]):
                widest = label
        if widest < 0:
            return count <= limit and total <= room
        for d in range(rooms.shape[0]):
            if left[d] >= widths[widest] and (chosen < 0 or left[d] < left[chosen]):
                chosen = d
        if chosen < 0:
            return False
        left[chosen] = 0
        placed[widest] = True
        count += 1
        total += widths[widest]


@numba.njit(cache=True)
def _cheapest(model, blocks, low_gates, low_wire, rooms, limit, idle, below, work):
    """Enumerate labels of endpoints in time order, fragments numbered as they first appear.

    The only thing left out are labellings whose cuts, at the least each can cost, already cost as
    much as the best plan known (at first `below`), or that hold a fragment that is too wide.
    `rooms` are the widths of all devices, the widest first.

    It is written in loops over scalars alone and gets its arrays as `work`: numba would take ten
    times as long to compile slices, sorting and the making of arrays.
    """
    labels, low, used, width, placed, left = work
    pairs = blocks.pairs
    ends = 2 * pairs.shape[0]
    best = below
    depth = 0
    while depth >= 0:
        if depth == ends:
            if _rooms_hold(width[depth], rooms, limit, idle, placed, left):
                found = price(model, blocks, labels)
                best = found if found < best else best
            depth -= 1
            continue
        b, side = depth // 2, depth % 2
        labels[b, side] += 1
        label = labels[b, side]
        if label > used[depth]:
            labels[b, side] = -1
            depth -= 1
            continue
        previous = -1
        for d in range(depth):
            if pairs[d // 2, d % 2] == pairs[b, side]:
                previous = labels[d // 2, d % 2]
        low[depth + 1] = low[depth]
        for each in range(ends + 1):
            width[depth + 1, each] = width[depth, each]
        if previous != label:
            width[depth + 1, label] += 1
            if previous >= 0:
                low[depth + 1] += low_wire
        if side == 1 and labels[b, 0] != label:
            low[depth + 1] += low_gates[b]
        used[depth + 1] = used[depth] if label < used[depth] else label + 1
        if width[depth + 1, label] <= rooms[0] and low[depth + 1] < best - 1e-9:
            depth += 1
    return best


def cheapest(problem: CutProblem, below: float = 1e5, cost: str = "lo") -> float:
    """Lowest price of any plan, or `below` if none is cheaper."""
    sine = sines(problem)
    low_gates, low_wire = problem.gate_cost, problem.wire_cost
    if cost in ("joint", "locc"):  # gamma of a group >= product of (1 + s)
        low_gates = np.where(np.isnan(sine), low_gates, 2 * np.log2(1 + np.nan_to_num(sine)))
    if cost == "locc":  # 2^(n + 1) - 1 >= 2^n
        low_wire = 2.0
    if cost == "work":
        low_gates, low_wire = np.zeros_like(low_gates), 0.0
    if "gate" not in problem.kinds:
        low_gates = np.full_like(low_gates, 1e6)
    if "wire" not in problem.kinds:
        low_wire = 1e6
    limit = problem.max_fragments
    rooms = problem.devices
    if rooms is None:
        # As many devices as there may be fragments: one for each endpoint and idle qubit.
        most = 2 * len(problem.pairs) + problem.idle_qubits
        rooms = (problem.max_qubits,) * (most if limit is None else min(most, limit))
    ends = 2 * len(problem.pairs)
    work = (
        np.full((len(problem.pairs), 2), -1),
        np.zeros(ends + 1),
        np.zeros(ends + 1, np.int64),
        np.zeros((ends + 1, ends + 1), np.int64),
        np.zeros(ends + 1, np.bool_),
        np.zeros(len(rooms), np.int64),
    )
    return float(
        _cheapest(
            MODELS[cost],
            blocks_of(problem),
            low_gates,
            low_wire,
            np.array(sorted(rooms, reverse=True), np.int64),
            len(rooms) if limit is None else limit,
            problem.idle_qubits,
            below,
            work,
        )
    )
