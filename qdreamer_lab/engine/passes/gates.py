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
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.program import Step

__all__ = ["Gate", "read_gates"]

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
    pairs = [k for k, step in enumerate(steps) if len(step.qubits) == 2]
    kinds = dict(zip(pairs, _kinds([steps[k].matrices[0] for k in pairs]), strict=True))
    gates, coefficients = [], []
    for k, step in enumerate(steps):
        if k in kinds:
            gate, flat = _two_qubits(step, kinds[k])
        else:
            matrices = step.matrices
            if step.cut is not None and step.cut in fixed:
                matrices = matrices[fixed[step.cut]][None]
            gate, flat = _one_qubit(step.qubits, matrices)
        gates.append(gate)
        coefficients.append(flat)
    return tuple(gates), tuple(coefficients)


def _kinds(matrices: list[NDArray[np.complex128]]) -> list[tuple[bool, bool]]:
    """Whether each 4 x 4 matrix keeps its low and its high qubit."""
    if not matrices:
        return []
    sizes = np.abs(np.array(matrices))
    entries = (sizes > _NOTHING * sizes.max(axis=(1, 2), keepdims=True)).reshape(-1, 2, 2, 2, 2)
    low = ~(entries[:, :, 0, :, 1].any(axis=(1, 2)) | entries[:, :, 1, :, 0].any(axis=(1, 2)))
    high = ~(entries[:, 0, :, 1].any(axis=(1, 2)) | entries[:, 1, :, 0].any(axis=(1, 2)))
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _two_qubits(step: Step, keeps: tuple[bool, bool]) -> tuple[Gate, NDArray[np.complex128]]:
    matrix, (low, high) = step.matrices[0], step.qubits
    if all(keeps):
        return Gate(DIAGONAL, (low, high)), matrix.diagonal()
    if keeps[1]:
        return Gate(MULTIPLEXED, (low, high)), np.stack([matrix[:2, :2], matrix[2:, 2:]]).ravel()
    if keeps[0]:
        return Gate(MULTIPLEXED, (high, low)), np.stack(
            [matrix[::2, ::2], matrix[1::2, 1::2]]
        ).ravel()
    return Gate(DENSE_TWO, (low, high)), matrix.ravel()


def _one_qubit(
    qubits: tuple[int, ...], matrices: NDArray[np.complex128]
) -> tuple[Gate, NDArray[np.complex128]]:
    if len(matrices) > 1:
        return Gate(BRANCH, qubits, len(matrices)), matrices.ravel()
    sizes = np.abs(matrices[0])
    if max(sizes[0, 1], sizes[1, 0]) <= _NOTHING * sizes.max():
        return Gate(DIAGONAL, qubits), matrices[0].diagonal()
    return Gate(DENSE_ONE, qubits), matrices.ravel()
