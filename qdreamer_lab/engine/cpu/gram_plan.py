"""How Gram matrices of Pauli strings are computed: which strings share a sweep, and in which parts.

A sweep reads the states once. What is planned depends on sizes and strings alone, never on the
number of cores, and so do the results, to the last bit. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.kernels.simulate.pauli_sums import DOTS, TABLE, TRANSFORM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "ROWS",
    "GramPlan",
    "PauliString",
    "PlannedSweep",
    "Sweep",
    "Tile",
    "plan_gram",
    "scratch_bytes",
    "tiles",
]

BLOCK = 512
"""Amplitudes looked at together; their products stay in the first-level cache."""

ROWS = 32
"""Rows whose blocks are looked at together."""

_FRAME_BYTES = 1 << 19
"""Blocks that are looked at together for the sake of flips take no more of the cache."""

_FRAMES = 4
"""Log2 of the frames that are left at least, so that there is something to share out."""

_SUMS_BYTES = 1 << 20
"""Sums of one sweep and one tile take no more; all that wait to be added, four times that."""

_FEW = 3
"""Up to so many different signs inside a block, inner products of rows are the fastest."""

_TABLE = 12
"""Up to so many, one sum of products for each; a transform gives all at once."""

_TABLE_OF_ONE = 6
"""The same for a single row, of whose products with itself one part is enough."""

_PART = 1 << 18
"""Products, times strings, from which on a part is worth a thread's while."""

_PARTS = 128
"""Parts of all of it: some for each core of a large machine."""


class PauliString(NamedTuple):
    """A product of Pauli matrices and of projectors on |0⟩ and |1⟩.

    Attributes:
        flip: Mask of X and Y.
        z: Mask of Z and Y.
        care: Mask of the projectors.
        value: Those of them that project on |1⟩.
        phase: i to the number of Y.
    """

    flip: int
    z: int
    care: int = 0
    value: int = 0
    phase: complex = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Sweep:
    """Strings whose sums are taken in one sweep over the states; arrays as for `pauli_sums`.

    Attributes:
        numbers: (m,) The strings, in the order of `strings`.
        frame: (2**r,) Offsets of the blocks of a frame.
        free: Bits of a block's number that tell frames apart.
        groups: (g, 8).
        strings: (m, 5).
        lows: (l, 2).
    """

    numbers: NDArray[np.int64]
    frame: NDArray[np.int64]
    free: NDArray[np.int64]
    groups: NDArray[np.int64]
    strings: NDArray[np.int64]
    lows: NDArray[np.int64]

    @property
    def frames(self) -> int:
        """How many there are."""
        return 1 << len(self.free)


class Tile(NamedTuple):
    """Rows of the bra and rows of the ket whose Gram matrices are one piece of work."""

    row: int
    row_end: int
    column: int
    column_end: int


class PlannedSweep(NamedTuple):
    """A sweep, the phases of its strings, and the ranges of frames that are summed apart."""

    sweep: Sweep
    phases: NDArray[np.complex128]
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False, slots=True)
class GramPlan:
    """All there is to do.

    Attributes:
        masks: (u, 3) Bits of z, care and value inside a block for each row of the table of signs.
        block: Amplitudes in a block.
        sweeps: One after another.
    """

    masks: NDArray[np.int64]
    block: int
    sweeps: tuple[PlannedSweep, ...]


def _tile_rows(rows: int) -> int:
    """Rows of bra or ket in a tile."""
    return min(rows, ROWS)


