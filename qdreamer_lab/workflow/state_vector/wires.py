"""Gates as the planner of exchanges sees them: which qubits they touch, and which they mix.

A gate that is diagonal on a qubit (the control of a CX, both qubits of a CZ) needs nobody else's
amplitudes there: each rank applies the block that its own bit chooses. Only qubits that a gate
mixes must be local. A swap is no gate at all: the two qubits trade wires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["WireGate", "gates_on_wires", "rank_block"]

_NOTHING = 4 * np.finfo(np.float64).eps
"""Entries of this size, next to the largest of their matrix, are rounding errors of zero."""

_SWAP = np.eye(4)[[0, 2, 1, 3]]


class WireGate(NamedTuple):
    """A unitary on one or two wires.

    Attributes:
        wires: Least significant first.
        matrix: (2, 2) or (4, 4).
        touched: Mask of its wires.
        mixed: Mask of those on which it is not diagonal.
    """

    wires: tuple[int, ...]
    matrix: NDArray[np.complex128]
    touched: int
    mixed: int

    @classmethod
    def of(cls, wires: tuple[int, ...], matrix: NDArray[np.complex128]) -> WireGate:
        """Look at a matrix."""
        touched = sum(1 << wire for wire in wires)
        rows, columns = np.nonzero(np.abs(matrix) > _NOTHING * np.abs(matrix).max())
        changed = int(np.bitwise_or.reduce(rows ^ columns))
        mixed = sum(1 << wire for bit, wire in enumerate(wires) if changed >> bit & 1)
        return cls(wires, matrix, touched, mixed)


def gates_on_wires(
    num_qubits: int, gates: Iterable[tuple[tuple[int, ...], NDArray[np.complex128]]]
) -> tuple[list[WireGate], tuple[int, ...]]:
    """Write gates on wires, and have swaps trade these.

    Args:
        num_qubits: How many qubits.
        gates: Qubits, least significant first, and matrix of each, in order.

    Returns:
        The gates that are left, and the wire that each qubit is on at the end.
    """
    wire = list(range(num_qubits))
    found = []
    for qubits, matrix in gates:
        if len(qubits) == 2 and np.array_equal(matrix, _SWAP):
            low, high = qubits
            wire[low], wire[high] = wire[high], wire[low]
            continue
        found.append(WireGate.of(tuple(wire[qubit] for qubit in qubits), matrix))
    return found, tuple(wire)


def rank_block(
    matrix: NDArray[np.complex128], bits: tuple[int | None, ...]
) -> NDArray[np.complex128]:
    """The block of a matrix for known bits on which it is diagonal.

    Args:
        matrix: (2**k, 2**k).
        bits: Of each of its k qubits the bit that is known, or None.

    Returns:
        (2**j, 2**j) on the j qubits whose bits are not known, in their order.
    """
    free = [1 << k for k, bit in enumerate(bits) if bit is None]
    base = sum(1 << k for k, bit in enumerate(bits) if bit)
    rows = np.array([base])
    for step in free:
        rows = np.concatenate([rows, rows + step])
    block: NDArray[np.complex128] = matrix[np.ix_(rows, rows)]
    return block
