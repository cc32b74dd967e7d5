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

__all__ = ["TABLE_LIMIT", "join_blocks", "part_blocks", "pauli_sums"]

TABLE_LIMIT = 40
"""Up to so many strings, each sums the products with its signs; a transform gives all at once."""


@fused_kernel
def parity(number: int) -> int:
    """Whether an odd number of bits are set: 1 or 0."""
    for shift in (32, 16, 8, 4, 2, 1):
        number ^= number >> shift
    return number & 1


@fused_kernel
def part_blocks(parts: NDArray[np.floating], block: int) -> None:
    """Sort the numbers of each block of amplitudes: real parts first, then imaginary parts.

    In place. Arithmetic then fills whole registers.

    Args:
        parts: (rows, 2 * 2**n) Real numbers, a view of complex ones.
        block: Amplitudes in a block.
    """
    old = np.empty(2 * block, parts.dtype)
    for i in range(parts.shape[0]):
        for first in range(0, parts.shape[1], 2 * block):
            new = parts[i, first : first + 2 * block]
            old[:] = new
            for k in range(block):
                new[k] = old[2 * k]
                new[block + k] = old[2 * k + 1]


@fused_kernel
def join_blocks(parts: NDArray[np.floating], block: int) -> None:
    """Undo `part_blocks`."""
    old = np.empty(2 * block, parts.dtype)
    for i in range(parts.shape[0]):
        for first in range(0, parts.shape[1], 2 * block):
            new = parts[i, first : first + 2 * block]
            old[:] = new
            for k in range(block):
                new[2 * k] = old[k]
                new[2 * k + 1] = old[block + k]


@fused_kernel
def flip_block(old: NDArray[np.floating], low: int, new: NDArray[np.floating]) -> None:
    """Write old[x ^ low] to new[x], for the real and for the imaginary parts of one block."""
    block = old.shape[0] // 2
    run = low & -low
    for part in (0, block):
        if run < 4:
            for k in range(block):
                new[part + k] = old[part + (k ^ low)]
        else:
            for start in range(part, part + block, run):
                source = old[start ^ low : (start ^ low) + run]
                target = new[start : start + run]
                for k in range(run):
                    target[k] = source[k]


@fused_kernel
def multiply(
    left: NDArray[np.floating],
    right: NDArray[np.floating],
    real: NDArray[np.float64],
    imag: NDArray[np.float64],
) -> None:
    """Write conj(left) right for one block."""
    block = real.shape[0]
    a, b, c, d = left[:block], left[block:], right[:block], right[block:]
    for k in range(block):
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
        real_sum, imag_sum = 0.0, 0.0
        for x in range(real.shape[0]):
            real_sum += row[x] * real[x]
            imag_sum += row[x] * imag[x]
        sums[k] = complex(real_sum, imag_sum)


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
    bra: NDArray[np.floating],
    ket: NDArray[np.floating],
    flip: int,
    z: NDArray[np.int64],
    hermitian: bool,
    block: int,
    out: NDArray[np.complex128],
    place: NDArray[np.int64],
) -> None:
    """Σ_x conj(bra_i[x ^ flip]) (-1)^|x & z_k| ket_j[x] for all rows i and j and all z_k.

    Args:
        bra: (a, 2 * 2**n), sorted by `part_blocks`.
        ket: (b, 2 * 2**n), likewise.
        flip: Mask shared by the strings.
        z: (m,) Masks.
        hermitian: Bra and ket are the same; only i ≤ j is computed.
        block: How many x are looked at together, a power of two, at most 2**n.
        out: (operators, a, b); the sums are added to it.
        place: (m,) First index into `out` of each string.
    """
    strings, a, b = z.shape[0], bra.shape[0], ket.shape[0]
    real, imag, flipped = np.empty(block), np.empty(block), np.empty(2 * block, bra.dtype)
    sums = np.empty(strings, np.complex128)
    table = strings <= TABLE_LIMIT
    signs = sign_table(z if table else z[:0], block)
    low = flip & (block - 1)
    for first in range(0, ket.shape[1] // 2, block):
        other = 2 * (first ^ (flip - low))
        for i in range(a):
            left = bra[i, other : other + 2 * block]
            if low:
                flip_block(left, low, flipped)
                left = flipped
            for j in range(i if hermitian else 0, b):
                multiply(left, ket[j, 2 * first : 2 * (first + block)], real, imag)
                if table:
                    signed_sums(real, imag, signs, sums)
                else:
                    transform(real)
                    transform(imag)
                    for k in range(strings):
                        sums[k] = complex(real[z[k] & (block - 1)], imag[z[k] & (block - 1)])
                for k in range(strings):
                    out[place[k], i, j] += -sums[k] if parity(first & z[k]) else sums[k]
