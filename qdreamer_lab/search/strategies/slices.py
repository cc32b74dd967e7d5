"""Strategy: cut the circuit into slices of time, and partition the wires of each by itself.

Dense circuits often want few qubits together for some time and others later, which no partition of
whole wires can say. What this makes is only a start: wires are cut between slices without need
until `Cycle` joins fragments that go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.search.partition import WeightedGraph
from qdreamer_lab.search.strategies.multilevel import partition, rooms_of
from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Slices"]


@dataclass(frozen=True)
class Slices:
    """Partition so many slices, between random moments."""

    count: int

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Partition afresh; `best` comes back where the result keeps no limit."""
        rng = np.random.default_rng(seed)
        moment = _moments(graph)
        ends = np.sort(rng.uniform(0, len(graph.piece_of), self.count - 1))
        slices = np.searchsorted(ends, moment)
        labels = np.empty(graph.num_pieces, np.int64)
        used = 0
        for number in np.unique(slices):
            pieces = np.flatnonzero(slices == number)
            part = _partitioned(graph, pieces, int(rng.integers(2**31)))
            labels[pieces] = part + used
            used += int(part.max()) + 1
        if not is_feasible(graph, labels):
            return best
        return Plan(labels, cost_of(graph, labels), best.bound)


def _moments(graph: PieceGraph) -> NDArray[np.float64]:
    """When each piece (S,) is halfway, in blocks of the circuit."""
    first = np.full(graph.num_pieces, len(graph.piece_of))
    last = np.zeros(graph.num_pieces, np.int64)
    for ends in graph.piece_of.T:
        np.minimum.at(first, ends, np.arange(len(ends)))
        np.maximum.at(last, ends, np.arange(len(ends)))
    return (first + last) / 2


def _partitioned(graph: PieceGraph, pieces: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Part of each of some pieces; those of one wire stay together."""
    start, neighbour, cost = graph.pieces.gates
    place = np.full(graph.num_pieces, -1)
    wires, place[pieces] = np.unique(graph.pieces.wire[pieces], return_inverse=True)
    own = np.repeat(np.arange(graph.num_pieces), np.diff(start))
    inside = (own < neighbour) & (place[own] >= 0) & (place[neighbour] >= 0)
    ends = np.column_stack((place[own[inside]], place[neighbour[inside]]))
    edges = adjacency(ends, cost[inside], len(wires))
    finest = WeightedGraph(edges, np.ones(len(wires), np.int64))
    part = partition(finest, rooms_of(graph.limits, len(wires)), seed)
    return np.asarray(part[place[pieces]], np.int64)
