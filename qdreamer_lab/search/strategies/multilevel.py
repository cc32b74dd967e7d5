"""Strategy: multilevel partitioning of whole wires; the quick start for circuits of any size.

Only gates are cut. Wire cuts are left to the annealing that follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.pieces.adjacency import Adjacency, adjacency
from qdreamer_lab.kernels.search.partition import WeightedGraph, grow_parts, match_heavy
from qdreamer_lab.kernels.search.refine_parts import refine_parts
from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.kernels.pieces.pieces import Limits
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Multilevel", "partition", "rooms_of"]

#: Coarse nodes a part should still consist of when coarsening stops.
NODES_PER_PART = 8

#: Parts grown from different nodes at the coarsest level.
GROWTHS = 6

#: Refinement passes a level.
PASSES = 6


@dataclass(frozen=True)
class Multilevel:
    """Partition `tries` times with different random choices, and keep the best."""

    tries: int = 1

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Partition afresh; `best` is only passed through."""
        wires = np.unique(graph.pieces.wire)
        place = np.searchsorted(wires, graph.pieces.wire)
        edges = merged(place, graph.pieces.gates, len(wires))
        finest = WeightedGraph(edges, np.ones(len(wires), np.int64))
        rooms = rooms_of(graph.limits, len(wires))
        for attempt in range(self.tries):
            part = partition(finest, rooms, seed * 100 + attempt)
            labels = part[place]
            if is_feasible(graph, labels):
                best = best.improved_by(Plan(labels, cost_of(graph, labels), 0.0))
        return best


def rooms_of(limits: Limits, num_wires: int) -> NDArray[np.int64]:
    """Wires that each part may hold; of as many parts as there may be, or more than are needed."""
    if len(limits.rooms):
        return limits.rooms
    count = min(limits.max_labels, -(-num_wires // limits.max_width) + num_wires)
    return np.full(count, limits.max_width)


def partition(finest: WeightedGraph, rooms: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Partition a weighted graph into parts; return the part of each node.

    Args:
        finest: What is partitioned.
        rooms: Weight that each part may hold, widest first.
        seed: Seed of the random choices.
    """
    enough = np.cumsum(rooms) >= finest.weight.sum()
    parts = 1 + int(np.argmax(enough)) if enough.any() else len(rooms)
    levels, maps = [finest], []
    heaviest = max(1, int(rooms[parts - 1]) // NODES_PER_PART)
    while len(levels[-1].weight) > NODES_PER_PART * parts:
        edges, weight = levels[-1]
        coarse, count = match_heavy(levels[-1], heaviest, seed + len(levels))
        if count > 0.95 * len(weight):
            break
        summed = np.bincount(coarse, weight, count).astype(np.int64)
        levels.append(WeightedGraph(merged(coarse, edges, count), summed))
        maps.append(coarse)
    part, load = _first_parts(levels[-1], rooms, parts, seed)
    for level, coarse in zip(reversed(levels[:-1]), reversed(maps), strict=True):
        part = part[coarse]
        refine_parts(level, part, load, rooms[: len(load)], PASSES)
    return part


def _first_parts(
    level: WeightedGraph, rooms: NDArray[np.int64], parts: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Grow and refine parts of the coarsest graph a few times; return the best, with its loads."""
    (start, neighbour, cost), weight = level
    tried = []
    for growth in range(GROWTHS):
        part, load, _ = grow_parts(level, rooms, parts, seed * GROWTHS + growth)
        refine_parts(level, part, load, rooms[: len(load)], PASSES)
        inside = part[np.repeat(np.arange(len(weight)), np.diff(start))] == part[neighbour]
        tried.append((float(cost[~inside].sum()), growth, part, load))
    _, _, part, load = min(tried, key=lambda made: made[:2])
    return part, load


def merged(place: NDArray[np.int64], edges: Adjacency, count: int) -> Adjacency:
    """Join the nodes of a graph: node v goes into node `place[v]`, of `count` nodes."""
    start, neighbour, cost = edges
    own = np.repeat(np.arange(len(start) - 1), np.diff(start))
    once = own < neighbour
    ends = np.column_stack((place[own[once]], place[neighbour[once]]))
    return adjacency(ends, cost[once], count)
