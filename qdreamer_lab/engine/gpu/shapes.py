"""How sums over states are cut up on a GPU, and the memory that a call takes, known beforehand.

Arithmetic only.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SCRATCH_BYTES", "ProductShape", "SumShape", "by_products", "needed_bytes"]

SCRATCH_BYTES = 256 << 20
"""Memory beside states and results: four parts of it are cut to size on their own, as below. What
programs need for their plans and coefficients is far less than one of them."""

_PART = SCRATCH_BYTES // 4

_MOST_BLOCKS = 1024
"""Blocks for one string, about: enough for all multiprocessors of today's GPUs several times."""

_WORK = 8
"""Amplitudes that a thread looks at, at least, where states are small."""

_FEW_ROWS = 16
"""Up to so many rows sums are taken by a kernel; for more, products of matrices are quicker."""

_SUMMED = {16: 1 << 16, 8: 1 << 14}
"""Columns that one product of matrices adds up, by the bytes of an amplitude. Between products sums
are kept in double precision."""


@dataclass(frozen=True, slots=True)
class SumShape:
    """Sums by a kernel.

    Attributes:
        rows: Rows of a square that a block does: 1 or 4.
        strings: Strings of a group, at most.
        squares: Squares of rows.
        shares: Blocks that share out the amplitudes.
        batch: Groups in one launch, at most.
    """

    rows: int
    strings: int
    squares: int
    shares: int
    batch: int

    @classmethod
    def of(cls, a: int, b: int, size: int, threads: int) -> SumShape:
        """For (a, size) and (b, size) states, and so many threads in a block."""
        rows = 1 if a == b == 1 else 4
        squares = -(-a // rows) * -(-b // rows)
        shares = max(1, min(size // (threads * _WORK), _MOST_BLOCKS // squares))
        strings = 8 if rows == 1 else 1
        batch = max(1, min(_PART // (16 * strings * a * b * shares), 65_535))
        return cls(rows, strings, squares, shares, batch)


@dataclass(frozen=True, slots=True)
class ProductShape:
    """Sums by products of matrices.

    Attributes:
        columns: Amplitudes in one product, a power of two.
        rows: Rows of the bra in one.
        stack: Strings in one.
    """

    columns: int
    rows: int
    stack: int

    @classmethod
    def of(cls, a: int, b: int, size: int, itemsize: int) -> ProductShape:
        """For (a, size) and (b, size) states."""
        most = min(size, _SUMMED[itemsize], max(1, _PART // (b * itemsize)))
        columns = 1 << (most.bit_length() - 1)
        rows = max(1, min(a, _PART // (columns * itemsize), _PART // (b * itemsize)))
        images = _PART // (b * columns * itemsize)
        products = _PART // (rows * b * itemsize)
        return cls(columns, rows, max(1, min(images, products)))


def by_products(a: int, b: int) -> bool:
    """Whether so many rows are multiplied as matrices."""
    return max(a, b) > _FEW_ROWS


def needed_bytes(
    width: int, rows: int, other_rows: int, result: int, itemsize: int, closed: int | None = None
) -> int:
    """Memory of the GPU that states and their Gram matrices take at most.

    Args:
        width: Qubits of a state.
        rows: State vectors of the bra.
        other_rows: Those of the ket, 0 if they are the same.
        result: Entries of all Gram matrices.
        itemsize: Bytes of an amplitude.
        closed: Amplitudes of all states that remain where a choice is made at an open cut (a copy),
            None where there is none.
    """
    states = (rows + other_rows << width) * itemsize
    return states + (closed or 0) * itemsize + 16 * result + SCRATCH_BYTES
