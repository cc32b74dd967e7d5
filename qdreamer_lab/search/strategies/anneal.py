"""Strategy: anneal the labels of pieces; the workhorse where circuits are wide and dense."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.search.anneal import NEVER, Cooling, anneal
from qdreamer_lab.search.strategies.strategy import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Anneal"]

#: Fragments an annealing may open beyond those of the plan it starts from.
SPARE_LABELS = 2


@dataclass(frozen=True)
class Anneal:
    """Cool from `hot` to `cold` bits in `moves` steps, `restarts` times from the best plan.

    When the flag `stop` (1,) is not 0, it ends at once.
    """

    moves: int
    restarts: int = 1
    hot: float = 4.0
    cold: float = 0.3
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Anneal from `best`, which must be known."""
        for attempt in range(self.restarts):
            names, labels = np.unique(best.labels, return_inverse=True)
            num_labels = min(graph.limits.max_labels, len(names) + SPARE_LABELS)
            found, cost = anneal(
                np.asarray(labels, np.int64),
                graph.pieces,
                graph.limits._replace(max_labels=num_labels),
                Cooling(self.moves, self.hot, self.cold, self.stop),
                seed * 1000 + attempt,
            )
            best = best.improved_by(Plan(found, cost, best.bound))
        return best
