"""A plan as HTML for a notebook: static, so that a saved notebook reads well where nothing runs."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["plan_html"]

_MOST_ROWS = 32
"""Fragments listed in the table; a plan may have hundreds."""


def plan_html(plan: CutPlan) -> str:
    """The summary and a table of fragments."""
    rows = [
        f"<tr><td>{f.id}</td><td>{f.width}</td><td>{f.num_blocks}</td>"
        f"<td>{f.gate_cuts}</td><td>{f.wire_cuts}</td></tr>"
        for f in plan.fragments[:_MOST_ROWS]
    ]
    names = ("fragment", "qubits", "blocks", "gate cuts", "wire cuts")
    head = "".join(f"<th>{name}</th>" for name in names)
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    return f"<p>{html.escape(plan.summary)}</p>{table}"
