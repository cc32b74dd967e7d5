"""Strategy: anneal a partition of whole wires by trades; the workhorse of very large circuits.

Random circuits of a thousand qubits have few wires worth cutting, and partitions a few per cent
apart that no local search leaves; a slow annealing finds the better ones. Only gates are cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.search.anneal import NEVER, Cooling
from qdreamer_lab.kernels.search.anneal_swaps import anneal_swaps
from qdreamer_lab.search.strategies.multilevel import partition, rooms_of, wires_joined
from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Swaps"]

#: Wires times parts up to which it is tried: it keeps as many numbers.
LARGEST = 10_000_000


@dataclass(frozen=True)
class Swaps:
    """Anneal once.

    Attributes:
        moves: Trades tried, per wire.
        hot: Temperature at the start, in units of what one wire's edges to one part vary by in a
            random partition.
        cold: Temperature at the end, likewise.
        stop: (1,) Flag that ends it at once when it is not 0.
    """

    moves: int
    hot: float = 0.5
    cold: float = 0.1
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Anneal the wires of `best`, or of a new partition if `best` cuts wires."""
        wires, place = wires_joined(graph)
        num, rooms = len(wires.weight), rooms_of(graph.limits, len(wires.weight))
        first = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
        part = np.unique(best.labels, return_inverse=True)[1].astype(np.int64)
        if len(part) == 0 or len(graph.limits.rooms) or (part[first][place] != part).any():
            part = partition(wires, rooms, seed)
        else:
            part = part[first]
        load = np.bincount(part)
        rooms = rooms[: len(load)]
        if len(load) > len(rooms) or (load > rooms).any() or num * len(load) > LARGEST:
            return best
        edges = wires.edges
        unit = float(np.sqrt(np.sum(edges.cost**2) / (num * len(load))))
        if unit == 0.0:
            return best
        cooling = Cooling(self.moves * num, self.hot * unit, self.cold * unit, self.stop)
        labels = anneal_swaps(edges, part, rooms, cooling, seed)[place]
        if not is_feasible(graph, labels):
            return best
        return best.improved_by(Plan(labels, cost_of(graph, labels), best.bound))
