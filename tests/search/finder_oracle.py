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
def _cheapest(model, blocks, low_gates, low_wire, rooms, limit, idle, below):
    """Enumerate labels of endpoints in time order, fragments numbered as they first appear.

    The only thing left out are labellings whose cuts, at the least each can cost, already cost as
    much as the best plan known (at first `below`), or that hold a fragment that is too wide.
    `rooms` are the widths of all devices, in any order; whether fragments fit on them is tried
    fragment by fragment, each on the narrowest device that is left and holds it.
    """
    max_qubits = rooms.max()
    pairs = blocks.pairs
    m = pairs.shape[0]
    ends = 2 * m
    labels = np.full((m, 2), -1, np.int64)
    low = np.zeros(ends + 1)
    used = np.zeros(ends + 1, np.int64)
    width = np.zeros((ends + 1, ends + 1), np.int64)
    best = below
    depth = 0
    while depth >= 0:
        if depth == ends:
            left = rooms.copy()
            fit = used[depth] <= limit
            for wide in np.sort(width[depth])[::-1]:
                if wide > 0:
                    chosen = -1
                    for d in range(left.shape[0]):
                        if left[d] >= wide and (chosen < 0 or left[d] < left[chosen]):
                            chosen = d
                    fit = fit and chosen >= 0
                    if chosen >= 0:
                        left[chosen] = 0
            total = np.sort(rooms)[::-1][:limit].sum()
            if fit and width[depth].sum() + idle <= total:
                best = min(best, price(model, blocks, labels))
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
        width[depth + 1] = width[depth]
        if previous != label:
            width[depth + 1, label] += 1
            if previous >= 0:
                low[depth + 1] += low_wire
        if side == 1 and labels[b, 0] != label:
            low[depth + 1] += low_gates[b]
        used[depth + 1] = max(used[depth], label + 1)
        if width[depth + 1, label] <= max_qubits and low[depth + 1] < best - 1e-9:
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
    return float(
        _cheapest(
            MODELS[cost],
            blocks_of(problem),
            low_gates,
            low_wire,
            np.array(rooms, np.int64),
            len(rooms) if limit is None else limit,
            problem.idle_qubits,
            below,
        )
    )
