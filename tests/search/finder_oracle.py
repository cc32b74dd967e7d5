"""A slow search that is obviously right: every labelling of every endpoint, tried in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from qdreamer_lab.search.problem import CutProblem


@numba.njit(cache=True)
def _cheapest(pairs, gate_cost, wire_cost, max_qubits, max_fragments, idle, gates, wires, below):
    """Enumerate labels of endpoints in time order, fragments numbered as they first appear.

    The only thing left out are labellings that already cost as much as the best one known (at
    first `below`), or hold a fragment that is too wide already.
    """
    m = pairs.shape[0]
    ends = 2 * m
    labels = np.full(ends, -1, np.int64)
    cost = np.zeros(ends + 1)
    used = np.zeros(ends + 1, np.int64)
    width = np.zeros((ends + 1, ends + 1), np.int64)
    best = below
    depth = 0
    while depth >= 0:
        if depth == ends:
            total = width[depth].sum()
            room = max_fragments * max_qubits - idle
            if total <= room and used[depth] <= max_fragments:
                best = min(best, cost[depth])
            depth -= 1
            continue
        labels[depth] += 1
        if labels[depth] > used[depth]:
            labels[depth] = -1
            depth -= 1
            continue
        b, side = depth // 2, depth % 2
        step = 0.0
        prev = -1
        for d in range(depth):
            if pairs[d // 2, d % 2] == pairs[b, side]:
                prev = d
        if prev >= 0 and labels[prev] != labels[depth]:
            step += wire_cost if wires else np.inf
        if side == 1 and labels[depth - 1] != labels[depth]:
            step += gate_cost[b] if gates else np.inf
        cost[depth + 1] = cost[depth] + step
        used[depth + 1] = max(used[depth], labels[depth] + 1)
        width[depth + 1] = width[depth]
        if prev < 0 or labels[prev] != labels[depth]:
            width[depth + 1, labels[depth]] += 1
        fits = width[depth + 1, labels[depth]] <= max_qubits
        if fits and cost[depth + 1] < best - 1e-9:
            depth += 1
    return best


def cheapest(problem: CutProblem, below: float = np.inf) -> float:
    """Lowest cost of any plan under independent local cuts, or `below` if none is cheaper."""
    fragments = 10**6 if problem.max_fragments is None else problem.max_fragments
    return float(
        _cheapest(
            problem.pairs,
            problem.gate_cost,
            problem.wire_cost,
            problem.max_qubits,
            fragments,
            problem.idle_qubits,
            "gate" in problem.kinds,
            "wire" in problem.kinds,
            below,
        )
    )
