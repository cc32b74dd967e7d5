"""Gates on batches of state vectors, in place.

`states` is (rows, 2**n) complex128, C-contiguous; qubit 0 is the least significant bit of the
column index. The kernels release the GIL, so that threads can share a machine. They check nothing:
qubits must lie in 0 … n-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["apply_one_qubit", "apply_two_qubit", "branch_one_qubit"]


@kernel
def apply_one_qubit(
    states: NDArray[np.complex128], matrix: NDArray[np.complex128], qubit: int
) -> None:
    """Multiply every row by a (2, 2) matrix on one qubit."""
    rows, size = states.shape
    stride = 1 << qubit
    m00, m01, m10, m11 = matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1]
    for row in range(rows):
        for start in range(0, size, 2 * stride):
            for i in range(start, start + stride):
                a = states[row, i]
                b = states[row, i + stride]
                states[row, i] = m00 * a + m01 * b
                states[row, i + stride] = m10 * a + m11 * b


@kernel
def branch_one_qubit(
    states: NDArray[np.complex128], matrices: NDArray[np.complex128], qubit: int
) -> NDArray[np.complex128]:
    """Replace every row by one row for each of the (r, 2, 2) matrices on one qubit.

    Returns:
        (rows * r, 2**n); row `i * r + k` is matrix k on the old row i.
    """
    rows, size = states.shape
    rank = matrices.shape[0]
    out = np.empty((rows * rank, size), dtype=np.complex128)
    stride = 1 << qubit
    for row in range(rows):
        for k in range(rank):
            m00, m01 = matrices[k, 0, 0], matrices[k, 0, 1]
            m10, m11 = matrices[k, 1, 0], matrices[k, 1, 1]
            new = row * rank + k
            for start in range(0, size, 2 * stride):
                for i in range(start, start + stride):
                    a = states[row, i]
                    b = states[row, i + stride]
                    out[new, i] = m00 * a + m01 * b
                    out[new, i + stride] = m10 * a + m11 * b
    return out


@kernel
def apply_two_qubit(
    states: NDArray[np.complex128], matrix: NDArray[np.complex128], low: int, high: int
) -> None:
    """Multiply every row by a (4, 4) matrix whose least significant qubit is `low`.

    `low` and `high` name places in the matrix; either may be the larger number.
    """
    rows, size = states.shape
    step_low, step_high = 1 << low, 1 << high
    inner, outer = min(step_low, step_high), max(step_low, step_high)
    for row in range(rows):
        for top in range(0, size, 2 * outer):
            for middle in range(top, top + outer, 2 * inner):
                for i in range(middle, middle + inner):
                    j, k = i + step_low, i + step_high
                    m = k + step_low
                    a, b, c, d = states[row, i], states[row, j], states[row, k], states[row, m]
                    states[row, i] = (
                        matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3] * d
                    )
                    states[row, j] = (
                        matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3] * d
                    )
                    states[row, k] = (
                        matrix[2, 0] * a + matrix[2, 1] * b + matrix[2, 2] * c + matrix[2, 3] * d
                    )
                    states[row, m] = (
                        matrix[3, 0] * a + matrix[3, 1] * b + matrix[3, 2] * c + matrix[3, 3] * d
                    )
