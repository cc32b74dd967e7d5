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
from qdreamer_lab.kernels.pieces.pieces import Limits, Pieces, joined_pieces
from qdreamer_lab.kernels.pieces.wire_pieces import wire_pieces
from qdreamer_lab.kernels.sweep.sweep_order import sweep_order
from qdreamer_lab.search.problem_arrays import limits_of

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
        piece_of: (m, 2) The piece of each block endpoint.
        block_cost: (m,) Bits of cutting each block.
        pieces: The S pieces: wires, gates between them, and what cuts cost.
        limits: What a plan has to keep.
        order: (S,) Pieces in the order of a sweep; empty if there are too many to sweep.
        effort: log2 of the frontier subsets a sweep meets, a measure of how long it takes.
        widest: Pieces in the largest frontier.
    """

    piece_of: NDArray[np.int64]
    block_cost: NDArray[np.float64]
    pieces: Pieces
    limits: Limits
    order: NDArray[np.int64]
    effort: float
    widest: int

    @property
    def num_pieces(self) -> int:
        """Number of pieces, S."""
        return len(self.pieces.wire)

    @property
    def only_wires(self) -> bool:
        """Whether no gate may be cut."""
        return len(self.pieces.gates.cost) > 0 and bool(self.pieces.gates.cost.min() >= FORBIDDEN)

    @property
    def is_limited(self) -> bool:
        """Whether fragments are limited in number or all together, and perhaps each in width."""
        few = min(self.limits.max_labels, self.limits.total_room) < self.num_pieces
        return few or len(self.limits.rooms) > 0

    def endpoint_labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Spread labels of pieces (S,) to block endpoints (m, 2), renumbered from 0."""
        spread = labels[self.piece_of]
        _, numbers = np.unique(spread, return_inverse=True)
        return np.asarray(numbers, np.int64).reshape(spread.shape)

    def piece_labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Labels of pieces (S,) from labels of block endpoints (m, 2) that agree on each piece."""
        out = np.empty(self.num_pieces, np.int64)
        out[self.piece_of.ravel()] = labels.ravel()
        return out


def piece_graph(
    problem: CutProblem,
    gate_cost: NDArray[np.float64] | None = None,
    wire_cost: float | None = None,
) -> PieceGraph:
    """Build the piece graph of a problem.

    Args:
        problem: What to cut.
        gate_cost: (m,) Bits per block instead of the problem's own, for surrogate costs.
        wire_cost: Bits per wire cut instead of the problem's own.
    """
    gates = problem.gate_cost if gate_cost is None else gate_cost
    wires = problem.wire_cost if wire_cost is None else wire_cost
    if "gate" not in problem.kinds:
        gates = np.full(len(problem.pairs), FORBIDDEN)
    if "wire" not in problem.kinds:
        wires = FORBIDDEN
    limits = limits_of(problem, 2 * len(problem.pairs))
    return graph_of_blocks(problem.pairs, gates, problem.num_qubits, float(wires), limits)


def graph_of_blocks(
    pairs: NDArray[np.int64],
    gates: NDArray[np.float64],
    num_qubits: int,
    wire_cost: float,
    limits: Limits,
) -> PieceGraph:
    """Build the piece graph of blocks.

    Args:
        pairs: (m, 2) Qubits of each block, in time order.
        gates: (m,) Bits of cutting each; `FORBIDDEN` for all if no gate may be cut.
        num_qubits: Number of wires.
        wire_cost: Bits of a wire cut, likewise.
        limits: What a plan has to keep; there are no more labels than pieces.
    """
    piece_of, wire = wire_pieces(pairs, gates, num_qubits, wire_cost)
    pieces = Pieces(wire, adjacency(piece_of, gates, len(wire)), float(wire_cost))
    most = min(limits.max_labels, len(wire))
    limits = limits._replace(max_labels=most, rooms=limits.rooms[:most])
    if len(gates) == 0 or gates.min() < FORBIDDEN:
        return PieceGraph(piece_of, gates, pieces, limits, *_best_order(pieces))
    # Block by block: a partial plan that cannot keep a block whole then dies at once.
    return PieceGraph(
        piece_of=piece_of,
        block_cost=gates,
        pieces=pieces,
        limits=limits,
        order=piece_of.ravel(),
        effort=float(num_qubits),
        widest=num_qubits,
    )


def _best_order(pieces: Pieces) -> tuple[NDArray[np.int64], float, int]:
    """Order the pieces for a sweep: the narrowest of a few greedy orders."""
    wire = pieces.wire
    opens = np.flatnonzero(np.r_[True, wire[1:] != wire[:-1]])
    if len(wire) * len(opens) > ORDER_LIMIT:
        return np.empty(0, np.int64), np.inf, len(opens)
    starts = min(STARTS, ORDER_LIMIT // (len(wire) * len(opens)))
    firsts = opens[np.unique(np.linspace(0, len(opens) - 1, starts).astype(np.int64))]
    start, neighbour = joined_pieces(pieces)
    tried = [sweep_order(wire, start, neighbour, int(v)) for v in firsts]
    return min(tried, key=lambda made: made[1])
