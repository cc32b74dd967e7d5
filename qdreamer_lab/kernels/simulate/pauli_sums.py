"""Pauli strings between batches of state vectors, without copies of the states.

A Pauli string takes |x⟩ to i^y (-1)^|x & z| |x ^ flip⟩: `flip` has the bits of its X and Y, `z`
those of its Z and Y, and y counts its Y. Strings that share `flip` share the products
conj(bra[x ^ flip]) ket[x] and differ in their signs alone. The factor i^y is left to the caller.
Projectors on |0⟩ and |1⟩ are factors 0 where x & care differs from `value`.

Blocks of amplitudes that the flips of several groups of strings take to each other are brought
into the cache together, and every group is done there: memory is read once for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.jit import fused_kernel
from qdreamer_lab.kernels.simulate.amplitude_blocks import (
    flip_signed,
    parity,
    part,
    products,
    signed_dot,
    signed_sums,
    signed_sums_of_one,
    transform,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DOTS", "TABLE", "TRANSFORM", "pauli_sums", "place_sums"]

DOTS = 0
"""How to sum for a group of strings: signs into the bra, then inner products of rows."""

TABLE = 1
"""Products of a pair of rows, then sums of them with each string's signs."""

TRANSFORM = 2
"""Products of a pair of rows, then the sums with all signs there are at once."""


@fused_kernel
def pauli_sums(
    bra: NDArray[np.floating],
    ket: NDArray[np.floating],
    hermitian: bool,
    frame: NDArray[np.int64],
    free: NDArray[np.int64],
    begin: int,
    end: int,
    groups: NDArray[np.int64],
    strings: NDArray[np.int64],
    lows: NDArray[np.int64],
    signs: NDArray[np.float64],
) -> NDArray[np.complex128]:
    """Σ_x conj(bra_i[x ^ flip]) (-1)^|x & z| ket_j[x] for rows i and j and all strings.

    The sum is over all x with x & care = value.

    A *frame* is 2**r blocks, each block's number being a number made of the bits `free` xor one of
    the offsets `frame`.

    Of a row with itself the sum over x ^ flip is the conjugate of the sum over x, up to a sign for
    each Y. So it is real or imaginary, and half of the blocks are enough.

    Args:
        bra: (a, 2 * 2**n) Real numbers, a view of complex ones.
        ket: (b, 2 * 2**n) Likewise.
        hermitian: Bra and ket are the same; only i ≤ j is computed.
        frame: (2**r,) Offset[c ^ d] is offset[c] ^ offset[d].
        free: Places of the bits that tell frames apart.
        begin: First frame.
        end: The frame after the last.
        groups: (g, 8) Per group of strings that share `flip`: its bits inside a block, the place in
            `frame` of its other bits, the first string and the one after the last, the first of its
            `lows` and the one after the last, how to sum, and whether its sums of a row with itself
            are real (1), imaginary (2) or some of each (3).
        strings: (m, 5) The bits of z, care and value above a block, which of the group's `lows`
            belongs to the others, and 1 or 2 as in `groups`.
        lows: (l, 2) Row of `signs`, and the z that it is made of.
        signs: (u, block) From `sign_table`; row 0 is all 1.

    Returns:
        (a, b, m).
    """
    rows, columns, block = bra.shape[0], ket.shape[0], signs.shape[1]
    out = np.zeros((rows, columns, strings.shape[0]), np.complex128)
    right = np.empty((frame.shape[0], columns, 2, block))
    left = right if hermitian else np.empty((frame.shape[0], rows, 2, block))
    image = np.empty((rows, 2, block))
    most = 0
    for g in range(groups.shape[0]):
        most = max(most, groups[g, 5] - groups[g, 4])
    sums = np.empty((rows, columns, most), np.complex128)
    part_sums = np.zeros((2, most))
    spare = np.empty((2, block))
    factors = np.empty(strings.shape[0])
    for number in range(begin, end):
        base = 0
        for t in range(free.shape[0]):
            base |= (number >> t & 1) << free[t]
        for c in range(frame.shape[0]):
            _read_rows(ket, base ^ frame[c], right[c])
            if not hermitian:
                _read_rows(bra, base ^ frame[c], left[c])
        for c in range(frame.shape[0]):
            _signs_above(strings, base ^ frame[c], factors)
            for g in range(groups.shape[0]):
                group = groups[g]
                half = hermitian and rows == 1 and group[1] != 0
                if half and c > c ^ group[1]:
                    continue
                mine = lows[group[4] : group[5]]
                source = left[c ^ group[1]]
                if group[6] == DOTS:
                    _by_dots(source, right[c], hermitian, group[0], mine, signs, image, sums)
                else:
                    if group[0]:
                        _flip_rows(source, group[0], signs[0], image)
                        source = image
                    _by_products(
                        source, right[c], hermitian, group, mine, signs,
                        spare, part_sums, sums,
                    )  # fmt: skip
                times = 2.0 if half else 1.0
                _collect(sums, factors, strings, group[2], group[3], hermitian, times, out)
    if hermitian:
        _clean_diagonal(strings, out)
    return out


