"""Lower bounds from parts of a circuit: what each window of time costs at least, added up.

A plan of a circuit is a plan of any run of its blocks: fragments only get narrower, because each
run of a label in the window is part of one in the whole. Windows that do not overlap share no gate
and no place where a wire may be cut. So their bounds add up, and short windows have good ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.strategies.piece_graph import graph_of_blocks
from qdreamer_lab.search.strategies.strategy import no_plan
from qdreamer_lab.search.strategies.sweep import Sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["windowed_bound"]

#: Pieces times frontier of a window from which on it is not swept as a whole.
WINDOW_LIMIT = 400_000


def windowed_bound(graph: PieceGraph, room: int, stop: NDArray[np.int64]) -> float:
    """Bits that no plan of a graph costs less than.

    Windows are halved again and again for as long as they have more wires than a fragment may
    hold; of each, its own bound counts or those of its halves, whichever is more.

    Args:
        graph: What is labelled.
        room: Partial plans a sweep over a window keeps.
        stop: (1,) Flag that ends it at once when it is not 0; the bound holds all the same.
    """
    return _bound(graph, 0, len(graph.piece_of), room, stop)


def _bound(graph: PieceGraph, begin: int, end: int, room: int, stop: NDArray[np.int64]) -> float:
    """Bits that blocks `begin` to `end` cost at least."""
    pairs = graph.pieces.wire[graph.piece_of[begin:end]]
    wires, places = np.unique(pairs, return_inverse=True)
    if stop[0] or end - begin < 2 or len(wires) <= graph.limits.max_width:
        return 0.0
    middle = (begin + end) // 2
    halves = _bound(graph, begin, middle, room, stop) + _bound(graph, middle, end, room, stop)
    window = graph_of_blocks(
        np.asarray(places.reshape(-1, 2), np.int64),
        graph.block_cost[begin:end],
        len(wires),
        graph.pieces.wire_cost,
        graph.limits,
    )
    if len(window.order) == 0 or window.num_pieces * window.widest > WINDOW_LIMIT:
        return halves
    whole = Sweep(room=room, stop=stop).improve(window, no_plan(), 0).bound
    return max(halves, whole if np.isfinite(whole) else 0.0)
