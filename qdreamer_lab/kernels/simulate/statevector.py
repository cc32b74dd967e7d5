"""Gates on batches of state vectors, in place.

`states` is (rows, 2**n) complex128 or complex64, C-contiguous, and matrices are of the same type;
qubit 0 is the least significant bit of the column index. The kernels release the GIL, so that
threads can share a machine. They check nothing: qubits must lie in 0 … n-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.kernels.jit import fused_kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["apply_one_qubit"]


@fused_kernel
def apply_one_qubit(
    states: NDArray[np.complexfloating], matrix: NDArray[np.complexfloating], qubit: int
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
