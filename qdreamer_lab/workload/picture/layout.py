"""Where things go in a picture of a plan: columns for blocks, names and colours for fragments.

Shared by all forms of picture. It must not know any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition

__all__ = [
    "COLOURS",
    "Picture",
    "fragment_name",
    "picture_of",
    "qubits_of",
    "ranges",
]

COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#8c6d1f",
    "#7f7f7f",
)
"""Told apart also with colour blindness (after Okabe and Ito); names go with them, never alone."""


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A plan laid out on a grid of wires and columns.

    Attributes:
        column: (m,) column of each block; blocks that share a column do not overlap.
        num_columns: Number of columns.
        led: The columns before which some wire is cut, so that they need room.
        starts: Per qubit, the segments of its wire in order, as (fragment, first column).
    """

    column: NDArray[np.int64]
    num_columns: int
    led: frozenset[int]
    starts: tuple[tuple[tuple[int, int], ...], ...]


def picture_of(plan: Partition) -> Picture:
    """Lay a plan out; each block as far to the left as its wires and others' lines allow."""
    free = np.zeros(plan.blocks.num_qubits, dtype=np.int64)
    column = np.zeros(plan.blocks.num_blocks, dtype=np.int64)
    for block, (low, high) in enumerate(plan.blocks.pairs.tolist()):
        column[block] = free[low : high + 1].max()
        free[low : high + 1] = column[block] + 1
    starts: list[list[tuple[int, int]]] = [[] for _ in range(plan.blocks.num_qubits)]
    for segment in plan.segments:
        starts[segment.qubit].append((segment.fragment, int(column[segment.first])))
    for qubit, label in zip(plan.blocks.lone, plan.lone_labels.tolist(), strict=True):
        starts[qubit].append((label, 0))
    led = frozenset(first for segments in starts for _, first in segments[1:])
    return Picture(column, int(column.max(initial=-1)) + 1, led, tuple(map(tuple, starts)))


def fragment_name(label: int) -> str:
    """A, B, …, Z, AA, AB, …; a dot for what does not run."""
    if label < 0:
        return "·"
    name = ""
    while label >= 0:
        name = chr(ord("A") + label % 26) + name
        label = label // 26 - 1
    return name


def qubits_of(plan: Partition) -> list[list[int]]:
    """Per fragment, the circuit's qubits that some time lie in it, ascending."""
    inside: list[set[int]] = [set() for _ in plan.fragments]
    for segment in plan.segments:
        inside[segment.fragment].add(segment.qubit)
    for qubit, label in zip(plan.blocks.lone, plan.lone_labels.tolist(), strict=True):
        if label >= 0:
            inside[label].add(qubit)
    return [sorted(qubits) for qubits in inside]


def ranges(numbers: list[int]) -> str:
    """Ascending numbers in short: "0-3, 7"."""
    parts: list[str] = []
    start = 0
    for k in range(1, len(numbers) + 1):
        if k == len(numbers) or numbers[k] != numbers[k - 1] + 1:
            ends = dict.fromkeys((numbers[start], numbers[k - 1]))
            parts.append("-".join(map(str, ends)))
            start = k
    return ", ".join(parts)
