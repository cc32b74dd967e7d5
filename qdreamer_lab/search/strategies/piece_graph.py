"""The piece graph: the form of a cut problem that the strategies for additive costs work on.

A piece is a run of consecutive block endpoints of one wire that some optimal plan keeps together;
see `kernels/pieces/wire_pieces.py` for why. Pieces are joined by gates (weighted edges) and by
their wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.wire_pieces import contract
from qdreamer_lab.kernels.sweep.sweep_order import sweep_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem

__all__ = ["PieceGraph", "piece_graph"]

#: Sweep orders tried at most, each from another wire.
STARTS = 20

#: Pieces times wires that all orders tried may add up to; where one is more, there is no sweep.
ORDER_LIMIT = 400_000


@dataclass(frozen=True, eq=False)
class PieceGraph:
    """Pieces of wires and what joins them.

    Attributes:
        piece: (m, 2) the piece of each block endpoint.
        wire: (S,) the qubit of each piece; pieces of a qubit are consecutive, in time order.
        start: (S + 1,) where each piece's gate neighbours begin.
        neighbour: gate neighbours of all pieces, parallel gates joined.
        cost: bits of cutting all gates to that neighbour.
        wire_cost: bits of a wire cut.
        max_width: qubits a fragment may hold.
        total_room: qubits all fragments together may hold.
        max_labels: fragments there may be at most.
        order: (S,) pieces in the order of a sweep; empty if there are too many to sweep.
        effort: log2 of the frontier subsets a sweep meets, a measure of how long it takes.
        widest: pieces in the largest frontier.
    """

    piece: NDArray[np.int64]
    wire: NDArray[np.int64]
    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    cost: NDArray[np.float64]
    wire_cost: float
    max_width: int
    total_room: int
    max_labels: int
    order: NDArray[np.int64]
    effort: float
    widest: int

    @property
    def num_pieces(self) -> int:
        """Number of pieces, S."""
        return len(self.wire)

    @property
    def only_wires(self) -> bool:
        """Whether no gate may be cut."""
        return len(self.cost) > 0 and bool(self.cost.min() >= FORBIDDEN)

    def endpoint_labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Spread labels of pieces (S,) to block endpoints (m, 2), renumbered from 0."""
        spread = labels[self.piece]
        _, numbers = np.unique(spread, return_inverse=True)
        return np.asarray(numbers, np.int64).reshape(spread.shape)

    def piece_labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Labels of pieces (S,) from labels of block endpoints (m, 2) that agree on each piece."""
        out = np.empty(self.num_pieces, np.int64)
        out[self.piece.ravel()] = labels.ravel()
        return out


def piece_graph(
    problem: CutProblem,
    gate_cost: NDArray[np.float64] | None = None,
    wire_cost: float | None = None,
) -> PieceGraph:
    """Build the piece graph of a problem.

    Args:
        problem: what to cut.
        gate_cost: (m,) bits per block instead of the problem's own, for surrogate costs.
        wire_cost: bits per wire cut instead of the problem's own.
    """
    gates = problem.gate_cost if gate_cost is None else gate_cost
    wires = problem.wire_cost if wire_cost is None else wire_cost
    if "gate" not in problem.kinds:
        gates = np.full(len(problem.pairs), FORBIDDEN)
    if "wire" not in problem.kinds:
        wires = FORBIDDEN
    piece, wire = contract(problem.pairs, gates, problem.num_qubits, wires)
    start, neighbour, cost = adjacency(piece, gates, len(wire))
    labels = len(wire) if problem.max_fragments is None else problem.max_fragments
    if "gate" in problem.kinds:
        order, effort, widest = _best_order(wire, start, neighbour)
    else:
        # Block by block: a partial plan that cannot keep a block whole then dies at once.
        order, effort, widest = piece.ravel(), float(problem.num_qubits), problem.num_qubits
    return PieceGraph(
        piece,
        wire,
        start,
        neighbour,
        cost,
        wires,
        problem.max_qubits,
        problem.total_room,
        labels,
        order,
        effort,
        widest,
    )


def _best_order(
    wire: NDArray[np.int64], start: NDArray[np.int64], neighbour: NDArray[np.int64]
) -> tuple[NDArray[np.int64], float, int]:
    """Order the pieces for a sweep: the narrowest of a few greedy orders."""
    opens = np.flatnonzero(np.r_[True, wire[1:] != wire[:-1]])
    if len(wire) * len(opens) > ORDER_LIMIT:
        return np.empty(0, np.int64), np.inf, len(opens)
    starts = min(STARTS, ORDER_LIMIT // (len(wire) * len(opens)))
    firsts = opens[np.unique(np.linspace(0, len(opens) - 1, starts).astype(np.int64))]
    tried = [sweep_order(wire, start, neighbour, int(v)) for v in firsts]
    return min(tried, key=lambda made: made[1])
