"""Gram matrices of Pauli strings between batches of state vectors, on several cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.cpu.gram_plan import plan_gram, tiles
from qdreamer_lab.engine.cpu.pool import spread
from qdreamer_lab.kernels.simulate.amplitude_blocks import sign_table
from qdreamer_lab.kernels.simulate.pauli_sums import pauli_sums, place_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.cpu.gram_plan import PauliString, PlannedSweep, Tile

    _Sums = NDArray[np.complex128]

__all__ = ["string_matrices"]

_NONE = np.empty(0, np.complex128)
"""What a part hands back whose sums are where they belong already."""


def string_matrices(
    bra: NDArray[np.complexfloating],
    ket: NDArray[np.complexfloating],
    strings: tuple[PauliString, ...],
    numbers: Sequence[int],
    out: NDArray[np.complex128],
    cores: int,
) -> None:
    """Write ⟨ψ_i|P_k|φ_j⟩ to out[numbers[k], i, j]; sums are in double precision.

    The states are only read. Results do not depend on the number of cores.

    Args:
        bra: (a, 2**n), C-contiguous.
        ket: (b, 2**n); the same array as `bra` if the states are the same.
        strings: On qubits below n.
        numbers: Where each of them goes.
        out: (operators, a, b).
        cores: Threads at once.
    """
    if not strings:
        return
    same = bra is ket
    plan = plan_gram(strings, len(bra), len(ket), bra.shape[1], hermitian=same)
    signs = sign_table(plan.masks, plan.block)
    places = np.asarray(numbers, np.int64)
    left = bra.view(bra.real.dtype)
    right = left if same else ket.view(ket.real.dtype)

    def add_up(planned: PlannedSweep, tile: Tile, begin: int, end: int) -> _Sums:
        sweep = planned.sweep
        rows = left[tile.row : tile.row_end]
        square = same and tile.row == tile.column
        columns = rows if square else right[tile.column : tile.column_end]
        sums = pauli_sums(
            rows, columns, square, sweep.frame, sweep.free, begin, end,
            sweep.groups, sweep.strings, sweep.lows, signs,
        )  # fmt: skip
        if len(planned.ranges) > 1:
            return sums
        put(planned, tile, sums)
        return _NONE

    def put(planned: PlannedSweep, tile: Tile, sums: _Sums) -> None:
        mine = places[planned.sweep.numbers]
        place_sums(sums, planned.phases, mine, tile.row, tile.column, same, out)

    pieces = tiles(len(bra), len(ket), hermitian=same)
    for planned in plan.sweeps:
        parts = [(planned, tile, *ends) for tile in pieces for ends in planned.ranges]
        found = iter(spread(add_up, parts, cores))
        for tile in pieces if len(planned.ranges) > 1 else ():
            total = next(found)
            for _ in planned.ranges[1:]:
                total += next(found)
            put(planned, tile, total)
