"""Pauli strings between batches of state vectors, without copies of the states.

A Pauli string takes |x⟩ to i^y (-1)^|x & z| |x ^ flip⟩: `flip` has the bits of its X and Y, `z`
those of its Z and Y, and y counts its Y. Strings that share `flip` share the products
conj(bra[x ^ flip]) ket[x] and differ in their signs alone. The factor i^y is left to the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.jit import fused_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pauli_sums"]

_TABLE_LIMIT = 40
"""Up to so many strings, each sums the products with its signs; a transform gives all at once."""


@fused_kernel
def parity(number: int) -> int:
    """Whether an odd number of bits are set: 1 or 0."""
    for shift in (32, 16, 8, 4, 2, 1):
        number ^= number >> shift
    return number & 1


@fused_kernel
def split(
    states: NDArray[np.complexfloating],
    first: int,
    flip: int,
    real: NDArray[np.float64],
    imag: NDArray[np.float64],
) -> None:
    """Write states[:, x ^ flip] for x from `first` on to `real` and `imag` (rows, block)."""
    block = real.shape[1]
    low = flip & (block - 1)
    base = first ^ (flip - low)
    for i in range(states.shape[0]):
        row, one, two = states[i, base : base + block], real[i], imag[i]
        if low == 0:
            for k in range(block):
                one[k] = row[k].real
                two[k] = row[k].imag
        else:
            for k in range(block):
                value = row[k ^ low]
                one[k] = value.real
                two[k] = value.imag


@fused_kernel
def multiply(
    left: tuple[NDArray[np.float64], NDArray[np.float64]],
    right: tuple[NDArray[np.float64], NDArray[np.float64]],
    real: NDArray[np.float64],
    imag: NDArray[np.float64],
) -> None:
    """Write conj(left) right, all as real and imaginary parts."""
    a, b = left
    c, d = right
    for k in range(real.shape[0]):
        real[k] = a[k] * c[k] + b[k] * d[k]
        imag[k] = a[k] * d[k] - b[k] * c[k]


@fused_kernel
def transform(values: NDArray[np.float64]) -> None:
    """Walsh-Hadamard transform in place: values[z] becomes Σ_x (-1)^|x & z| values[x]."""
    size = values.shape[0]
    half = 1
    while half < size:
        for start in range(0, size, 2 * half):
            low, high = values[start : start + half], values[start + half : start + 2 * half]
            for k in range(half):
                a, b = low[k], high[k]
                low[k] = a + b
                high[k] = a - b
        half *= 2


@fused_kernel
def signed_sums(
    real: NDArray[np.float64],
    imag: NDArray[np.float64],
    signs: NDArray[np.float64],
    sums: NDArray[np.complex128],
) -> None:
    """Write Σ_x signs[k, x] (real + i imag)[x] to sums[k], as many as there are `signs`."""
    for k in range(signs.shape[0]):
        row = signs[k]
        one, two = 0.0, 0.0
        for x in range(real.shape[0]):
            one += row[x] * real[x]
            two += row[x] * imag[x]
        sums[k] = complex(one, two)


@fused_kernel
def sign_table(z: NDArray[np.int64], block: int) -> NDArray[np.float64]:
    """(m, block) of (-1)^|x & z_k|."""
    signs = np.empty((z.shape[0], block))
    for k in range(z.shape[0]):
        for x in range(block):
            signs[k, x] = 1.0 - 2.0 * parity(x & z[k])
    return signs


@fused_kernel
def pauli_sums(
    bra: NDArray[np.complexfloating],
    ket: NDArray[np.complexfloating],
    flip: int,
    z: NDArray[np.int64],
    hermitian: bool,
    block: int,
    out: NDArray[np.complex128],
    place: NDArray[np.int64],
) -> None:
    """Σ_x conj(bra_i[x ^ flip]) (-1)^|x & z_k| ket_j[x] for all rows i and j and all z_k.

    Args:
        bra: (a, 2**n).
        ket: (b, 2**n).
        flip: mask shared by the strings.
        z: (m,) masks.
        hermitian: bra and ket are the same; only i ≤ j is computed.
        block: how many x are looked at together, a power of two, at most 2**n.
        out: (operators, a, b); the sums are added to it.
        place: (m,) first index into `out` of each string.
    """
    strings, a, b = z.shape[0], bra.shape[0], ket.shape[0]
    left, right = np.empty((2, a, block)), np.empty((2, b, block))
    real, imag = np.empty(block), np.empty(block)
    sums = np.empty(strings, np.complex128)
    table = strings <= _TABLE_LIMIT
    signs = sign_table(z if table else z[:0], block)
    for first in range(0, ket.shape[1], block):
        split(bra, first, flip, left[0], left[1])
        split(ket, first, 0, right[0], right[1])
        for i in range(a):
            for j in range(i if hermitian else 0, b):
                multiply((left[0, i], left[1, i]), (right[0, j], right[1, j]), real, imag)
                if table:
                    signed_sums(real, imag, signs, sums)
                else:
                    transform(real)
                    transform(imag)
                    for k in range(strings):
                        sums[k] = complex(real[z[k] & (block - 1)], imag[z[k] & (block - 1)])
                for k in range(strings):
                    out[place[k], i, j] += -sums[k] if parity(first & z[k]) else sums[k]
