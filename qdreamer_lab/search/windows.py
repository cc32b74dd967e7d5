"""Lower bounds from parts of a circuit: what each window of time costs at least, added up.

A plan of a circuit is a plan of any window of its blocks: fragments only get narrower, because each
run of a label in the window is part of one in the whole. Windows that do not overlap share no gate
and no place where a wire may be cut. So their bounds add up, and short windows have good ones.

A window need not begin at one moment: on every wire it may begin elsewhere, as long as no block
comes before one that it needs. Where the same pairs of wires meet again and again, as in layers of
an ansatz or in Trotter steps, windows therefore end between one repeat and the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.strategies.guided_sweep import GuidedSweep
from qdreamer_lab.search.strategies.piece_graph import graph_of_blocks
from qdreamer_lab.search.strategies.strategy import TOLERANCE, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Bounds", "repeats", "windowed_bound"]

#: Pieces times frontier of a window from which on it is not swept as a whole.
WINDOW_LIMIT = 400_000

Bounds = dict[bytes, tuple[float, int]]
"""What is known of windows: a bound in bits, and the partial plans kept to find it."""

#: Partial plans kept of a sweep after which no other is of use, because its bound is the optimum.
EXACT = 2**62

#: Bytes of the partial plans of a step of a sweep at most, and partial plans it looks at in all.
WINDOW_BYTES, MOST_STATES = 150_000_000, 30_000_000

#: By how much less room a sweep has over a window of several layers: its halves often say more.
LAYERED = 16


@dataclass(frozen=True, eq=False)
class _Circuit:
    """Blocks by the layer of repeats they are in, what is known of them, and how hard to try.

    Attributes:
        graph: What is labelled.
        pairs: (m, 2) Wires of each block.
        cost: (m,) Bits of cutting it.
        layer: (m,) Layer of repeats that it is in; ascending.
        labels: (m, 2) Fragments of its ends in a plan that is known; None if there is none.
        room: Partial plans a sweep over a window keeps.
        stop: (1,) Flag that ends it at once when it is not 0.
        known: What earlier sweeps have shown; updated.
    """

    graph: PieceGraph
    pairs: NDArray[np.int64]
    cost: NDArray[np.float64]
    layer: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    room: int
    stop: NDArray[np.int64]
    known: Bounds


def repeats(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The layer (m,) of each block (m, 2): no pair of wires meets twice in a layer.

    Layers never descend along a wire, and each block is in the first that it can be in.
    """
    on_wire: dict[int, int] = {}
    on_pair: dict[tuple[int, int], int] = {}
    layer = np.zeros(len(pairs), np.int64)
    for block, (a, b) in enumerate(pairs.tolist()):
        both = (min(a, b), max(a, b))
        here = max(on_wire.get(a, 0), on_wire.get(b, 0), on_pair.get(both, -1) + 1)
        layer[block] = on_wire[a] = on_wire[b] = on_pair[both] = here
    return layer


def windowed_bound(
    graph: PieceGraph,
    room: int,
    stop: NDArray[np.int64],
    best: Plan | None = None,
    known: Bounds | None = None,
) -> float:
    """Bits that no plan of a graph costs less than.

    Windows are halved again and again for as long as they have more wires than a fragment may
    hold, between layers of repeats where there are several; of each, its own bound counts or those
    of its halves, whichever is more.

    Args:
        graph: What is labelled.
        room: Partial plans a sweep over a window keeps.
        stop: (1,) Flag that ends it at once when it is not 0; the bound holds all the same.
        best: A plan that is known: no window costs more than its part of that.
        known: What earlier calls have shown about windows of the same limits and cost of a wire;
            updated. Given, what is known already is not swept for again.
    """
    pairs = graph.pieces.wire[graph.piece_of]
    layer = repeats(pairs)
    order = np.argsort(layer, kind="stable")
    labels = None
    if best is not None and len(best.labels):
        labels = graph.endpoint_labels(best.labels)[order]
    known = {} if known is None else known
    cost = graph.block_cost[order]
    circuit = _Circuit(graph, pairs[order], cost, layer[order], labels, room, stop, known)
    return _bound(circuit, 0, len(pairs))


def _bound(circuit: _Circuit, begin: int, end: int) -> float:
    """Bits that blocks `begin` to `end`, by layer, cost at least."""
    wires, places = np.unique(circuit.pairs[begin:end], return_inverse=True)
    max_width = circuit.graph.limits.max_width
    if circuit.stop[0] or end - begin < 2 or len(wires) <= max_width:
        return 0.0
    key = np.int64(places).tobytes() + circuit.cost[begin:end].tobytes()
    shown, room = circuit.known.get(key, (0.0, 0))
    if room >= circuit.room:
        return shown
    places = np.asarray(places.reshape(-1, 2), np.int64)
    costs, most = circuit.cost[begin:end], _cost_of_plan(circuit, begin, end)
    layered = circuit.layer[begin] != circuit.layer[end - 1]
    exact, halves = False, 0.0
    if not layered:
        whole, exact = _swept(circuit, places, costs, most, circuit.room)
        shown = max(shown, whole)
    if not exact:
        middle = _middle(circuit.layer[begin:end]) + begin
        halves = _bound(circuit, begin, middle) + _bound(circuit, middle, end)
        exact = halves >= most - TOLERANCE
    if layered and not exact:
        whole, exact = _swept(circuit, places, costs, most, circuit.room // LAYERED + 1)
        shown = max(shown, whole)
    shown = max(halves, shown)
    if not circuit.stop[0]:
        circuit.known[key] = shown, EXACT if exact else circuit.room
    return shown


def _swept(
    circuit: _Circuit,
    pairs: NDArray[np.int64],
    cost: NDArray[np.float64],
    most: float,
    room: int,
) -> tuple[float, bool]:
    """A bound on blocks as a whole, of which some plan costs `most`, and if it is the optimum."""
    limits, wire_cost = circuit.graph.limits, circuit.graph.pieces.wire_cost
    window = graph_of_blocks(pairs, cost, int(pairs.max()) + 1, wire_cost, limits)
    if len(window.order) == 0 or window.num_pieces * window.widest > WINDOW_LIMIT:
        return 0.0, False
    start = Plan(np.empty(0, np.int64), most, 0.0)
    rows = WINDOW_BYTES // (4 * (3 * window.widest + 40))
    sweep = GuidedSweep(min(room, rows), MOST_STATES, stop=circuit.stop)
    swept = sweep.improve(window, start, 0)
    if not np.isfinite(swept.bound):
        return 0.0, False
    return swept.bound, swept.bound >= swept.cost - TOLERANCE


def _middle(layer: NDArray[np.int64]) -> int:
    """Where to halve blocks: between two layers, as near to the middle as can be."""
    between = np.flatnonzero(np.diff(layer)) + 1
    half = len(layer) // 2
    return int(between[np.argmin(np.abs(between - half))]) if len(between) else half


def _cost_of_plan(circuit: _Circuit, begin: int, end: int) -> float:
    """Bits that the known plan spends on blocks `begin` to `end`; infinite if there is none."""
    if circuit.labels is None:
        return np.inf
    labels, pairs = circuit.labels[begin:end], circuit.pairs[begin:end]
    gates = circuit.cost[begin:end][labels[:, 0] != labels[:, 1]].sum()
    by_wire = np.argsort(pairs.ravel(), kind="stable")
    wire, label = pairs.ravel()[by_wire], labels.ravel()[by_wire]
    cut = (wire[1:] == wire[:-1]) & (label[1:] != label[:-1])
    return float(gates + circuit.graph.pieces.wire_cost * np.count_nonzero(cut))
