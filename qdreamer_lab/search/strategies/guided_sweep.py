"""Strategy: ever larger sweeps that drop at once what cannot end up cheap enough.

What a partial plan has yet to pay is known from minimum cuts, see `kernels/sweep/isolation.py`. And
a sweep knows what the pieces that it has placed cost at least, by themselves: for one from the
other end that is what pieces still to come will cost at least. So where both ends are as easy to
start from, sweeps take turns. Proofs take far fewer partial plans than one long sweep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.pieces import Pieces, joined_pieces
from qdreamer_lab.kernels.sweep.sweep import NEVER, Effort, guided_sweep
from qdreamer_lab.search.strategies.strategy import Plan, is_feasible
from qdreamer_lab.search.strategies.sweep import MOST_SLOTS, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["GuidedSweep"]

#: Partial plans that the first sweep keeps; each later one has `GROWTH` times as many.
FIRST, GROWTH = 200, 4

#: Minimum cuts that a sweep may find beforehand, eight bytes each, and for each plan it may keep of
#: a piece.
MOST_FORESIGHT, FORESIGHT = 4_000_000, 100

#: By how much more effort a sweep from the other end may take, as a logarithm.
AS_EASY = 0.5


@dataclass(frozen=True)
class GuidedSweep:
    """Keep at most `room` partial plans per piece in the last sweep, fewer in those before.

    Each sweep gives up after `max_states`, and at `stop`.
    """

    room: int
    max_states: int = 10**12
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Sweep again and again; `seed` is not used, because nothing is random.

        A frontier with more pieces than a byte can number is not swept; `best` comes back.
        """
        if graph.widest > MOST_SLOTS:
            return best
        num, room = graph.num_pieces, min(FIRST, self.room)
        foresight = min(MOST_FORESIGHT, FORESIGHT * num * self.room)
        rest, ahead = np.zeros(num + 1), True
        in_turn = _effort_back(graph) <= graph.effort + AS_EASY
        while not self.stop[0]:
            effort = Effort(room, self.max_states, 0, self.stop, foresight)
            order = graph.order if ahead else num - 1 - graph.order[::-1]
            pieces = graph.pieces if ahead else _turned(graph)
            labels, cost, bound, _, spent = guided_sweep(
                order, pieces, graph.limits.max_width, best.cost, effort, rest
            )
            found = Plan(best.labels, best.cost, bound)
            if labels[0] >= 0:
                labels = packed(graph, labels if ahead else labels[::-1].copy())
                if is_feasible(graph, labels):
                    found = Plan(labels, cost, bound)
            best = best.improved_by(found)
            if best.proven or room == self.room:
                break
            room = min(GROWTH * room, self.room)
            if in_turn:
                ahead, rest = not ahead, spent[::-1].copy()
        return best


def _effort_back(graph: PieceGraph) -> float:
    """log2 of the frontier subsets that a sweep from the other end meets, as `PieceGraph.effort`.

    Its frontier are the pieces not placed yet, seen from this end, that have placed neighbours.
    """
    enters = np.empty(graph.num_pieces, np.int64)
    enters[graph.order] = np.arange(graph.num_pieces)
    start, neighbour = joined_pieces(graph.pieces)
    first = enters.copy()
    mine = np.repeat(np.arange(graph.num_pieces), np.diff(start))
    np.minimum.at(first, mine, enters[neighbour[: start[-1]]])
    begins = np.bincount(first, minlength=graph.num_pieces)
    ends = np.bincount(enters, minlength=graph.num_pieces)
    held = np.minimum(np.cumsum(begins - ends), 1000)
    return float(np.log2(np.sum(2.0**held) + 1.0))


def _turned(graph: PieceGraph) -> Pieces:
    """The pieces of a graph with time reversed; each has the number that it has from the end."""
    num = graph.num_pieces
    gates = adjacency(num - 1 - graph.piece_of, graph.block_cost, num)
    return Pieces(graph.pieces.wire[::-1].copy(), gates, graph.pieces.wire_cost)
