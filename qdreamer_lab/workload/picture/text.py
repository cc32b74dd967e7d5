"""A plan as text: one row per wire, or, for wide circuits, one paragraph per fragment."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.picture.layout import fragment_name, picture_of, qubits_of, ranges

if TYPE_CHECKING:
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.picture.layout import Picture

__all__ = ["draw_text"]

_WIDEST = 40
"""Circuits with more qubits are shown by fragment."""

_LONGEST = 120
"""Circuits with more columns are shown by fragment."""

_FOLD = 100
"""Characters after which a row goes on below."""

_CROSS = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}"

_LEGEND = f"● block   {_CROSS} gate cut   // wire cut   A, B, … fragment"


def draw_text(plan: Partition) -> str:
    """Draw a plan with box characters; lines of up to about 100 of them."""
    picture = picture_of(plan)
    if plan.blocks.num_qubits > _WIDEST or picture.num_columns > _LONGEST:
        body = _by_fragment(plan)
    else:
        body = "\n\n".join(_folded(plan, picture)) + f"\n\n{_LEGEND}"
    return f"{plan.summary}\n\n{body}"


def _folded(plan: Partition, picture: Picture) -> list[str]:
    """The rows, in as many parts as keep to the fold."""
    heads, cells = _cells(plan, picture)
    margin = len(heads[0])
    parts: list[list[int]] = [[]]
    length = margin
    for column in range(picture.num_columns):
        width = len(cells[0][column])
        if parts[-1] and length + width > _FOLD:
            parts.append([])
            length = margin
        parts[-1].append(column)
        length += width
    drawn = []
    for number, columns in enumerate(parts):
        ends = "─" if number == len(parts) - 1 else "─…"
        lines = [
            (head if number == 0 else f"{head.split()[0]:<{margin - 1}}…")
            + "".join(row[c] for c in columns)
            + ends
            for head, row in zip(heads, cells, strict=True)
        ]
        drawn.append("\n".join(lines))
    return drawn


def _cells(plan: Partition, picture: Picture) -> tuple[list[str], list[list[str]]]:
    """What stands before each wire, and the grid of wires and columns."""
    n = plan.blocks.num_qubits
    marks = [["─"] * picture.num_columns for _ in range(n)]
    for block, (low, high) in enumerate(plan.blocks.pairs.tolist()):
        cut = plan.labels[block, 0] != plan.labels[block, 1]
        for qubit in range(low, high + 1):
            inner = low < qubit < high
            mark = ("┊" if inner else _CROSS) if cut else ("┼" if inner else "●")
            marks[qubit][int(picture.column[block])] = mark
    lead = [["─"] * picture.num_columns for _ in range(n)]
    for qubit, segments in enumerate(picture.starts):
        for label, column in segments[1:]:
            lead[qubit][column] = f"─//{fragment_name(label)}─"
    for column in range(picture.num_columns):
        widest = max(len(row[column]) for row in lead)
        for row in lead:
            row[column] = row[column].ljust(widest, "─")
    first = [fragment_name(segments[0][0]) for segments in picture.starts]
    names = [f"q{qubit}" for qubit in range(n)]
    long = max(map(len, names)) + 1 + max(map(len, first))
    heads = [
        f"{name} {symbol:>{long - len(name) - 1}} "
        for name, symbol in zip(names, first, strict=True)
    ]
    cells = [
        [so_far + symbol for so_far, symbol in zip(row, symbols, strict=True)]
        for row, symbols in zip(lead, marks, strict=True)
    ]
    return heads, cells


def _by_fragment(plan: Partition) -> str:
    """What is in each fragment, and how many cuts lead where."""
    inside = qubits_of(plan)
    ends: Counter[tuple[int, int, str]] = Counter()
    for cut in plan.cuts:
        kind = "gate" if isinstance(cut, GateCut) else "wire"
        low, high = cut.fragments
        ends.update([(low, high, kind), (high, low, kind)])
    lines = []
    for fragment in plan.fragments:
        partners = [
            f"{count} {kind} to {fragment_name(other)}"
            for (here, other, kind), count in sorted(ends.items())
            if here == fragment.id
        ]
        on = "" if fragment.device is None else f" of {fragment.device}"
        text = (
            f"{fragment_name(fragment.id):<3}{fragment.width} qubits{on}, "
            f"{fragment.num_blocks} blocks; cuts: {', '.join(partners) or 'none'}; "
            f"on {ranges(inside[fragment.id])}"
        )
        lines.append(textwrap.fill(text, _FOLD, subsequent_indent="   "))
    return "\n".join(lines)
