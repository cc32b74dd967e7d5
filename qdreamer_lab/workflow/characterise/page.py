"""A portrait as one HTML page; two of them side by side."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qdreamer_lab.widgets.figures.style import figure, value_axis
from qdreamer_lab.widgets.palette import theme
from qdreamer_lab.workflow.figures import time_traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workflow.characterise.portrait import Portrait

__all__ = ["page"]

_STYLE = """body{font-family:system-ui,sans-serif;margin:1.5em;color:#1a1a1a}
.side{display:flex;flex-wrap:wrap;gap:2em}.side>section{flex:1 1 32em;min-width:0}
pre{overflow-x:auto;font-size:12px}"""


def page(portraits: Sequence[Portrait], titles: Sequence[str]) -> str:
    """One page with a column for each portrait; it needs no network.

    Args:
        portraits: One, or two to be compared.
        titles: A heading for each.
    """
    sections, first = [], True
    for portrait, title in zip(portraits, titles, strict=True):
        parts = [f"<h2>{escape(title)}</h2>"]
        pictures = [_times(portrait), _coupling(portrait), _scaling(portrait)]
        for made in [*pictures, *([_larger(portrait)] if portrait.simulated else [])]:
            parts.append(made.to_html(full_html=False, include_plotlyjs=first))
            first = False
        parts.append(f"<pre>{escape(portrait.text())}</pre>")
        sections.append(f"<section>{''.join(parts)}</section>")
    compared = f"<pre>{escape(_compared(*portraits))}</pre>" if len(portraits) == 2 else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Motifs</title>'
        f"<style>{_STYLE}</style></head><body><h1>What the time of motifs goes to</h1>{compared}"
        f'<div class="side">{"".join(sections)}</div></body></html>'
    )


def _times(portrait: Portrait) -> Any:
    """Shares of the wall time, a bar for each run."""
    bars = {}
    for one in portrait.measured:
        if one.report is not None:
            wall = one.report.spent.wall_s or 1.0
            label = f"{one.motif}, {one.size}x on {one.workers}"
            parts = one.report.spent.parts().items()
            bars[label] = {kind: 100 * seconds / wall for kind, seconds in parts}
    colours = theme(False)
    traces = time_traces(bars, False)
    for trace in traces:
        trace["hovertext"] = [f"{trace['name']}: {share:.1f} %" for share in trace["x"]]
    return figure(
        traces,
        False,
        barmode="stack",
        height=140 + 26 * len(bars),
        xaxis=value_axis(colours, "% of the wall time", range=[0, 100]),
        yaxis={"automargin": True, "autorange": "reversed"},
    )


def _coupling(portrait: Portrait) -> Any:
    """How tightly tasks are coupled: messages a second against bytes a second."""
    colours = theme(False)
    traces = []
    for k, motif in enumerate(portrait.motifs()):
        rows = [row for row in portrait.rows() if row["motif"] == motif]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": motif,
                "x": [row["messages_per_s"] for row in rows],
                "y": [row["bytes_per_s"] for row in rows],
                "text": [f"{motif}, {row['size']}x on {row['workers']}" for row in rows],
                "marker": {"symbol": k, "size": 11, "color": colours.lines[k % 8]},
            }
        )
    return figure(
        traces,
        False,
        height=380,
        xaxis=value_axis(colours, "messages per second", type="log"),
        yaxis=value_axis(colours, "bytes per second", type="log"),
    )


def _scaling(portrait: Portrait) -> Any:
    """Efficiency over workers: strong in whole lines, weak in dashed ones."""
    colours = theme(False)
    traces = []
    for k, motif in enumerate(portrait.motifs()):
        for found, dash in ((portrait.strong(motif), "solid"), (portrait.weak(motif), "dash")):
            if found is not None:
                kind = "strong" if dash == "solid" else "weak"
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines+markers",
                        "name": f"{motif}, {kind}",
                        "x": list(found.workers),
                        "y": list(found.efficiency),
                        "line": {"color": colours.lines[k % 8], "dash": dash},
                        "marker": {"symbol": k},
                    }
                )
    return figure(
        traces,
        False,
        height=420,
        xaxis=value_axis(colours, "workers", dtick=1),
        yaxis=value_axis(colours, "efficiency", rangemode="tozero"),
    )


def _larger(portrait: Portrait) -> Any:
    """Simulated wall times over workers as dotted lines, with what was measured on them."""
    colours = theme(False)
    traces: list[dict[str, Any]] = []
    for k, curve in enumerate(portrait.simulated):
        line = {"color": colours.lines[k % 8], "dash": "dot"}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{curve.name} (simulated)",
                "x": list(curve.workers),
                "y": list(curve.wall_s),
                "line": line,
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{curve.name} (measured)",
                "x": list(curve.measured_s),
                "y": list(curve.measured_s.values()),
                "marker": {"symbol": k, "size": 11, "color": colours.lines[k % 8]},
            }
        )
    return figure(
        traces,
        False,
        height=420,
        xaxis=value_axis(colours, "workers", type="log"),
        yaxis=value_axis(colours, "seconds", type="log"),
    )


def _compared(one: Portrait, other: Portrait) -> str:
    """How many times longer the first takes, run by run."""
    walls = {(row["motif"], row["size"], row["workers"]): row["wall_s"] for row in other.rows()}
    lines = []
    for row in one.rows():
        key = (row["motif"], row["size"], row["workers"])
        if key in walls:
            told = f"{row['wall_s']:.3g} s and {walls[key]:.3g} s"
            factor = row["wall_s"] / walls[key]
            lines.append(f"{key[0]}, {key[1]}x on {key[2]}: {told}, a factor of {factor:.2f}")
    return "\n".join(lines) or "no run is in both"
