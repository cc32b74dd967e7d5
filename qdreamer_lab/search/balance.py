"""Among plans of one price, prefers those whose widest fragment is narrowest.

Running a fragment takes time and memory that grow as 2^width, so of two equally cheap plans the
balanced one runs sooner. This never gives up a bit of overhead.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qdreamer_lab.kernels.pieces.piece_costs import piece_widths
from qdreamer_lab.search.strategies.strategy import TOLERANCE, Plan, is_feasible
from qdreamer_lab.search.strategies.sweep import Sweep

if TYPE_CHECKING:
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["balanced"]

#: Pieces times frontier beyond which balancing would take longer than the search.
LIMIT = 400

#: Partial plans kept per piece.
ROOM = 48


def balanced(graph: PieceGraph, plan: Plan, seed: int, deadline: float) -> Plan:
    """Narrow the device by bisection for as long as an equally cheap plan turns up.

    Args:
        graph: What was labelled.
        plan: A feasible plan of it.
        seed: Seed of everything random.
        deadline: `time.perf_counter()` after which the plan is left as it is.
    """
    if graph.num_pieces * graph.widest > LIMIT:
        return plan
    widest = int(piece_widths(plan.labels, graph.pieces.wire, int(plan.labels.max()) + 1).max())
    low, high = 1, widest
    while low < high and time.perf_counter() < deadline:
        middle = (low + high) // 2
        narrow = replace(graph, limits=graph.limits._replace(max_width=middle))
        known = Plan(plan.labels, plan.cost + TOLERANCE / 2, 0.0)
        found = Sweep(room=ROOM).improve(narrow, known, seed)
        if found.cost < known.cost and is_feasible(narrow, found.labels):
            plan = Plan(found.labels, plan.cost, plan.bound)
            high = middle
        else:
            low = middle + 1
    return plan
