"""What kind of operation each step is: dense, multiplexed, diagonal, or a branch.

A 4 x 4 matrix that keeps one of its qubits (a CX, say, and what was merged with its target) is two
2 x 2 matrices, of which that qubit chooses one: half the arithmetic. A diagonal is less still, and
diagonals can be merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.kernels.simulate.tile_pass import (
    BRANCH,
    DENSE_ONE,
    DENSE_TWO,
    DIAGONAL,
    MULTIPLEXED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.program import Step

__all__ = ["Gate", "read_gates"]

_PLACES = np.arange(16).reshape(2, 2, 2, 2)
"""Where the entries of a 4 x 4 matrix are: high and low of rows, high and low of columns."""

_CHANGES_LOW = np.concatenate([_PLACES[:, 0, :, 1].ravel(), _PLACES[:, 1, :, 0].ravel()])
_CHANGES_HIGH = np.concatenate([_PLACES[0, :, 1].ravel(), _PLACES[1, :, 0].ravel()])
_KEEPS_LOW = np.concatenate([_PLACES[:, k, :, k].ravel() for k in range(2)])
_KEEPS_HIGH = np.concatenate([_PLACES[k, :, k].ravel() for k in range(2)])

_NOTHING = 4 * np.finfo(np.float64).eps
"""Entries of this size, next to the largest of their matrix, are rounding errors of zero."""


class Gate(NamedTuple):
    """A step as far as planning goes.

    Attributes:
        kind: `DENSE_ONE`, `DENSE_TWO`, `MULTIPLEXED`, `DIAGONAL` or `BRANCH`.
        qubits: Least significant first; of a multiplexed gate the target, then the control.
        rank: Choices; 1 but for a branch.
    """

    kind: int
    qubits: tuple[int, ...]
    rank: int = 1

    @property
    def mask(self) -> int:
        """Its qubits, as bits."""
        return sum(1 << qubit for qubit in self.qubits)


def read_gates(
    steps: Sequence[Step], fixed: Mapping[int, int]
) -> tuple[tuple[Gate, ...], tuple[NDArray[np.complex128], ...]]:
    """Tell what kind each step is.

    Args:
        steps: In order of application.
        fixed: The choice at some cuts.

    Returns:
        The gates, and the coefficients of each, flat: the matrix row by row, of a multiplexed gate
        the two matrices, of a diagonal its entries, of a branch all matrices.
    """
    pairs = [step for step in steps if len(step.qubits) == 2]
    two = _two_qubits(pairs) if pairs else iter(())
    gates, coefficients = [], []
    for step in steps:
        if len(step.qubits) == 2:
            gate, flat = next(two)
        else:
            matrices = step.matrices
            if step.cut is not None and step.cut in fixed:
                matrices = matrices[fixed[step.cut]][None]
            gate, flat = _one_qubit(step.qubits, matrices)
        gates.append(gate)
        coefficients.append(flat)
    return tuple(gates), tuple(coefficients)


def _two_qubits(steps: list[Step]) -> Iterator[tuple[Gate, NDArray[np.complex128]]]:
    """The gates and coefficients of steps on two qubits, looked at all at once."""
    flat = np.concatenate([step.matrices for step in steps]).reshape(-1, 16)
    sizes = np.abs(flat)
    entries = sizes > _NOTHING * sizes.max(axis=1, keepdims=True)
    low = ~entries[:, _CHANGES_LOW].any(axis=1)
    high = ~entries[:, _CHANGES_HIGH].any(axis=1)
    by_low, by_high, diagonal = flat[:, _KEEPS_LOW], flat[:, _KEEPS_HIGH], flat[:, ::5]
    for k, (keeps_low, keeps_high) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        qubits = steps[k].qubits
        if keeps_low and keeps_high:
            yield Gate(DIAGONAL, qubits), diagonal[k]
        elif keeps_high:
            yield Gate(MULTIPLEXED, qubits), by_high[k]
        elif keeps_low:
            yield Gate(MULTIPLEXED, qubits[::-1]), by_low[k]
        else:
            yield Gate(DENSE_TWO, qubits), flat[k]


def _one_qubit(
    qubits: tuple[int, ...], matrices: NDArray[np.complex128]
) -> tuple[Gate, NDArray[np.complex128]]:
    if len(matrices) > 1:
        return Gate(BRANCH, qubits, len(matrices)), matrices.ravel()
    sizes = np.abs(matrices[0])
    if max(sizes[0, 1], sizes[1, 0]) <= _NOTHING * sizes.max():
        return Gate(DIAGONAL, qubits), matrices[0].diagonal()
    return Gate(DENSE_ONE, qubits), matrices.ravel()
