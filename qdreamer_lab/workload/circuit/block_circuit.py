"""A circuit in normal form: a sequence of two-qubit blocks, and qubits that have none.

Arrays only: where they come from, and what is done about cuts, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from qdreamer_lab.workload.circuit.schmidt import gamma_of, schmidt_coefficients

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BlockCircuit"]


@dataclass(frozen=True, eq=False, repr=False)
class BlockCircuit:
    """A circuit as two-qubit blocks in the order they are applied, up to a global phase.

    Attributes:
        num_qubits: Number of qubits of the circuit this came from; qubits keep their numbers.
        pairs: (m, 2) int64; the qubits of each block, smaller number first. `pairs[:, 0]` is the
            least significant qubit of the block's matrix (Qiskit's little-endian order).
        unitaries: (m, 4, 4) complex128; one unitary per block.
        lone: The qubits that carry no block, in ascending order, each with the (2, 2) product of
            its one-qubit gates.
        sources: Per block, the indices of the circuit's instructions that were merged into it,
            ascending.
        measured: The qubits on which an observable may act, ascending: all of them, or the ones
            whose light cone was kept.
        merged: Whether every run of gates on one pair of qubits is one block.
    """

    num_qubits: int
    pairs: NDArray[np.int64]
    unitaries: NDArray[np.complex128]
    lone: Mapping[int, NDArray[np.complex128]]
    sources: tuple[tuple[int, ...], ...]
    measured: tuple[int, ...]
    merged: bool = True

    def __post_init__(self) -> None:
        m = len(self.pairs)
        assert self.pairs.shape == (m, 2)
        assert self.unitaries.shape == (m, 4, 4)
        assert len(self.sources) == m
        assert set(self.pairs.ravel().tolist()).isdisjoint(self.lone)

    def __repr__(self) -> str:
        return f"<BlockCircuit: {self.num_qubits} qubits, {self.num_blocks} blocks>"

    @property
    def num_blocks(self) -> int:
        """Number of two-qubit blocks, m."""
        return len(self.pairs)

    @cached_property
    def coefficients(self) -> NDArray[np.float64]:
        """(m, 4) operator-Schmidt coefficients of the blocks, descending."""
        return schmidt_coefficients(self.unitaries)

    @cached_property
    def gammas(self) -> NDArray[np.float64]:
        """(m,) gamma of cutting each block on its own."""
        return gamma_of(self.coefficients)