@fused_kernel
def _read_rows(states: NDArray[np.floating], number: int, out: NDArray[np.float64]) -> None:
    """Copy a block of all rows to (rows, 2, block), real and imaginary parts apart."""
    block = out.shape[2]
    first = 2 * block * number
    for i in range(out.shape[0]):
        part(states[i, first : first + 2 * block], out[i, 0], out[i, 1])


@fused_kernel
def _signs_above(strings: NDArray[np.int64], number: int, factors: NDArray[np.float64]) -> None:
    """Write what the bits above a block make of each string there: 1, -1, or 0 by projectors."""
    for k in range(strings.shape[0]):
        there = number & strings[k, 1] == strings[k, 2]
        factors[k] = there * (1.0 - 2.0 * parity(number & strings[k, 0]))


@fused_kernel
def _clean_diagonal(strings: NDArray[np.int64], out: NDArray[np.complex128]) -> None:
    """Take the part out of sums of a row with itself that is nothing but rounding."""
    for i in range(out.shape[0]):
        for k in range(strings.shape[0]):
            value = out[i, i, k]
            out[i, i, k] = complex(value.real, 0) if strings[k, 4] == 1 else complex(0, value.imag)


@fused_kernel
def _flip_rows(
    old: NDArray[np.float64], flip: int, signs: NDArray[np.float64], new: NDArray[np.float64]
) -> None:
    """`flip_signed` for both parts of all rows (rows, 2, block)."""
    for i in range(old.shape[0]):
        flip_signed(old[i, 0], flip, signs, new[i, 0])
        flip_signed(old[i, 1], flip, signs, new[i, 1])


@fused_kernel
def _collect(
    sums: NDArray[np.complex128],
    factors: NDArray[np.float64],
    strings: NDArray[np.int64],
    first: int,
    end: int,
    hermitian: bool,
    times: float,
    out: NDArray[np.complex128],
) -> None:
    """Add a block's sums to those of the strings, with the signs of the bits above the block."""
    for i in range(sums.shape[0]):
        for j in range(i if hermitian else 0, sums.shape[1]):
            for k in range(first, end):
                out[i, j, k] += times * factors[k] * sums[i, j, strings[k, 3]]


@fused_kernel
def _by_products(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    hermitian: bool,
    group: NDArray[np.int64],
    lows: NDArray[np.int64],
    signs: NDArray[np.float64],
    spare: NDArray[np.float64],
    part_sums: NDArray[np.float64],
    sums: NDArray[np.complex128],
) -> None:
    """Sums of a group for all pairs of rows (rows, 2, block), from their products."""
    count = lows.shape[0]
    for i in range(left.shape[0]):
        for j in range(i if hermitian else 0, right.shape[0]):
            needed = group[7] if hermitian and i == j else 3
            products(left[i], right[j], spare[0], spare[1])
            for which in range(2):
                values, target = spare[which], part_sums[which, :count]
                if not needed >> which & 1:
                    target[:] = 0.0
                elif group[6] == TRANSFORM:
                    transform(values)
                    for k in range(count):
                        target[k] = values[lows[k, 1]]
                elif needed < 3:
                    signed_sums_of_one(values, signs, lows[:, 0], target)
            if group[6] == TABLE and needed == 3:
                signed_sums(spare, signs, lows[:, 0], part_sums)
            for k in range(count):
                sums[i, j, k] = complex(part_sums[0, k], part_sums[1, k])


