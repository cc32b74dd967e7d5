"""What exact mode's work amounts to: counts for the coefficients, from plain numbers.

Mirrors what `engine.cpu.gram` and `workload.exact.reconstruct` do, operation by operation.
Arithmetic on plain data only; it must not know circuits or sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.fragment.cost import (
    MAPPED_BYTES,
    FragmentShape,
    StatesShape,
    gpu_state_counts,
    state_counts,
)
from qdreamer_lab.dreamer.model.coefficients import Counts
from qdreamer_lab.engine.cpu.gram_plan import BLOCK, ROWS
from qdreamer_lab.kernels.simulate.pauli_sums import DOTS, TABLE
from qdreamer_lab.workload.exact.reconstruct import GATHERED

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.fragment.cost import GramGroup

__all__ = ["IN_RUNS", "JoinShape", "contract_counts", "exact_counts", "gpu_counts"]

IN_RUNS = 0.35
"""What moving or signing amplitudes takes in whole runs, next to one after another."""


def exact_counts(shape: FragmentShape, cores: int) -> NDArray[np.float64]:
    """All of `run_fragment`: the states, and their Gram matrices on so many cores."""
    counts = Counts()
    counts.add("fragment", 1)

    def made(states: StatesShape, into: Counts) -> None:
        state_counts(states, shape.width, shape.itemsize, cores, into)

    _batches(shape, made, counts)
    rows, columns = shape.rows << shape.open_qubits, 1 << (shape.width - shape.open_qubits)
    pairs = rows * (rows + 1) // 2 if shape.sides == 1 else rows * rows
    counts.add("general", shape.general * rows * columns)
    counts.add("general_product", shape.general * rows * rows * columns)
    if shape.result_bytes >= MAPPED_BYTES:
        counts.add("fresh", shape.result_bytes)
    if shape.sweeps:
        counts.array += _gram_counts(shape, rows, columns, pairs, cores)
    return counts.array


def gpu_counts(shape: FragmentShape) -> NDArray[np.float64]:
    """All of `run_fragment` on a GPU, with passes that were planned for one."""
    counts = Counts()
    counts.add("gpu_fragment", 1)

    def made(states: StatesShape, into: Counts) -> None:
        gpu_state_counts(states, shape.itemsize, into)

    _batches(shape, made, counts)
    rows, columns = shape.rows << shape.open_qubits, 1 << (shape.width - shape.open_qubits)
    counts.add("gpu_group", shape.operators)
    size = shape.itemsize / 16
    counts.add("gpu_product", size * shape.operators * float(rows) * rows * columns)
    counts.add("gpu_result", shape.result_bytes)
    return counts.array


def _batches(
    shape: FragmentShape, made: Callable[[StatesShape, Counts], None], counts: Counts
) -> None:
    """Every batch of states that is made, as often as it is.

    Args:
        shape: The fragment.
        made: Adds what one batch takes.
        counts: To add to.
    """
    if shape.part_states is None:
        for _ in range(shape.sides):
            made(shape.states, counts)
        return
    # One part after another for the bra, and for each of them those of the ket.
    part, whole = Counts(), shape.parts
    made(shape.part_states, part)
    pairs_of_parts = whole * (whole + 1) / 2 if shape.sides == 1 else whole + whole**2
    counts.array += pairs_of_parts * part.array


def _gram_counts(
    shape: FragmentShape, rows: int, columns: int, pairs: int, cores: int
) -> NDArray[np.float64]:
    """All Pauli strings: one sweep after another, each shared out among the cores by itself."""
    counts = Counts()
    down = -(-rows // ROWS)
    tiles = down * (down + 1) // 2 if shape.sides == 1 else down * down
    loads = down + 1 if shape.sides == 1 and down > 1 else 2 * down if shape.sides == 2 else 1
    one = rows == 1 and shape.sides == 1
    for sweep in shape.sweeps:
        mine, parts = Counts(), tiles * sweep.ranges
        mine.add_sized("gram_sweep", loads * rows * columns, 16.0 * rows * columns)
        mine.add("gram_group", parts)
        strings = sum(group.strings for group in sweep.groups)
        mine.add("gram_parity", tiles * strings * max(1, columns // BLOCK))
        for group in sweep.groups:
            _group_counts(mine, group, rows * loads, columns, pairs, one=one)
        several = min(cores, parts)
        counts.array += mine.array * (math.ceil(parts / several) / parts)
        counts.add("wake", several > 1)
    counts.add("gram_sign", shape.signs * min(BLOCK, columns))
    counts.add("gram_finish", shape.strings * rows * rows)
    counts.add("gram_operator", shape.strings)
    return counts.array


def _group_counts(
    counts: Counts, group: GramGroup, rows: int, columns: int, pairs: int, *, one: bool
) -> None:
    """One group.

    Args:
        counts: To add to.
        group: The group.
        rows: Of the bra, as often as they are looked at.
        columns: Amplitudes of a row.
        pairs: Of rows.
        one: There is a single state, whose sums with itself are wanted.
    """
    if one and group.halved:
        columns = columns // 2
    blocks = max(1, columns // BLOCK)
    counts.add("gram_block", pairs * blocks)
    counts.add("gram_entry", pairs * blocks * group.strings)
    if group.how == DOTS:
        counts.add("gram_dot", pairs * columns * group.lows)
        times = 1 if one else group.lows
        moved = group.flips if one else max(group.flips, IN_RUNS)  # signs are multiplied in
        counts.add("gram_flip", rows * columns * times * moved)
        return
    counts.add("gram_pair", pairs * columns)
    if group.how == TABLE:
        counts.add("gram_string", pairs * columns * group.lows)
    else:
        counts.add("gram_transform", pairs * columns)
    counts.add("gram_flip", rows * columns * group.flips)


@dataclass(frozen=True, slots=True)
class JoinShape:
    """A reconstruction as far as its cost goes.

    Attributes:
        elements: Tensor elements of all fragments, over all operators.
        fragments: How many tensors there are.
        terms: Products of operators that are wanted.
        steps: Per step: distinct versions of its two operands and of the outcome, and how many
            elements each operand keeps and both share.
        times: How often it is done, once for each slice.
    """

    elements: float
    fragments: int
    terms: int
    steps: tuple[tuple[int, int, int, int, int, int], ...]
    times: int = 1

    @property
    def peak_bytes(self) -> float:
        """Most memory that a step takes, all terms at once."""
        return max(
            (
                16.0 * (new * (left * shared + shared * right) + new * left * right)
                for _, _, new, left, right, shared in self.steps
            ),
            default=0.0,
        )


def contract_counts(shape: JoinShape) -> NDArray[np.float64]:
    """All of `Reconstruction.values`."""
    counts = Counts()
    for first, second, new, left, right, shared in shape.steps:
        counts.add("join", 1)
        counts.add("term", shape.terms)
        gathered = new < GATHERED * min(first, second)
        copies = new if gathered else max(first, second)
        counts.add("join_move", first * left * shared + second * shared * right)
        counts.add("join_move", copies * (left + right) * shared + new * left * right)
        counts.add("join_product", float(new) * left * right * shared)
    counts.add("join", 1)
    return counts.array * shape.times
