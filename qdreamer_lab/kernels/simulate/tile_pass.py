"""One pass over a batch of state vectors: tiles are brought into the cache, worked on, put back.

A pass acts on the qubits of its tile alone. The other qubits that have been touched count the
tiles; qubits that no pass has touched are |0>, and their amplitudes are not there yet. Where a pass
has choices (the branches of a cut), every row becomes as many rows as there are choices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.kernels.jit import fused_kernel
from qdreamer_lab.kernels.simulate.tile_gates import (
    branch_tile,
    dense_one,
    dense_two,
    multiplexed,
    phase_table,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BRANCH", "DENSE_ONE", "DENSE_TWO", "DIAGONAL", "MULTIPLEXED", "TilePass", "run_tiles"]

DENSE_ONE, DENSE_TWO, MULTIPLEXED, DIAGONAL, BRANCH = range(5)
"""Kinds of operations, as in `TilePass.kinds`."""


class TilePass(NamedTuple):
    """A pass, as the kernel takes it. Offsets into states count amplitudes.

    Attributes:
        loaded: How many runs are read; none for the first pass of all, which starts from |0…0⟩.
        sources: (runs,) Where each run of amplitudes lies in the state; those that are read first.
        targets: (runs,) Where it lies in the tile.
        spread: (run,) Where in the tile each amplitude of a run lies, from the run's beginning.
        plain: Whether that is one after the other.
        outer: (blocks' bits,) Offset that each bit of a tile's number stands for.
        kinds: (operations,).
        bits: (operations, 2) Tile bits; of a multiplexed gate the target and the control.
        first: (operations,) Of each operation, its first coefficient.
        ranks: (operations,) Choices of a branch, the length of a run of a diagonal.
        entries: (operations,) Of a diagonal, its first entry in `starts`.
        starts: Runs of all phase tables.
        real: Coefficients of all operations, real parts.
        imag: Imaginary parts.
    """

    loaded: int
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    spread: NDArray[np.int64]
    plain: bool
    outer: NDArray[np.int64]
    kinds: NDArray[np.int64]
    bits: NDArray[np.int64]
    first: NDArray[np.int64]
    ranks: NDArray[np.int64]
    entries: NDArray[np.int64]
    starts: NDArray[np.int32]
    real: NDArray[np.floating]
    imag: NDArray[np.floating]


@fused_kernel
def gather(
    parts: NDArray[np.floating],
    base: int,
    tile: TilePass,
    re: NDArray[np.floating],
    im: NDArray[np.floating],
) -> None:
    """Read a tile; what is not read is zero, and |0…0⟩ is one if nothing is read."""
    run = tile.spread.shape[0]
    if tile.loaded < tile.sources.shape[0]:
        re[:] = 0
        im[:] = 0
        if tile.loaded == 0:
            re[0] = 1
    for r in range(tile.loaded):
        source, target = 2 * (base + tile.sources[r]), tile.targets[r]
        old = parts[source : source + 2 * run]
        if tile.plain:
            a, b = re[target : target + run], im[target : target + run]
            for k in range(run):
                a[k] = old[2 * k]
                b[k] = old[2 * k + 1]
        else:
            for k in range(run):
                re[target + tile.spread[k]] = old[2 * k]
                im[target + tile.spread[k]] = old[2 * k + 1]


@fused_kernel
def scatter(
    parts: NDArray[np.floating],
    base: int,
    tile: TilePass,
    re: NDArray[np.floating],
    im: NDArray[np.floating],
) -> None:
    """Put a tile back."""
    run = tile.spread.shape[0]
    for r in range(tile.sources.shape[0]):
        target, source = 2 * (base + tile.sources[r]), tile.targets[r]
        new = parts[target : target + 2 * run]
        if tile.plain:
            a, b = re[source : source + run], im[source : source + run]
            for k in range(run):
                new[2 * k] = a[k]
                new[2 * k + 1] = b[k]
        else:
            for k in range(run):
                new[2 * k] = re[source + tile.spread[k]]
                new[2 * k + 1] = im[source + tile.spread[k]]


@fused_kernel
def operate(
    tile: TilePass, number: int, re: NDArray[np.floating], im: NDArray[np.floating]
) -> None:
    """Apply one operation that is no branch."""
    kind, at = tile.kinds[number], tile.first[number]
    m, n = tile.real[at:], tile.imag[at:]
    a, b = tile.bits[number, 0], tile.bits[number, 1]
    if kind == DENSE_TWO:
        dense_two(re, im, m, n, a, b)
    elif kind == MULTIPLEXED:
        multiplexed(re, im, m, n, a, b)
    elif kind == DENSE_ONE:
        dense_one(re, im, m, n, a)
    else:
        run = tile.ranks[number]
        entry = tile.entries[number]
        phase_table(re, im, m, n, tile.starts[entry : entry + re.shape[0] // run], run)


@fused_kernel
def run_tiles(
    parts: NDArray[np.floating],
    rows: NDArray[np.int64],
    jumps: NDArray[np.int64],
    tile: TilePass,
    first: int,
    end: int,
) -> None:
    """Run a pass on some tiles, in place.

    Every tile of every row is on its own, so that threads can share them out. With each choice c of
    the branches, the last one changing fastest, row r becomes row r + jumps[c].

    Args:
        parts: (capacity, 2 * 2**n) Real numbers, a view of the complex states.
        rows: Rows that there are.
        jumps: (choices,) beginning with 0.
        tile: The pass.
        first: First tile; tiles are counted row after row.
        end: After the last one.
    """
    size = tile.sources.shape[0] * tile.spread.shape[0]
    operations = tile.kinds.shape[0]
    depth = 0
    places = np.empty(operations + 1, np.int64)
    for k in range(operations):
        if tile.kinds[k] == BRANCH:
            places[depth] = k
            depth += 1
    digits = np.empty(depth + 1, np.int64)
    re, im = np.empty((depth + 1, size), parts.dtype), np.empty((depth + 1, size), parts.dtype)
    for item in range(first, end):
        row, base = rows[item >> tile.outer.shape[0]], 0
        for k in range(tile.outer.shape[0]):
            if item >> k & 1:
                base += tile.outer[k]
        gather(parts[row], base, tile, re[0], im[0])
        digits[:] = 0
        level, number = 0, 0
        for choice in range(jumps.shape[0]):
            if choice > 0:  # what comes before the branch that changes is still there
                level = depth - 1
                while digits[level] + 1 == tile.ranks[places[level]]:
                    digits[level] = 0
                    level -= 1
                digits[level] += 1
                number = places[level]
            while number < operations:
                if tile.kinds[number] == BRANCH:
                    at = tile.first[number] + 4 * digits[level]
                    m, n = tile.real[at:], tile.imag[at:]
                    bit = tile.bits[number, 0]
                    branch_tile(re[level], im[level], m, n, bit, re[level + 1], im[level + 1])
                    level += 1
                else:
                    operate(tile, number, re[level], im[level])
                number += 1
            scatter(parts[row + jumps[choice]], base, tile, re[depth], im[depth])