@fused_kernel
def _by_dots(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    hermitian: bool,
    flip: int,
    lows: NDArray[np.int64],
    signs: NDArray[np.float64],
    image: NDArray[np.float64],
    sums: NDArray[np.complex128],
) -> None:
    """Sums of a group for all pairs of rows (rows, 2, block), one string after another."""
    if left.shape[0] == 1:
        if flip:
            _flip_rows(left, flip, signs[0], image)
            left = image
        for j in range(right.shape[0]):
            for k in range(lows.shape[0]):
                sums[0, j, k] = signed_dot(left[0], right[j], signs[lows[k, 0]])
        return
    for k in range(lows.shape[0]):
        changed = left
        if flip or lows[k, 0]:
            _flip_rows(left, flip, signs[lows[k, 0]], image)
            changed = image
        _dots(changed, right, hermitian, k, sums)


@fused_kernel
def _dots(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    hermitian: bool,
    place: int,
    out: NDArray[np.complex128],
) -> None:
    """Write ⟨left_i|right_j⟩ to out[i, j, place], two rows with two rows at a time.

    What has been loaded for one product serves the next, too. With `hermitian`, i ≤ j at least.
    """
    last, other = left.shape[0] - 1, right.shape[0] - 1
    for i in range(0, last + 1, 2):
        i1 = min(i + 1, last)
        a, b, c, d = left[i, 0], left[i, 1], left[i1, 0], left[i1, 1]
        for j in range(i if hermitian else 0, other + 1, 2):
            j1 = min(j + 1, other)
            e, f, g, h = right[j, 0], right[j, 1], right[j1, 0], right[j1, 1]
            re00, im00, re01, im01 = 0.0, 0.0, 0.0, 0.0
            re10, im10, re11, im11 = 0.0, 0.0, 0.0, 0.0
            for k in range(a.shape[0]):
                re00 += a[k] * e[k] + b[k] * f[k]
                im00 += a[k] * f[k] - b[k] * e[k]
                re01 += a[k] * g[k] + b[k] * h[k]
                im01 += a[k] * h[k] - b[k] * g[k]
                re10 += c[k] * e[k] + d[k] * f[k]
                im10 += c[k] * f[k] - d[k] * e[k]
                re11 += c[k] * g[k] + d[k] * h[k]
                im11 += c[k] * h[k] - d[k] * g[k]
            out[i, j, place] = complex(re00, im00)
            out[i, j1, place] = complex(re01, im01)
            out[i1, j, place] = complex(re10, im10)
            out[i1, j1, place] = complex(re11, im11)


@fused_kernel
def place_sums(
    sums: NDArray[np.complex128],
    phases: NDArray[np.complex128],
    numbers: NDArray[np.int64],
    row: int,
    column: int,
    mirror: bool,
    out: NDArray[np.complex128],
) -> None:
    """Write phases[k] sums[i, j, k] to out[numbers[k], row + i, column + j].

    With `mirror`, also the adjoint to where it belongs; of a square on the diagonal, i ≤ j is read.
    """
    for k in range(numbers.shape[0]):
        matrix, phase = out[numbers[k]], phases[k]
        for i in range(sums.shape[0]):
            for j in range(i if mirror and row == column else 0, sums.shape[1]):
                value = phase * sums[i, j, k]
                matrix[row + i, column + j] = value
                if mirror:
                    matrix[column + j, row + i] = value.conjugate()
