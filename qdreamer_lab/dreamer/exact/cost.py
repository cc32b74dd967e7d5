"""What exact mode's work amounts to: counts for the coefficients, from plain numbers.

Mirrors what `simulate` and `gram` of `workload.fragment` and `workload.exact.reconstruct` do,
operation by operation. Arithmetic on plain data only; it must not know circuits or sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PLACE, SIZES, hats
from qdreamer_lab.kernels.simulate.pauli_sums import TABLE_LIMIT
from qdreamer_lab.workload.exact.reconstruct import GATHERED
from qdreamer_lab.workload.fragment.gram import BLOCK, WORTH_THREADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Counts",
    "FragmentShape",
    "JoinShape",
    "contract_counts",
    "exact_counts",
    "state_counts",
]

_MAPPED_BYTES = 1 << 25
"""From this size on memory comes fresh from the system, as the C library has it."""


class Counts:
    """How often each coefficient is paid, in their order."""

    def __init__(self) -> None:
        self.array: NDArray[np.float64] = np.zeros(len(COEFFICIENTS))

    def add(self, name: str, count: float) -> None:
        """Pay a coefficient so many times."""
        self.array[PLACE[name]] += count

    def add_sized(self, name: str, count: float, size_bytes: float) -> None:
        """Pay a coefficient that depends on the working set."""
        first = PLACE[f"{name}_{SIZES[0][0]}"]
        self.array[first : first + len(SIZES)] += count * np.array(hats(size_bytes))


@dataclass(frozen=True, slots=True)
class FragmentShape:
    """A fragment as far as its cost goes.

    Attributes:
        width: qubits.
        steps: kind ("one_qubit", "near", "far") and number of choices of each gate.
        open_qubits: qubits that stay open for wire cuts.
        groups: of Pauli strings that flip the same qubits: how many, and whether
            they flip any of the first nine: then states are reordered.
        general: operators that are no Pauli strings.
        sides: 2 where bra and ket differ, as in slices.
        itemsize: bytes of an amplitude.
        parts: in which the batch is made, where it does not fit at once.
        part_steps: as `steps`, for one part.
    """

    width: int
    steps: tuple[tuple[str, int], ...]
    open_qubits: int
    groups: tuple[tuple[int, bool], ...]
    general: int = 0
    sides: int = 1
    itemsize: int = 16
    parts: int = 1
    part_steps: tuple[tuple[str, int], ...] = ()

    @property
    def rows(self) -> int:
        """States simulated."""
        return math.prod(rank for _, rank in self.steps)

    @property
    def operators(self) -> int:
        """Operators evaluated."""
        return self.general + sum(strings for strings, _ in self.groups)

    @property
    def result_bytes(self) -> int:
        """Size of its tensors."""
        return 16 * self.operators * (self.rows << self.open_qubits) ** 2


def state_counts(shape: FragmentShape, counts: Counts) -> None:
    """Making the batch of states."""
    used = 1
    size_bytes = shape.itemsize * shape.rows << shape.width
    if size_bytes >= _MAPPED_BYTES:
        counts.add("fresh", size_bytes)
    for kind, rank in shape.steps:
        used *= rank
        amplitudes = math.ldexp(used, shape.width)
        name = "branch" if rank > 1 else kind
        counts.add_sized(name, amplitudes, shape.itemsize * amplitudes)
    counts.add("step", len(shape.steps))


def exact_counts(shape: FragmentShape, cores: int) -> NDArray[np.float64]:
    """All of `run_fragment`: the states, and their Gram matrices on so many cores."""
    counts = Counts()
    counts.add("fragment", 1)
    if shape.parts == 1:
        for _ in range(shape.sides):
            state_counts(shape, counts)
    else:  # one part after another for the bra, and for each of them those of the ket
        part, whole = Counts(), shape.parts
        state_counts(replace(shape, steps=shape.part_steps, parts=1), part)
        pairs_of_parts = whole * (whole + 1) / 2 if shape.sides == 1 else whole + whole**2
        counts.array += pairs_of_parts * part.array
    rows, columns = shape.rows << shape.open_qubits, 1 << (shape.width - shape.open_qubits)
    pairs = rows * (rows + 1) // 2 if shape.sides == 1 else rows * rows
    if shape.groups:
        counts.add("gram_sort", shape.sides * rows * columns)
    counts.add("general", shape.general * rows * columns)
    counts.add("general_product", shape.general * rows * rows * columns)
    if shape.result_bytes >= _MAPPED_BYTES:
        counts.add("fresh", shape.result_bytes)
    several = min(cores, len(shape.groups))
    if several < 2 or rows * columns * len(shape.groups) < WORTH_THREADS:
        several = 1
    gram = Counts()
    for strings, flips in shape.groups:
        _group_counts(gram, strings, flips, rows, columns, pairs)
    heaviest = max((strings for strings, _ in shape.groups), default=1)
    share = max(1 / several, min(1.0, (1 + heaviest) / max(1, _weight(shape))))
    return counts.array + gram.array * share


def _weight(shape: FragmentShape) -> int:
    """How long all groups take, in the units in which one takes one more than its strings."""
    return sum(1 + strings for strings, _ in shape.groups)


def _group_counts(
    counts: Counts, strings: int, flips: bool, rows: int, columns: int, pairs: int
) -> None:
    block = min(BLOCK, columns)
    blocks = columns // block
    counts.add("gram_group", 1)
    counts.add("gram_pair", pairs * columns)
    counts.add("gram_block", pairs * blocks)
    counts.add("gram_entry", pairs * blocks * strings)
    if strings <= TABLE_LIMIT:
        counts.add("gram_string", pairs * columns * strings)
        counts.add("gram_sign", strings * block)
    else:
        counts.add("gram_transform", pairs * columns)
    counts.add_sized("gram_sweep", rows * columns, 16.0 * rows * columns)
    if flips:
        counts.add("gram_flip", rows * columns)
    counts.add("gram_finish", strings * rows * rows)


@dataclass(frozen=True, slots=True)
class JoinShape:
    """A reconstruction as far as its cost goes.

    Attributes:
        elements: tensor elements of all fragments, over all operators.
        fragments: how many tensors there are.
        terms: products of operators that are wanted.
        steps: per step: distinct versions of its two operands and of the outcome, and how many
            elements each operand keeps and both share.
        times: how often it is done, once for each slice.
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
    for one, two, new, left, right, shared in shape.steps:
        counts.add("join", 1)
        counts.add("term", shape.terms)
        gathered = new < GATHERED * min(one, two)
        copies = new if gathered else max(one, two)
        counts.add("join_move", one * left * shared + two * shared * right)
        counts.add("join_move", copies * (left + right) * shared + new * left * right)
        counts.add("join_product", float(new) * left * right * shared)
    counts.add("join", 1)
    return counts.array * shape.times


def summed(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Counts of several things together."""
    return np.sum(parts, axis=0) if len(parts) else np.zeros(len(COEFFICIENTS))
