"""Strategy: every connected part of the circuit is a fragment. Where that fits, nothing is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible
from qdreamer_lab.search.strategies.sweep import packed

if TYPE_CHECKING:
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Connected"]


@dataclass(frozen=True)
class Connected:
    """Cut nothing, and put parts together where there are more than there may be fragments."""

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Label pieces by their part; `best` comes back where that is not feasible."""
        wire = graph.pieces.wire
        low, high = wire[graph.piece_of].T
        size = int(wire.max()) + 1
        joined = coo_array((np.ones(len(low)), (low, high)), shape=(size, size))
        _, part = connected_components(joined, directed=False)
        labels = packed(graph, np.unique(part[wire], return_inverse=True)[1].astype(np.int64))
        if not is_feasible(graph, labels):
            return best
        return Plan(labels, cost_of(graph, labels), best.bound)
