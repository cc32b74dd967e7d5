"""Strategy: sweep over the pieces with a beam; exact where the circuit is narrow.

See `kernels/sweep/sweep.py` for the idea. With any number of fragments the sweep's bound holds;
with a limit on their number it still does (the limit only removes plans), but a plan found may
have to be packed into fewer fragments and can then be lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.pieces.packing import pack
from qdreamer_lab.kernels.pieces.piece_costs import piece_widths
from qdreamer_lab.kernels.sweep.sweep import NEVER, Effort, sweep
from qdreamer_lab.search.devices import fits, packed_on
from qdreamer_lab.search.strategies.strategy import Plan, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["MOST_SLOTS", "Sweep"]

#: Fragments in a frontier are numbered by bytes, of which one stands for none, and the piece at
#: hand may need a number more.
MOST_SLOTS = 254


@dataclass(frozen=True)
class Sweep:
    """Keep at most `room` partial plans per piece; give up after `max_states` or at `stop`."""

    room: int
    max_states: int = 10**12
    horizon: int = 0
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Sweep once; `seed` is not used, because nothing is random.

        A frontier with more pieces than a byte can number is not swept; `best` comes back.
        """
        if graph.widest > MOST_SLOTS:
            return best
        labels, cost, bound, _ = sweep(
            graph.order,
            graph.pieces,
            graph.limits.max_width,
            best.cost,
            Effort(self.room, self.max_states, self.horizon, self.stop),
        )
        if labels[0] < 0:
            return Plan(best.labels, best.cost, bound)
        labels = packed(graph, labels)
        if not is_feasible(graph, labels):
            return Plan(best.labels, best.cost, bound)
        return Plan(labels, cost, bound)


def packed(graph: PieceGraph, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join fragments if there are more than allowed; labels (S,) that fit are left alone."""
    used, rooms = int(labels.max()) + 1, graph.limits.rooms
    if used <= graph.limits.max_labels and len(rooms) == 0:
        return labels
    widths = piece_widths(labels, graph.pieces.wire, used)
    if len(rooms):
        return labels if fits(widths, rooms) else packed_on(widths, rooms)[labels]
    bins, _ = pack(widths, graph.limits.max_width)
    return np.asarray(bins[labels])
