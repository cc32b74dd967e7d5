"""What is done to one block of amplitudes: parts apart, flips, signs, sums with signs.

A block is a power of two of neighbouring amplitudes. In a block x counts from 0, and a mask of bits
stands for the qubits that lie inside it. Everything here is in double precision, whatever the
states are in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.jit import fused_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "flip_signed",
    "parity",
    "part",
    "products",
    "sign_table",
    "signed_dot",
    "signed_sums",
    "signed_sums_of_one",
    "transform",
]


@fused_kernel
def parity(number: int) -> int:
    """Whether an odd number of bits are set: 1 or 0."""
    for shift in (32, 16, 8, 4, 2, 1):
        number ^= number >> shift
    return number & 1


@fused_kernel
def part(
    amplitudes: NDArray[np.floating], real: NDArray[np.float64], imag: NDArray[np.float64]
) -> None:
    """Copy real and imaginary parts apart, from (2 * block,) in which they alternate."""
    for k in range(real.shape[0]):
        real[k] = amplitudes[2 * k]
        imag[k] = amplitudes[2 * k + 1]


@fused_kernel
def flip_signed(
    old: NDArray[np.float64], flip: int, signs: NDArray[np.float64], new: NDArray[np.float64]
) -> None:
    """Write signs[x] old[x ^ flip] to new[x]."""
    run = flip & -flip
    if run == 0:
        for k in range(new.shape[0]):
            new[k] = signs[k] * old[k]
    elif run < 16:
        for k in range(new.shape[0]):
            new[k] = signs[k] * old[k ^ flip]
    else:
        for start in range(0, new.shape[0], run):
            source = old[start ^ flip : (start ^ flip) + run]
            target, sign = new[start : start + run], signs[start : start + run]
            for k in range(run):
                target[k] = sign[k] * source[k]


@fused_kernel
def products(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    real: NDArray[np.float64],
    imag: NDArray[np.float64],
) -> None:
    """Write conj(left) right for one block: `left` and `right` are (2, block), parts apart."""
    a, b, c, d = left[0], left[1], right[0], right[1]
    for k in range(real.shape[0]):
        real[k] = a[k] * c[k] + b[k] * d[k]
        imag[k] = a[k] * d[k] - b[k] * c[k]


@fused_kernel
def sign_table(masks: NDArray[np.int64], block: int) -> NDArray[np.float64]:
    """(m, block) of (-1)^|x & z| where x & care = value, else 0, for rows (z, care, value)."""
    signs = np.empty((masks.shape[0], block))
    for k in range(masks.shape[0]):
        z, care, value = masks[k, 0], masks[k, 1], masks[k, 2]
        row = signs[k]
        row[0] = 1.0
        half = 1
        while half < block:
            sign = -1.0 if z & half else 1.0
            low, high = 1.0, sign
            if care & half:
                low, high = (0.0, sign) if value & half else (1.0, 0.0)
            for x in range(half):
                old = row[x]
                row[x] = low * old
                row[half + x] = high * old
            half *= 2
    return signs


@fused_kernel
def signed_sums(
    values: NDArray[np.float64],
    signs: NDArray[np.float64],
    rows: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Write Σ_x signs[rows_k, x] values[i, x] to sums[i, k], for `values` (2, block).

    Four k at a time, and both i: what has been loaded serves several sums.
    """
    real, imag = values[0], values[1]
    last = rows.shape[0] - 1
    for k in range(0, last + 1, 4):
        k1, k2, k3 = min(k + 1, last), min(k + 2, last), min(k + 3, last)
        a, b, c, d = signs[rows[k]], signs[rows[k1]], signs[rows[k2]], signs[rows[k3]]
        re_a, re_b, re_c, re_d = 0.0, 0.0, 0.0, 0.0
        im_a, im_b, im_c, im_d = 0.0, 0.0, 0.0, 0.0
        for x in range(real.shape[0]):
            re, im = real[x], imag[x]
            re_a += a[x] * re
            re_b += b[x] * re
            re_c += c[x] * re
            re_d += d[x] * re
            im_a += a[x] * im
            im_b += b[x] * im
            im_c += c[x] * im
            im_d += d[x] * im
        sums[0, k], sums[0, k1], sums[0, k2], sums[0, k3] = re_a, re_b, re_c, re_d
        sums[1, k], sums[1, k1], sums[1, k2], sums[1, k3] = im_a, im_b, im_c, im_d


