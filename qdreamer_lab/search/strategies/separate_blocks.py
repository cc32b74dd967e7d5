"""Strategy: every block is a fragment of its own. The first plan where gates must not be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible
from qdreamer_lab.search.strategies.sweep import packed

if TYPE_CHECKING:
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Separate"]


@dataclass(frozen=True)
class Separate:
    """Cut every wire between any two blocks."""

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Label pieces by their block; `best` comes back where that is not feasible."""
        labels = np.empty(graph.num_pieces, np.int64)
        labels[graph.piece_of] = np.arange(len(graph.piece_of))[:, None]
        labels = packed(graph, labels)
        if not is_feasible(graph, labels):
            return best
        return Plan(labels, cost_of(graph, labels), best.bound)
