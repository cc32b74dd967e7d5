"""A plan as HTML for a notebook: static, so that a saved notebook reads well where nothing runs."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from qdreamer_lab.workload.picture.layout import fragment_name, qubits_of, ranges
from qdreamer_lab.workload.picture.svg import draw_svg

if TYPE_CHECKING:
    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["plan_html"]

_MOST_ROWS = 32
"""Fragments listed in the table; a plan may have hundreds."""

_LONGEST = 60
"""Characters of a list of qubits."""


def plan_html(plan: Partition) -> str:
    """The summary, a picture and a table of fragments: some 30 kB at most."""
    inside = qubits_of(plan)
    rows = []
    for f in plan.fragments[:_MOST_ROWS]:
        cells = (fragment_name(f.id), f.width, f.num_blocks, f.gate_cuts, f.wire_cuts)
        on = ranges(inside[f.id])
        on = on if len(on) <= _LONGEST else f"{on[:_LONGEST]}…"
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in (*cells, on)) + "</tr>")
    names = ("fragment", "qubits", "blocks", "gate cuts", "wire cuts", "of the circuit's qubits")
    head = "".join(f"<th>{name}</th>" for name in names)
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    more = len(plan.fragments) - len(rows)
    rest = f"<p>and {more} more fragments</p>" if more else ""
    picture = f'<div style="overflow-x:auto">{draw_svg(plan)}</div>'
    return f"<p>{html.escape(plan.summary)}</p>{picture}{table}{rest}"
