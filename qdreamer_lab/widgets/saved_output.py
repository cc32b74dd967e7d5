"""What stands in a saved notebook, on GitHub, or in a terminal: a picture, a table, text."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from qdreamer_lab.widgets.cost_table import rows, table_html, table_text
from qdreamer_lab.widgets.render import caption, columns, footnotes, summary

if TYPE_CHECKING:
    from qdreamer_lab.widgets.problem import Problem
    from qdreamer_lab.widgets.state import View

__all__ = ["static_html", "static_text"]


def static_html(problem: Problem, view: View) -> str:
    """A picture of the selected plan and its numbers, without scripts or styles."""
    shown, heads = columns(view)
    plan = None if view.selected is None else view.selected.plan
    picture = ""
    if plan is not None:
        source = base64.b64encode(plan.draw("svg").encode()).decode()
        picture = (
            f'<p><img alt="{escape(plan.summary)}" src="data:image/svg+xml;base64,{source}"></p>'
        )
    words = escape(summary(view, problem.num_qubits))
    compared = f"<p>{escape(caption(view))}</p>" if caption(view) else ""
    below = footnotes(view, problem.num_qubits)
    compared += f"<p><small>{escape(below)}</small></p>" if below else ""
    head = f"<p><b>Cut explorer</b>: {escape(problem.title)}</p><p>{words}</p>{compared}{picture}"
    return head + (table_html(rows(shown, view.uncut, view.run), heads) if shown else "")


def static_text(problem: Problem, view: View) -> str:
    """The same for a terminal."""
    shown, heads = columns(view)
    lines = [f"Cut explorer: {problem.title}", summary(view, problem.num_qubits)]
    if caption(view):
        lines.append(caption(view))
    if view.compared is not None and view.axes == "workers":
        lines.append(view.compared.text)
    if shown:
        lines.append(table_text(rows(shown, view.uncut, view.run), heads))
    return "\n".join(lines)
