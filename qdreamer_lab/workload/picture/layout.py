"""Where things go in a picture of a plan: columns for blocks, names and colours for fragments.

Shared by all forms of picture. It must not know any of them, but by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = [
    "COLOURS",
    "DRAWERS",
    "Picture",
    "drawer",
    "fragment_name",
    "picture_of",
    "qubits_of",
    "ranges",
]

DRAWERS = {
    "text": "qdreamer_lab.workload.picture.text:draw_text",
    "svg": "qdreamer_lab.workload.picture.svg:draw_svg",
    "plotly": "qdreamer_lab.widgets.figures:drawing",
}
"""What `CutPlan.draw` can do, and which function of a plan does it.

Names, not imports, which are resolved when asked for: one lives on a floor above, and nothing here
depends on it.
"""

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


def drawer(output: object) -> Callable[[CutPlan], Any]:
    """The function that makes a form of picture.

    Raises:
        PlanError: if there is no such form.
    """
    if not isinstance(output, str) or output not in DRAWERS:
        *some, last = (f'"{name}"' for name in DRAWERS)
        raise PlanError(f"output must be {', '.join(some)} or {last}, got {output!r}")
    found: Callable[[CutPlan], Any] = resolve_name(DRAWERS[output])
    return found


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A plan laid out on a grid of wires and columns.

    Attributes:
        column: (m,) column of each block; blocks that share a column do not overlap.
        num_columns: number of columns.
        led: the columns before which some wire is cut, so that they need room.
        starts: per qubit, the segments of its wire in order, as (fragment, first column).
    """

    column: NDArray[np.int64]
    num_columns: int
    led: frozenset[int]
    starts: tuple[tuple[tuple[int, int], ...], ...]


def picture_of(plan: CutPlan) -> Picture:
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


def qubits_of(plan: CutPlan) -> list[list[int]]:
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
