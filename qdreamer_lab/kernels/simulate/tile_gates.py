"""Operations on a tile: a part of a state vector that lies in the cache.

A tile of b qubits is two contiguous arrays of 2**b numbers, real parts and imaginary parts, so that
arithmetic fills whole registers; bit k of the index is tile bit k. All kernels work in place and
check nothing. They are quick where the lowest tile bit that they act on is 4 or more: then what
belongs together comes in runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.kernels.jit import fused_kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["branch_tile", "dense_one", "dense_two", "multiplexed", "phase_table"]


@fused_kernel
def dense_one(
    re: NDArray[np.floating],
    im: NDArray[np.floating],
    m: NDArray[np.floating],
    n: NDArray[np.floating],
    bit: int,
) -> None:
    """Multiply by the 2 x 2 matrix m + i n, given row by row, on one tile bit."""
    step = 1 << bit
    m0, m1, m2, m3 = m[0], m[1], m[2], m[3]
    n0, n1, n2, n3 = n[0], n[1], n[2], n[3]
    for start in range(0, re.shape[0], 2 * step):
        a, b = re[start : start + step], re[start + step : start + 2 * step]
        c, d = im[start : start + step], im[start + step : start + 2 * step]
        for k in range(step):
            p, q, r, s = a[k], b[k], c[k], d[k]
            a[k] = m0 * p - n0 * r + m1 * q - n1 * s
            c[k] = m0 * r + n0 * p + m1 * s + n1 * q
            b[k] = m2 * p - n2 * r + m3 * q - n3 * s
            d[k] = m2 * r + n2 * p + m3 * s + n3 * q


@fused_kernel
def branch_tile(
    old_re: NDArray[np.floating],
    old_im: NDArray[np.floating],
    m: NDArray[np.floating],
    n: NDArray[np.floating],
    bit: int,
    re: NDArray[np.floating],
    im: NDArray[np.floating],
) -> None:
    """`dense_one` from one tile into another: one of several choices."""
    step = 1 << bit
    m0, m1, m2, m3 = m[0], m[1], m[2], m[3]
    n0, n1, n2, n3 = n[0], n[1], n[2], n[3]
    for start in range(0, re.shape[0], 2 * step):
        a, b = old_re[start : start + step], old_re[start + step : start + 2 * step]
        c, d = old_im[start : start + step], old_im[start + step : start + 2 * step]
        e, f = re[start : start + step], re[start + step : start + 2 * step]
        g, h = im[start : start + step], im[start + step : start + 2 * step]
        for k in range(step):
            p, q, r, s = a[k], b[k], c[k], d[k]
            e[k] = m0 * p - n0 * r + m1 * q - n1 * s
            g[k] = m0 * r + n0 * p + m1 * s + n1 * q
            f[k] = m2 * p - n2 * r + m3 * q - n3 * s
            h[k] = m2 * r + n2 * p + m3 * s + n3 * q


@fused_kernel
def multiplexed(
    re: NDArray[np.floating],
    im: NDArray[np.floating],
    m: NDArray[np.floating],
    n: NDArray[np.floating],
    target: int,
    control: int,
) -> None:
    """Multiply tile bit `target` by one of two 2 x 2 matrices, as `control` is 0 or 1.

    Args:
        re: Real parts.
        im: Imaginary parts.
        m: (8,) Real parts of the two matrices, row by row.
        n: (8,) Imaginary parts.
        target: Tile bit.
        control: Another tile bit.
    """
    x, y = 1 << target, 1 << control
    inner, outer = min(x, y), max(x, y)
    m0, m1, m2, m3, m4, m5, m6, m7 = m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]
    n0, n1, n2, n3, n4, n5, n6, n7 = n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]
    for top in range(0, re.shape[0], 2 * outer):
        for start in range(top, top + outer, 2 * inner):
            o1, o2, o3 = start + x, start + y, start + x + y
            a0, a1 = re[start : start + inner], re[o1 : o1 + inner]
            a2, a3 = re[o2 : o2 + inner], re[o3 : o3 + inner]
            b0, b1 = im[start : start + inner], im[o1 : o1 + inner]
            b2, b3 = im[o2 : o2 + inner], im[o3 : o3 + inner]
            for k in range(inner):
                p, q, r, s = a0[k], a1[k], b0[k], b1[k]
                a0[k] = m0 * p - n0 * r + m1 * q - n1 * s
                b0[k] = m0 * r + n0 * p + m1 * s + n1 * q
                a1[k] = m2 * p - n2 * r + m3 * q - n3 * s
                b1[k] = m2 * r + n2 * p + m3 * s + n3 * q
                p, q, r, s = a2[k], a3[k], b2[k], b3[k]
                a2[k] = m4 * p - n4 * r + m5 * q - n5 * s
                b2[k] = m4 * r + n4 * p + m5 * s + n5 * q
                a3[k] = m6 * p - n6 * r + m7 * q - n7 * s
                b3[k] = m6 * r + n6 * p + m7 * s + n7 * q


@fused_kernel
def dense_two(
    re: NDArray[np.floating],
    im: NDArray[np.floating],
    m: NDArray[np.floating],
    n: NDArray[np.floating],
    low: int,
    high: int,
) -> None:
    """Multiply by the 4 x 4 matrix m + i n, given row by row, on two tile bits.

    Args:
        re: Real parts.
        im: Imaginary parts.
        m: (16,) Real parts of the matrix.
        n: (16,) Imaginary parts.
        low: Tile bit of the matrix's least significant qubit.
        high: The other; either may be the larger number.
    """
    x, y = 1 << low, 1 << high
    inner, outer = min(x, y), max(x, y)
    r00, r01, r02, r03, r10, r11, r12, r13 = m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]
    r20, r21, r22, r23, r30, r31, r32, r33 = m[8], m[9], m[10], m[11], m[12], m[13], m[14], m[15]
    i00, i01, i02, i03, i10, i11, i12, i13 = n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]
    i20, i21, i22, i23, i30, i31, i32, i33 = n[8], n[9], n[10], n[11], n[12], n[13], n[14], n[15]
    for top in range(0, re.shape[0], 2 * outer):
        for start in range(top, top + outer, 2 * inner):
            o1, o2, o3 = start + x, start + y, start + x + y
            a0, a1 = re[start : start + inner], re[o1 : o1 + inner]
            a2, a3 = re[o2 : o2 + inner], re[o3 : o3 + inner]
            b0, b1 = im[start : start + inner], im[o1 : o1 + inner]
            b2, b3 = im[o2 : o2 + inner], im[o3 : o3 + inner]
            for k in range(inner):
                p, q, r, s = a0[k], a1[k], a2[k], a3[k]
                t, u, v, w = b0[k], b1[k], b2[k], b3[k]
                x0 = r00 * p - i00 * t + r01 * q - i01 * u
                y0 = r00 * t + i00 * p + r01 * u + i01 * q
                a0[k] = x0 + r02 * r - i02 * v + r03 * s - i03 * w
                b0[k] = y0 + r02 * v + i02 * r + r03 * w + i03 * s
                x1 = r10 * p - i10 * t + r11 * q - i11 * u
                y1 = r10 * t + i10 * p + r11 * u + i11 * q
                a1[k] = x1 + r12 * r - i12 * v + r13 * s - i13 * w
                b1[k] = y1 + r12 * v + i12 * r + r13 * w + i13 * s
                x2 = r20 * p - i20 * t + r21 * q - i21 * u
                y2 = r20 * t + i20 * p + r21 * u + i21 * q
                a2[k] = x2 + r22 * r - i22 * v + r23 * s - i23 * w
                b2[k] = y2 + r22 * v + i22 * r + r23 * w + i23 * s
                x3 = r30 * p - i30 * t + r31 * q - i31 * u
                y3 = r30 * t + i30 * p + r31 * u + i31 * q
                a3[k] = x3 + r32 * r - i32 * v + r33 * s - i33 * w
                b3[k] = y3 + r32 * v + i32 * r + r33 * w + i33 * s


@fused_kernel
def phase_table(
    re: NDArray[np.floating],
    im: NDArray[np.floating],
    m: NDArray[np.floating],
    n: NDArray[np.floating],
    starts: NDArray[np.int32],
    run: int,
) -> None:
    """Multiply by a diagonal matrix, a run of amplitudes at a time.

    Args:
        re: Real parts.
        im: Imaginary parts.
        m: Real parts of a table of diagonal entries, in runs.
        n: Imaginary parts.
        starts: (2**b / run,) Where in the table the entries of each run begin.
        run: Amplitudes in a run.
    """
    for j in range(starts.shape[0]):
        first = starts[j]
        a, b = re[j * run : (j + 1) * run], im[j * run : (j + 1) * run]
        c, d = m[first : first + run], n[first : first + run]
        for k in range(run):
            p, q = a[k], b[k]
            a[k] = c[k] * p - d[k] * q
            b[k] = c[k] * q + d[k] * p
