"""Passes of one or more programs of the same plan, packed into two arrays for a GPU.

One array of integers holds where things lie, and one of complex numbers the coefficients, so that a
whole program travels in two copies. `kernels.cu` says the same in C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.passes.plan import RUN_BITS
from qdreamer_lab.engine.passes.tile_arrays import lay_out
from qdreamer_lab.kernels.simulate.tile_pass import BRANCH, DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Operation, PassCosts
    from qdreamer_lab.kernels.simulate.tile_pass import TilePass

__all__ = ["PackedPass", "PackedProgram", "pack_programs"]

_HEAD = 14
"""Integers at the beginning of a pass."""

_DOUBLE = np.dtype(np.float64)


@dataclass(frozen=True, slots=True)
class PackedPass:
    """One pass.

    Attributes:
        start: Where its integers begin.
        end: Where they end.
        tile_size: Amplitudes in a tile.
        items: Tiles of all rows of one program.
        choices: Combinations of the choices of its branches.
    """

    start: int
    end: int
    tile_size: int
    items: int
    choices: int


@dataclass(frozen=True, eq=False, slots=True)
class PackedProgram:
    """Programs that share their plan.

    Attributes:
        passes: In order.
        integers: All that says where things lie, int64.
        coefficients: (programs, coefficients) complex128.
        amplitudes: Read and written by all passes of one program, for the rate of memory.
    """

    passes: tuple[PackedPass, ...]
    integers: NDArray[np.int64]
    coefficients: NDArray[np.complex128]
    amplitudes: int


def pack_programs(
    width: int,
    gates: tuple[Gate, ...],
    coefficients: Sequence[NDArray[np.complex128]],
    costs: PassCosts,
    *,
    begun: bool = False,
) -> PackedProgram:
    """Plan and pack programs whose gates differ in their coefficients alone.

    Args:
        width: Qubits of a state.
        gates: In order of application.
        coefficients: Of each program, those of all gates, as `read_gates` gives them.
        costs: What the planner weighs.
        begun: There are states already; otherwise all begin as |0…0⟩.
    """
    rows = np.zeros(1, np.int64)
    passes, integers, numbers, moved = [], [], [], 0
    start = first = 0
    for laid in lay_out(width, gates, costs, begun=begun):
        tiles = [laid.with_coefficients(each, _DOUBLE) for each in coefficients]
        jumps = laid.jumps
        flat = _integers(tiles[0], laid.step.operations, rows, jumps, first)
        items = len(rows) << len(tiles[0].outer)
        size = len(tiles[0].sources) * len(tiles[0].spread)
        passes.append(PackedPass(start, start + len(flat), size, items, len(jumps)))
        integers.append(flat)
        numbers.append(np.stack([tile.real + 1j * tile.imag for tile in tiles]))
        moved += items * len(jumps) * (tiles[0].loaded * len(tiles[0].spread) + size)
        start += len(flat)
        first += numbers[-1].shape[1]
        rows = (rows[:, None] + jumps).ravel()
    return PackedProgram(
        tuple(passes), np.concatenate(integers), np.concatenate(numbers, axis=1), moved
    )


def _integers(
    tile: TilePass,
    operations: tuple[Operation, ...],
    rows: NDArray[np.int64],
    jumps: NDArray[np.int64],
    first: int,
) -> NDArray[np.int64]:
    """The integers of a pass: a head, and what it points to from its beginning."""
    parts: list[NDArray[np.integer]] = [
        tile.sources,
        tile.targets,
        tile.spread,
        tile.outer,
        _records(tile, operations, first),
        rows,
        jumps,
        tile.starts,
    ]
    head = [
        tile.loaded,
        len(tile.sources),
        len(tile.spread).bit_length() - 1,
        len(tile.outer),
        len(operations),
        len(jumps),
        *(_HEAD + np.cumsum([0, *(len(part) for part in parts)])[:-1]),
    ]
    assert len(head) == _HEAD
    return np.concatenate([np.array(head, np.int64), *parts]).astype(np.int64)


def _records(tile: TilePass, operations: tuple[Operation, ...], first: int) -> NDArray[np.int64]:
    """(6 * operations,) kind, bits, first coefficient, choices, and first entry in `starts`."""
    run_bits = min(RUN_BITS, (len(tile.sources) * len(tile.spread)).bit_length() - 1)
    below = 1  # combinations of the choices of later branches
    records = np.zeros((len(operations), 6), np.int64)
    for number in reversed(range(len(operations))):
        operation = operations[number]
        low, high = tile.bits[number]
        if operation.kind == DIAGONAL:
            low, high = run_bits, 0
        if operation.kind == BRANCH:
            high = below
            below *= operation.rank
        at = first + tile.first[number]
        records[number] = operation.kind, low, high, at, operation.rank, tile.entries[number]
    return records.ravel()
