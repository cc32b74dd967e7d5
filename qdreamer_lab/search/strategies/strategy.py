"""The interface all strategies share: improve a plan of a piece graph, and perhaps its bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qdreamer_lab.kernels.pieces.piece_costs import piece_cost, piece_widths
from qdreamer_lab.search.devices import fits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["TOLERANCE", "Plan", "Strategy", "cost_of", "is_feasible", "no_plan", "plan_of"]

#: Two costs closer than this are the same, in bits.
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Plan:
    """Labels of pieces with their cost.

    Attributes:
        labels: (S,) Fragment of each piece, int64; empty while no plan is known.
        cost: Bits; infinite while no plan is known.
        bound: Bits; no plan of the graph costs less.
    """

    labels: NDArray[np.int64]
    cost: float
    bound: float

    @property
    def proven(self) -> bool:
        """Whether no better plan can exist."""
        return self.cost <= self.bound + TOLERANCE

    def improved_by(self, other: Plan) -> Plan:
        """Return the cheaper of two plans, with the better of their bounds."""
        better = other if other.cost < self.cost - TOLERANCE else self
        bound = min(max(self.bound, other.bound), better.cost)
        return Plan(better.labels, better.cost, bound)


class Strategy(Protocol):
    """One way of improving a plan."""

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Return a plan that is feasible or unknown (infinite cost), and a valid bound.

        The result need not be better than `best`. It depends on the arguments only.
        """
        ...


def no_plan() -> Plan:
    """Return the state of knowledge before any search."""
    return Plan(np.empty(0, np.int64), float("inf"), 0.0)


def is_feasible(graph: PieceGraph, labels: NDArray[np.int64]) -> bool:
    """Whether labels of pieces (S,) keep every limit of the graph."""
    widths = piece_widths(labels, graph.pieces.wire, int(labels.max(initial=-1)) + 1)
    limits = graph.limits
    return (
        int(widths.max(initial=0)) <= limits.max_width
        and int(widths.sum()) <= limits.total_room
        and int(np.count_nonzero(widths)) <= limits.max_labels
        and (len(limits.rooms) == 0 or fits(widths, limits.rooms))
    )


def cost_of(graph: PieceGraph, labels: NDArray[np.int64]) -> float:
    """Bits that labels of pieces (S,) cost."""
    return piece_cost(labels, graph.pieces)


def plan_of(graph: PieceGraph, labels: NDArray[np.int64]) -> Plan:
    """Make a plan of a graph of labels of endpoints (m, 2) that were found in another way.

    Where they cut within a piece, the piece goes where it ends; if that keeps no limit, there is no
    plan.
    """
    each = np.unique(graph.piece_labels(labels), return_inverse=True)[1].astype(np.int64)
    if not is_feasible(graph, each):
        return no_plan()
    return Plan(each, cost_of(graph, each), 0.0)
