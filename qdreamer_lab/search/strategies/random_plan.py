"""Strategy: fragments filled with wires in random order. The baseline every other one must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible, no_plan

if TYPE_CHECKING:
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["RandomPlan"]


@dataclass(frozen=True)
class RandomPlan:
    """Draw `tries` plans without wire cuts and keep the cheapest."""

    tries: int = 1

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Draw afresh; `best` is only passed through."""
        rng = np.random.default_rng(seed)
        num_wires = int(graph.pieces.wire.max()) + 1
        places = np.arange(num_wires) // graph.limits.max_width
        if len(graph.limits.rooms):
            places = np.arange(graph.limits.max_labels).repeat(
                np.minimum(graph.limits.rooms, num_wires)
            )[:num_wires]
        for _ in range(self.tries):
            fragment = np.empty(num_wires, np.int64)
            fragment[rng.permutation(num_wires)] = places
            labels = fragment[graph.pieces.wire]
            if is_feasible(graph, labels):
                best = best.improved_by(Plan(labels, cost_of(graph, labels), no_plan().bound))
        return best