def _sweeps(
    strings: tuple[PauliString, ...], rows: int, columns: int, size: int, *, hermitian: bool
) -> tuple[list[Sweep], NDArray[np.int64]]:
    """Share strings out among sweeps; also `GramPlan.masks`."""
    block = min(BLOCK, size)
    blocks = size // block
    rows, columns = _tile_rows(rows), _tile_rows(columns)
    pairs = rows * (rows + 1) // 2 if hermitian else rows * columns
    held = 16 * block * (columns if hermitian else rows + columns)
    most = min((_FRAME_BYTES // held).bit_length() - 1, blocks.bit_length() - 1 - _FRAMES)
    most_strings = max(1, _SUMS_BYTES // (16 * rows * columns))
    table: dict[tuple[int, int, int], int] = {(0, 0, 0): 0}
    batches = _batches(_groups(strings, most_strings), block, max(1, most), most_strings)
    sweeps = [
        _sweep(strings, batch, basis, block, blocks, pairs, table) for batch, basis in batches
    ]
    return sweeps, np.array(list(table), np.int64)


def _groups(strings: Sequence[PauliString], most: int) -> list[tuple[int, list[int]]]:
    """(flip, numbers of strings with that flip), at most so many together."""
    found: dict[int, list[int]] = {}
    for number, string in enumerate(strings):
        found.setdefault(string.flip, []).append(number)
    return [
        (flip, numbers[first : first + most])
        for flip, numbers in sorted(found.items())
        for first in range(0, len(numbers), most)
    ]


def _batches(
    groups: list[tuple[int, list[int]]], block: int, most_rank: int, most_strings: int
) -> Iterator[tuple[list[tuple[int, list[int]]], list[int]]]:
    """Groups whose flips outside a block are spanned by few, each batch with its basis."""
    left = groups
    while left:
        basis: list[int] = []
        batch, rest, count = [], [], 0
        for flip, numbers in left:
            more = _reduced(flip // block, basis)
            if count + len(numbers) > most_strings or (more and len(basis) == most_rank):
                rest.append((flip, numbers))
                continue
            basis += [more] if more else []
            batch.append((flip, numbers))
            count += len(numbers)
        yield batch, basis
        left = rest


def _reduced(offset: int, basis: list[int]) -> int:
    """What is left of an offset without the highest bits of a basis in which these differ."""
    for vector in sorted(basis, reverse=True):
        offset = min(offset, offset ^ vector)
    return offset


def _sweep(
    strings: Sequence[PauliString],
    batch: list[tuple[int, list[int]]],
    basis: list[int],
    block: int,
    blocks: int,
    pairs: int,
    table: dict[tuple[int, int, int], int],
) -> Sweep:
    """One batch of groups; what is new goes into the table of signs."""
    frame = [0]
    for vector in basis:
        frame += [offset ^ vector for offset in frame]
    pivots = {vector.bit_length() - 1 for vector in basis}
    free = [bit for bit in range(blocks.bit_length() - 1) if bit not in pivots]
    inside = block - 1
    groups: list[tuple[int, ...]] = []
    rows: list[tuple[int, ...]] = []
    lows: list[tuple[int, int]] = []
    numbers: list[int] = []
    for flip, mine in batch:
        found: dict[tuple[int, int, int], int] = {}
        needed, plain = 0, True
        first = len(rows)
        for number in mine:
            _, z, care, value, _ = strings[number]
            low = (z & inside, care & inside, value & inside)
            place = found.setdefault(low, len(found))
            part = 2 if (flip & z).bit_count() % 2 else 1
            rows.append((z // block, care // block, value // block, place, part))
            needed |= part
            plain = plain and not care & inside
        how = _how(len(found), pairs, plain=plain)
        start = len(lows)
        for low in found:
            if how != TRANSFORM:
                table.setdefault(low, len(table))
            lows.append((table.get(low, 0), low[0]))
        place = frame.index(flip // block)
        groups.append((flip & inside, place, first, len(rows), start, len(lows), how, needed))
        numbers += mine
    return Sweep(*(np.array(part, np.int64) for part in (numbers, frame, free, groups, rows, lows)))


def _how(signs: int, pairs: int, *, plain: bool) -> int:
    """The fastest way to sums with so many different signs inside a block."""
    if signs <= (_FEW if pairs > 1 else 1):
        return DOTS
    few = signs <= (_TABLE if pairs > 1 else _TABLE_OF_ONE)
    return TABLE if few or not plain else TRANSFORM


@lru_cache(maxsize=64)
def plan_gram(
    strings: tuple[PauliString, ...], rows: int, columns: int, size: int, *, hermitian: bool
) -> GramPlan:
    """Plan the Gram matrices of these strings; the same sizes come again and again.

    Args:
        strings: Those that are wanted; without any there are no sweeps.
        rows: Of the bra.
        columns: Rows of the ket.
        size: Amplitudes of a row.
        hermitian: Bra and ket are the same.
    """
    sweeps, masks = _sweeps(strings, rows, columns, size, hermitian=hermitian)
    several = [_several(sweep, rows, columns, size, hermitian=hermitian) for sweep in sweeps]
    planned = (
        PlannedSweep(
            sweep,
            np.array([strings[number].phase for number in sweep.numbers.tolist()], np.complex128),
            tuple(pairwise(sweep.frames * k // parts for k in range(parts + 1))),
        )
        for sweep, parts in zip(sweeps, several, strict=True)
    )
    return GramPlan(masks, min(size, BLOCK), tuple(planned))


def tiles(rows: int, columns: int, *, hermitian: bool) -> list[Tile]:
    """The Gram matrix in tiles; if it is Hermitian those on and above the diagonal."""
    down = pairwise([*range(0, rows, ROWS), rows])
    along = list(pairwise([*range(0, columns, ROWS), columns]))
    pairs = product(down, along)
    return [Tile(*row, *column) for row, column in pairs if not hermitian or row[0] <= column[0]]


def _several(sweep: Sweep, rows: int, columns: int, size: int, *, hermitian: bool) -> int:
    """In how many ranges of frames a tile is summed."""
    height, width = _tile_rows(rows), _tile_rows(columns)
    down, along = -(-rows // ROWS), -(-columns // ROWS)
    count = down * (down + 1) // 2 if hermitian else down * along
    work = height * width * size * (2 + len(sweep.lows))
    waiting = 4 * _SUMS_BYTES // (16 * height * width * len(sweep.numbers) * count)
    return max(1, min(work // _PART, _PARTS // count, waiting, sweep.frames))


def scratch_bytes(strings: int, rows: int, size: int, cores: int) -> int:
    """Memory that `string_matrices` takes for a while, beyond its arguments: never too little.

    It grows with every argument.

    Args:
        strings: How many.
        rows: Of bra and of ket.
        size: Amplitudes of a row.
        cores: Threads at once.
    """
    if not strings:
        return 0
    height, block = _tile_rows(rows), min(BLOCK, size)
    together = min(strings, max(1, _SUMS_BYTES // (16 * height * height)))
    sums = 16 * height * height * together
    frames = min(max(_FRAME_BYTES, 64 * height * block), 32 * height * size)
    each = frames + 16 * height * block + 2 * sums
    down = -(-rows // ROWS)
    work = height * height * size * (2 + strings)
    several = max(1, min(work // _PART, size // block))
    waiting = min(min(several * down * down, _PARTS) * sums, 4 * _SUMS_BYTES) * (several > 1)
    threads = min(cores, several * down * down)
    return threads * each + waiting + 8 * block * (1 + strings)
