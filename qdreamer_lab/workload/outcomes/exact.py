"""Exact distributions of circuits of which every fragment was simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.outcomes.draws import drawn_outcomes
from qdreamer_lab.workload.outcomes.heaviest import heaviest
from qdreamer_lab.workload.outcomes.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.outcomes.piece import Piece

__all__ = ["ExactOutcomes", "arranged"]


class ExactOutcomes:
    """What the measured qubits of one bound circuit read, exactly; as `Outcomes` describes it.

    Args:
        pieces: The circuit's fragments, and the measured qubits that no block touches.
    """

    exact = True

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._whole = Network(pieces)

    def quasi(self, qubits: Sequence[int], limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) probabilities; the first qubit is the least significant bit."""
        network = self._marginal(qubits)
        return arranged(network.table(limit_bytes), network.qubits, qubits)

    def stds(self, qubits: Sequence[int], limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) standard errors: zero."""
        return np.zeros(1 << len(qubits))

    def heaviest(
        self, qubits: Sequence[int], count: int, limit_bytes: int
    ) -> tuple[list[tuple[Mapping[int, int], float]], float]:
        """The heaviest outcomes, as the bit of each qubit, and what no other one exceeds."""
        network = self._marginal(qubits)
        found = heaviest(network, count)
        listed: list[tuple[Mapping[int, int], float]] = []
        for path, probability in found.outcomes:
            bits = {
                qubit: outcome >> place & 1
                for piece, outcome in zip(network.pieces, path, strict=True)
                for place, qubit in enumerate(piece.qubits)
            }
            listed.append((bits, probability))
        return listed, found.others_at_most

    def draw(
        self, qubits: Sequence[int], shots: int, rng: np.random.Generator, limit_bytes: int
    ) -> NDArray[np.bool_]:
        """(shots, len(qubits)) bits of independent shots."""
        network = self._marginal(qubits)
        column = {qubit: k for k, qubit in enumerate(qubits)}
        bits = np.zeros((shots, len(qubits)), np.bool_)
        outcomes = drawn_outcomes(network, shots, rng)
        for piece, mine in zip(network.pieces, outcomes, strict=True):
            for place, qubit in enumerate(piece.qubits):
                bits[:, column[qubit]] = mine >> place & 1
        return bits

    def _marginal(self, qubits: Sequence[int]) -> Network:
        """The network of these qubits, the others being summed over."""
        chosen = set(qubits)
        if chosen == set(self._whole.qubits):
            return self._whole
        return Network([piece.marginal(tuple(chosen)) for piece in self._whole.pieces])


def arranged(
    table: NDArray[np.float64], have: Sequence[int], wanted: Sequence[int]
) -> NDArray[np.float64]:
    """A table over qubits in another order of these; the first is the least significant bit."""
    count = len(have)
    if list(have) == list(wanted):
        return table
    axes = [count - 1 - list(have).index(qubit) for qubit in reversed(wanted)]
    return np.ascontiguousarray(table.reshape((2,) * count).transpose(axes)).ravel()
