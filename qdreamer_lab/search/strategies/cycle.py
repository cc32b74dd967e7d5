"""Strategy: join pieces to ever larger clusters, and anneal these from the coarsest level down.

Clusters move together what has to move together, and the annealing at finer levels puts right where
they were drawn too roughly. Clusters lie within the fragments of a known plan, which so comes back
unless something better is found; or within those of two plans, which then are crossed: where they
agree is kept together, and the rest is chosen anew. A bold cycle leaves the known plan behind. What
it comes to is mostly a qubit too wide, which no move of a single piece puts right; so it ends by
moving runs of wires. Where gates must not be cut, the finest clusters are not pieces but blocks.
After Sanders and Schulz, "Distributed evolutionary graph partitioning" (ALENEX 2012), whose graphs
have no wires.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.search.anneal import NEVER, Cooling, anneal
from qdreamer_lab.kernels.search.anneal_clusters import anneal_clusters
from qdreamer_lab.kernels.search.clusters import join, match_alike, single_clusters
from qdreamer_lab.search.strategies.strategy import Plan, cost_of, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.kernels.search.clusters import Clusters
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Cycle"]

#: Fragments that may be opened beyond those of the plan it starts from.
SPARE_LABELS = 2

#: A level that has more than this share of the clusters of the finer one ends the coarsening.
WORTHWHILE = 0.95

#: A level has at least the moves of one this much coarser than the finest.
EVENLY = 8

#: By how much the temperature falls from one level to the next finer one.
FALL = 0.6

#: Moves per piece at the end of a bold cycle, and the first and last temperature then.
FINE_MOVES, FINE_HOT, FINE_COLD = 10, 0.8, 0.15

#: Starting boldly afresh, moves per cluster at the coarsest level, where all is decided, how many
#: there are of these in all, the temperature at which they end, and that of the levels below.
AFRESH, MOST_AFRESH, AFRESH_COLD, AFRESH_BELOW = 3_000, 2_000_000, 1.0, 1.0


@dataclass(frozen=True, eq=False)
class Cycle:
    """One way down to coarse clusters and up again.

    Attributes:
        hot: Temperature at the coarsest level, in bits.
        cold: Temperature at which every level ends.
        moves: Moves tried at each level, per cluster.
        coarsest: Clusters at which coarsening stops.
        power: How much light clusters are preferred when they are joined.
        other: (S,) Fragment of each piece in another plan to cross with, or None.
        labels: Start afresh with so many fragments instead of from the best plan; 0 not to.
        bold: Whether to leave the plan it starts from, for another that may be worse.
        stop: (1,) Flag that ends it at once when it is not 0.
    """

    hot: float = 2.0
    cold: float = 0.3
    moves: int = 30
    coarsest: int = 40
    power: float = 1.0
    other: NDArray[np.int64] | None = None
    labels: int = 0
    bold: bool = False
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Return what comes of `best`; it may be worse, and is `best` where nothing fits."""
        rng = np.random.default_rng(seed)
        now, kind = self._start(graph, best)
        levels, maps = _levels(graph, kind, self, rng)
        for coarse, count in maps:
            now = _of_clusters(now, coarse, count)
        if self.labels:
            now = rng.integers(0, self.labels, len(levels[-1].weight))
        num_labels = min(graph.limits.max_labels, int(now.max()) + 1 + SPARE_LABELS)
        limits = graph.limits._replace(max_labels=num_labels)
        for number in range(len(levels) - 1, -1, -1):
            draw = int(rng.integers(2**31))
            if number == 0 and graph.only_wires:
                break
            if number == 0 and self.bold and maps:
                cooling = Cooling(FINE_MOVES * graph.num_pieces, FINE_HOT, FINE_COLD, self.stop)
                now, _ = anneal(now, graph.pieces, limits, cooling, draw)
                break
            cooling = self._cooling(graph, len(now), len(levels) - 1 - number)
            now, _ = anneal_clusters(levels[number], now, limits, cooling, draw, self.bold)
            if number:
                now = now[maps[number - 1][0]]
        if not is_feasible(graph, now):
            return best
        return Plan(now, cost_of(graph, now), best.bound)

    def _cooling(self, graph: PieceGraph, size: int, finer: int) -> Cooling:
        """How `size` clusters are annealed, so many levels finer than the coarsest."""
        afresh = self.bold and self.labels > 0
        if afresh and not finer:
            moves = min(AFRESH * size, MOST_AFRESH)
            return Cooling(moves, self.hot, min(AFRESH_COLD, self.hot), self.stop)
        heat = AFRESH_BELOW if afresh else self.hot * FALL**finer
        moves = self.moves * max(size, graph.num_pieces // EVENLY)
        return Cooling(moves, max(heat, 1.2 * self.cold), self.cold, self.stop)

    def _start(self, graph: PieceGraph, best: Plan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Labels of pieces (S,) to start from, and which pieces may be joined: those of a kind."""
        none = np.zeros(graph.num_pieces, np.int64)
        if self.labels:
            return none, none
        now = _numbered(best.labels)
        if self.other is None:
            return now, now
        return now, _numbered(now * (int(self.other.max()) + 1) + self.other)


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same partition with labels numbered from 0 without gaps."""
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)


def _of_clusters(
    labels: NDArray[np.int64], coarse: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Labels of `count` clusters from those of what they were joined of."""
    out = np.empty(count, np.int64)
    out[coarse] = labels
    return out


def _levels(
    graph: PieceGraph, kind: NDArray[np.int64], cycle: Cycle, rng: np.random.Generator
) -> tuple[list[Clusters], list[tuple[NDArray[np.int64], int]]]:
    """Clusters from pieces up to the coarsest, and where those of each level went.

    Where gates must not be cut, the second level is that of the blocks.
    """
    levels = [single_clusters(graph.pieces)]
    maps = []
    if graph.only_wires:
        block, count = np.empty(graph.num_pieces, np.int64), len(graph.piece_of)
        block[graph.piece_of] = np.arange(count)[:, None]
        kind = _of_clusters(kind, block, count)
        levels.append(join(levels[-1], block, count))
        maps.append((block, count))
    while len(levels[-1].weight) > cycle.coarsest:
        seed, size = int(rng.integers(2**31)), len(levels[-1].weight)
        coarse, count = match_alike(levels[-1], kind, graph.limits.max_width, cycle.power, seed)
        if count > WORTHWHILE * size:
            break
        kind = _of_clusters(kind, coarse, count)
        levels.append(join(levels[-1], coarse, count))
        maps.append((coarse, count))
    return levels, maps
