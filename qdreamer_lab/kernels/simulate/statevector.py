"""Gates on batches of state vectors, in place.

`states` is (rows, 2**n) complex128 or complex64, C-contiguous, and matrices are of the same type;
qubit 0 is the least significant bit of the column index. The kernels release the GIL, so that
threads can share a machine. They check nothing: qubits must lie in 0 … n-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.jit import fused_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FAR_BYTES", "apply_one_qubit", "apply_two_qubit", "branch_one_qubit"]

FAR_BYTES = 512
"""From this distance on between amplitudes that meet, copying them apart pays."""

_RUN = 256
"""Amplitudes copied at a time; their parts stay in the first-level cache."""


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


@fused_kernel
def branch_one_qubit(
    states: NDArray[np.complexfloating],
    used: int,
    matrices: NDArray[np.complexfloating],
    qubit: int,
) -> None:
    """Replace each of the first `used` rows by one row for each of the (r, 2, 2) matrices.

    In place: `states` has room for `used * r` rows. Row `i * r + k` becomes matrix k on old row i.
    """
    size = states.shape[1]
    rank = matrices.shape[0]
    stride = 1 << qubit
    for row in range(used - 1, -1, -1):  # from the back: what is still needed is in front
        for k in range(rank - 1, -1, -1):
            m00, m01 = matrices[k, 0, 0], matrices[k, 0, 1]
            m10, m11 = matrices[k, 1, 0], matrices[k, 1, 1]
            new = row * rank + k
            for start in range(0, size, 2 * stride):
                for i in range(start, start + stride):
                    a = states[row, i]
                    b = states[row, i + stride]
                    states[new, i] = m00 * a + m01 * b
                    states[new, i + stride] = m10 * a + m11 * b


def apply_two_qubit(
    states: NDArray[np.complexfloating], matrix: NDArray[np.complexfloating], low: int, high: int
) -> None:
    """Multiply every row by a (4, 4) matrix whose least significant qubit is `low`.

    `low` and `high` name places in the matrix; either may be the larger number.
    """
    if (states.itemsize << min(low, high)) < FAR_BYTES:
        _apply_near(states, matrix, low, high)
        return
    parts = states.view(states.real.dtype)
    real, imag = np.ascontiguousarray(matrix.real), np.ascontiguousarray(matrix.imag)
    _apply_far(parts, real, imag, low, high)


@fused_kernel
def _apply_near(
    states: NDArray[np.complexfloating], matrix: NDArray[np.complexfloating], low: int, high: int
) -> None:
    """`apply_two_qubit`, for qubits so low that what belongs together lies close together."""
    rows, size = states.shape
    step_low, step_high = 1 << low, 1 << high
    inner, outer = min(step_low, step_high), max(step_low, step_high)
    m00, m01, m02, m03 = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3]
    m10, m11, m12, m13 = matrix[1, 0], matrix[1, 1], matrix[1, 2], matrix[1, 3]
    m20, m21, m22, m23 = matrix[2, 0], matrix[2, 1], matrix[2, 2], matrix[2, 3]
    m30, m31, m32, m33 = matrix[3, 0], matrix[3, 1], matrix[3, 2], matrix[3, 3]
    for row in range(rows):
        for top in range(0, size, 2 * outer):
            for middle in range(top, top + outer, 2 * inner):
                for i in range(middle, middle + inner):
                    j, k = i + step_low, i + step_high
                    m = k + step_low
                    a, b, c, d = states[row, i], states[row, j], states[row, k], states[row, m]
                    states[row, i] = m00 * a + m01 * b + m02 * c + m03 * d
                    states[row, j] = m10 * a + m11 * b + m12 * c + m13 * d
                    states[row, k] = m20 * a + m21 * b + m22 * c + m23 * d
                    states[row, m] = m30 * a + m31 * b + m32 * c + m33 * d


@fused_kernel
def _part(parts: NDArray[np.floating], out: NDArray[np.floating]) -> None:
    """Write the real parts to out[0] and the imaginary parts to out[1]."""
    real, imag = out[0], out[1]
    for k in range(real.shape[0]):
        real[k] = parts[2 * k]
        imag[k] = parts[2 * k + 1]


@fused_kernel
def _combine(
    old: NDArray[np.floating],
    real: NDArray[np.floating],
    imag: NDArray[np.floating],
    parts: NDArray[np.floating],
) -> None:
    """Write Σ_k (real + i imag)[k] old_k to `parts`."""
    a0, a1, b0, b1 = old[0, 0], old[0, 1], old[1, 0], old[1, 1]
    c0, c1, d0, d1 = old[2, 0], old[2, 1], old[3, 0], old[3, 1]
    r0, r1, r2, r3 = real[0], real[1], real[2], real[3]
    s0, s1, s2, s3 = imag[0], imag[1], imag[2], imag[3]
    for k in range(a0.shape[0]):
        re = r0 * a0[k] - s0 * a1[k] + r1 * b0[k] - s1 * b1[k]
        im = r0 * a1[k] + s0 * a0[k] + r1 * b1[k] + s1 * b0[k]
        parts[2 * k] = re + r2 * c0[k] - s2 * c1[k] + r3 * d0[k] - s3 * d1[k]
        parts[2 * k + 1] = im + r2 * c1[k] + s2 * c0[k] + r3 * d1[k] + s3 * d0[k]


@fused_kernel
def _apply_far(
    parts: NDArray[np.floating],
    real: NDArray[np.floating],
    imag: NDArray[np.floating],
    low: int,
    high: int,
) -> None:
    """`apply_two_qubit` on (rows, 2**n * 2) real numbers, a run of amplitudes at a time.

    A run is copied to real and imaginary parts first: then the arithmetic fills whole registers.
    """
    rows, size = parts.shape[0], parts.shape[1] // 2
    step_low, step_high = 1 << low, 1 << high
    inner, outer = min(step_low, step_high), max(step_low, step_high)
    run = min(inner, _RUN)
    steps = (0, step_low, step_high, step_low + step_high)
    old = np.empty((4, 2, run), parts.dtype)
    for row in range(rows):
        for top in range(0, size, 2 * outer):
            for middle in range(top, top + outer, 2 * inner):
                for i in range(middle, middle + inner, run):
                    for k in range(4):
                        start = 2 * (i + steps[k])
                        _part(parts[row, start : start + 2 * run], old[k])
                    for k in range(4):
                        start = 2 * (i + steps[k])
                        _combine(old, real[k], imag[k], parts[row, start : start + 2 * run])
