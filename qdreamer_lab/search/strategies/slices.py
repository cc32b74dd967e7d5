"""Strategy: cut the circuit into slices of time, and partition the wires of each by itself.

Dense circuits often want few qubits together for some time and others later, which no partition of
whole wires can say. Between slices wires are cut, also without need until `Cycle` joins fragments
that go on. Random circuits of a thousand qubits have partitions a few per cent apart that no local
search leaves, and a slow annealing finds the better ones; a slice may be all of the circuit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.search.anneal import NEVER, Cooling
from qdreamer_lab.kernels.search.anneal_swaps import anneal_swaps
from qdreamer_lab.kernels.search.partition import WeightedGraph
from qdreamer_lab.search.strategies.multilevel import partition, rooms_of
from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Slices"]

#: Wires times parts up to which trades are tried: these keep as many numbers.
LARGEST = 10_000_000

#: How far even slices end from where they would if all were alike, in slices, at most.
UNEVEN = 0.1


@dataclass(frozen=True)
class Slices:
    """Partition so many slices.

    Attributes:
        count: Slices, of random length, or all about as long if there are trades.
        trades: Trades of places that the annealing of a slice tries, per wire; 0 for none.
        hot: Its temperature at the start, in units of what the bits between a wire and a part vary
            by in random partitions.
        cold: Its temperature at the end, likewise.
        stop: (1,) Flag that ends it at once when it is not 0.
    """

    count: int
    trades: int = 0
    hot: float = 0.5
    cold: float = 0.1
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Partition afresh; `best` comes back where the result keeps no limit.

        Where there is one slice, and `best` cuts no wire, trades start from it.
        """
        rng = np.random.default_rng(seed)
        num, moment = len(graph.piece_of), _moments(graph)
        if self.trades:
            ends = np.arange(1, self.count) + rng.uniform(-UNEVEN, UNEVEN, self.count - 1)
            ends *= num / self.count
        else:
            ends = np.sort(rng.uniform(0, num, self.count - 1))
        slices = np.searchsorted(ends, moment)
        labels = np.empty(graph.num_pieces, np.int64)
        used = 0
        for number in np.unique(slices):
            pieces = np.flatnonzero(slices == number)
            part = self._partitioned(graph, best, pieces, int(rng.integers(2**31)))
            labels[pieces] = part + used
            used += int(part.max()) + 1
        if not is_feasible(graph, labels):
            return best
        return Plan(labels, cost_of(graph, labels), best.bound)

    def _partitioned(
        self, graph: PieceGraph, best: Plan, pieces: NDArray[np.int64], seed: int
    ) -> NDArray[np.int64]:
        """Part of each of some pieces; those of one wire stay together."""
        wires, place = _wires_joined(graph, pieces)
        rooms = rooms_of(graph.limits, len(wires.weight))
        part = None
        if self.count == 1 and self.trades and not len(graph.limits.rooms):
            part = _whole_wires(graph, best)
        if part is None:
            part = partition(wires, rooms, seed)
        if self.trades and not self.stop[0]:
            part = self._traded(wires, part, rooms, seed)
        return np.asarray(part[place], np.int64)

    def _traded(
        self, wires: WeightedGraph, part: NDArray[np.int64], rooms: NDArray[np.int64], seed: int
    ) -> NDArray[np.int64]:
        """A better partition (S,) of wires than `part`, if trades of places lead to one."""
        load, edges, num = np.bincount(part), wires.edges, len(part)
        unit = float(np.sqrt(np.sum(edges.cost**2) / (num * len(load))))
        if unit == 0.0 or (load > rooms[: len(load)]).any() or num * len(load) > LARGEST:
            return part
        cooling = Cooling(self.trades * num, self.hot * unit, self.cold * unit, self.stop)
        return anneal_swaps(edges, part, rooms[: len(load)], cooling, seed)


def _whole_wires(graph: PieceGraph, plan: Plan) -> NDArray[np.int64] | None:
    """Part of each wire in a plan, or None if there is no plan or it cuts wires."""
    if not len(plan.labels):
        return None
    labels = np.unique(plan.labels, return_inverse=True)[1].astype(np.int64)
    fresh = np.r_[True, graph.pieces.wire[1:] != graph.pieces.wire[:-1]]
    part = labels[fresh]
    return part if np.array_equal(part[np.cumsum(fresh) - 1], labels) else None


def _moments(graph: PieceGraph) -> NDArray[np.float64]:
    """When each piece (S,) is halfway, in blocks of the circuit."""
    first = np.full(graph.num_pieces, len(graph.piece_of))
    last = np.zeros(graph.num_pieces, np.int64)
    for ends in graph.piece_of.T:
        np.minimum.at(first, ends, np.arange(len(ends)))
        np.maximum.at(last, ends, np.arange(len(ends)))
    return (first + last) / 2


def _wires_joined(
    graph: PieceGraph, pieces: NDArray[np.int64]
) -> tuple[WeightedGraph, NDArray[np.int64]]:
    """Wires that some pieces are of, joined by the gates among these; and which is each one's."""
    start, neighbour, cost = graph.pieces.gates
    place = np.full(graph.num_pieces, -1)
    wires, place[pieces] = np.unique(graph.pieces.wire[pieces], return_inverse=True)
    own = np.repeat(np.arange(graph.num_pieces), np.diff(start))
    inside = (own < neighbour) & (place[own] >= 0) & (place[neighbour] >= 0)
    ends = np.column_stack((place[own[inside]], place[neighbour[inside]]))
    edges = adjacency(ends, cost[inside], len(wires))
    return WeightedGraph(edges, np.ones(len(wires), np.int64)), place[pieces]
