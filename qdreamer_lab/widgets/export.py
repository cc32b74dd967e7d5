"""What can be saved: the plan as a file of its own, and a page with all figures."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qdreamer_lab.widgets.board import FIGURES
from qdreamer_lab.widgets.cost_table import rows, table_html
from qdreamer_lab.widgets.figures.spec import figure_of_spec
from qdreamer_lab.widgets.render import caption, columns, spec_of, summary

if TYPE_CHECKING:
    from qdreamer_lab.widgets.problem import Problem
    from qdreamer_lab.widgets.state import View
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["page_html", "plan_json"]

_HEIGHTS = {"tradeoff": 340, "circuit": 520, "fragments": 340, "timeline": 320}

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 24px auto; padding: 0 16px;
  color: #1a1a1a; background: #ffffff; }
h2 { font-size: 17px; margin: 24px 0 4px; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 2px 14px 2px 0; font-weight: normal; }
thead th { font-weight: 600; }
tr.qd-part th { padding-left: 20px; }
.qd-hidden { display: none; }
"""


def plan_json(plan: CutPlan) -> bytes:
    """What `CutPlan.save` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        plan.save(path)
        return path.read_bytes()


def page_html(problem: Problem, view: View) -> bytes:
    """An interactive page that needs no network: all figures, the numbers, the summary."""
    parts = []
    for number, name in enumerate(FIGURES):
        figure = figure_of_spec(spec_of(name, view)).update_layout(height=_HEIGHTS[name])
        drawn = figure.to_html(
            full_html=False,
            include_plotlyjs=number == 0,
            div_id=f"qd-{name}",
            config={"displaylogo": False, "showSendToCloud": False},
        )
        words = caption(view) if name == "tradeoff" else ""
        below = f"<p>{escape(words)}</p>" if words else ""
        parts.append(f"<h2>{name.capitalize()}</h2>{drawn}{below}")
    shown, heads = columns(view)
    table = table_html(rows(shown, view.uncut, view.run), heads) if shown else ""
    words = escape(summary(view, problem.num_qubits))
    title = escape(f"Cut explorer: {problem.title}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{words}</p>"
        f"{''.join(parts)}<h2>Numbers</h2>{table}</body></html>"
    ).encode()
