"""Strategy: sweep with every piece on one of a few devices; exact where the circuit is narrow.

For limits on the number of fragments, and on the width of each. The plain sweep knows neither: its
bound holds all the same, but its plans may not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.sweep.device_sweep import device_sweep
from qdreamer_lab.kernels.sweep.sweep import NEVER, Effort
from qdreamer_lab.search.strategies.strategy import Plan, is_feasible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["MOST_DEVICES", "SweepDevices"]

#: Devices with which a sweep is worth its while: it keeps the load of each.
MOST_DEVICES = 48

#: Loads are kept as short integers; a circuit that is swept never needs as many qubits.
ENOUGH = 30_000


@dataclass(frozen=True)
class SweepDevices:
    """Keep at most `room` partial plans per piece; give up after `max_states` or at `stop`."""

    room: int
    max_states: int = 10**12
    stop: NDArray[np.int64] = field(default_factory=lambda: NEVER)

    def improve(self, graph: PieceGraph, best: Plan, seed: int) -> Plan:
        """Sweep once; `seed` is not used, because nothing is random."""
        limits = graph.limits
        if limits.max_labels > MOST_DEVICES or graph.num_pieces > ENOUGH:
            return best
        rooms = limits.rooms if len(limits.rooms) else np.full(limits.max_labels, limits.max_width)
        labels, cost, bound, _ = device_sweep(
            graph.order,
            graph.pieces,
            np.minimum(rooms, ENOUGH),
            min(limits.total_room, ENOUGH),
            best.cost,
            Effort(self.room, self.max_states, 0, self.stop),
        )
        if labels[0] < 0 or not is_feasible(graph, labels):
            return Plan(best.labels, best.cost, bound)
        return Plan(labels, cost, bound)