@fused_kernel
def signed_sums_of_one(
    values: NDArray[np.float64],
    signs: NDArray[np.float64],
    rows: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """`signed_sums` for one row of values (block,) and of sums."""
    last = rows.shape[0] - 1
    for k in range(0, last + 1, 4):
        k1, k2, k3 = min(k + 1, last), min(k + 2, last), min(k + 3, last)
        a, b, c, d = signs[rows[k]], signs[rows[k1]], signs[rows[k2]], signs[rows[k3]]
        sum_a, sum_b, sum_c, sum_d = 0.0, 0.0, 0.0, 0.0
        for x in range(values.shape[0]):
            value = values[x]
            sum_a += a[x] * value
            sum_b += b[x] * value
            sum_c += c[x] * value
            sum_d += d[x] * value
        sums[k], sums[k1], sums[k2], sums[k3] = sum_a, sum_b, sum_c, sum_d


@fused_kernel
def signed_dot(
    left: NDArray[np.float64], right: NDArray[np.float64], signs: NDArray[np.float64]
) -> complex:
    """Σ_x signs[x] conj(left[x]) right[x], for `left` and `right` (2, block), parts apart."""
    a, b, c, d = left[0], left[1], right[0], right[1]
    real, imag = 0.0, 0.0
    for k in range(signs.shape[0]):
        real += signs[k] * (a[k] * c[k] + b[k] * d[k])
        imag += signs[k] * (a[k] * d[k] - b[k] * c[k])
    return complex(real, imag)


@fused_kernel
def transform(values: NDArray[np.float64]) -> None:
    """Walsh-Hadamard transform in place: values[z] becomes Σ_x (-1)^|x & z| values[x].

    Several bits at a time, since a pass over the block takes longer than its additions.
    """
    size = values.shape[0]
    step = 1
    if size >= 8:
        _three_lowest(values)
        step = 8
    while 4 * step <= size:
        _two_more(values, step)
        step *= 4
    while step < size:
        for start in range(0, size, 2 * step):
            low, high = values[start : start + step], values[start + step : start + 2 * step]
            for k in range(step):
                a, b = low[k], high[k]
                low[k] = a + b
                high[k] = a - b
        step *= 2


@fused_kernel
def _three_lowest(v: NDArray[np.float64]) -> None:
    """The three lowest bits of `transform`."""
    for number in range(v.shape[0] // 8):
        k = 8 * number
        a0, a1, a2, a3 = v[k] + v[k + 1], v[k] - v[k + 1], v[k + 2] + v[k + 3], v[k + 2] - v[k + 3]
        k += 4
        a4, a5, a6, a7 = v[k] + v[k + 1], v[k] - v[k + 1], v[k + 2] + v[k + 3], v[k + 2] - v[k + 3]
        k -= 4
        b0, b1, b2, b3 = a0 + a2, a1 + a3, a0 - a2, a1 - a3
        b4, b5, b6, b7 = a4 + a6, a5 + a7, a4 - a6, a5 - a7
        v[k], v[k + 1], v[k + 2], v[k + 3] = b0 + b4, b1 + b5, b2 + b6, b3 + b7
        v[k + 4], v[k + 5], v[k + 6], v[k + 7] = b0 - b4, b1 - b5, b2 - b6, b3 - b7


@fused_kernel
def _two_more(values: NDArray[np.float64], step: int) -> None:
    """The bits `step` and 2 * `step` of `transform`."""
    for start in range(0, values.shape[0], 4 * step):
        v0, v1 = values[start : start + step], values[start + step : start + 2 * step]
        v2 = values[start + 2 * step : start + 3 * step]
        v3 = values[start + 3 * step : start + 4 * step]
        for k in range(step):
            a, b, c, d = v0[k] + v1[k], v0[k] - v1[k], v2[k] + v3[k], v2[k] - v3[k]
            v0[k] = a + c
            v1[k] = b + d
            v2[k] = a - c
            v3[k] = b - d
