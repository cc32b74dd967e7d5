"""A portrait as one HTML page; two of them side by side."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.report_text import html_table
from qdreamer_lab.widgets.figures.style import figure, value_axis
from qdreamer_lab.widgets.palette import theme
from qdreamer_lab.workflow.figures import time_traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workflow.characterise.portrait import Portrait

__all__ = ["page"]

_STYLE = """body{font-family:system-ui,sans-serif;margin:1.5em;color:#1a1a1a}
.side{display:flex;flex-wrap:wrap;gap:2em}.side>section{flex:1 1 32em;min-width:0;max-width:72em}
h3{margin:2em 0 0}p{max-width:46em;margin:.4em 0}.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;margin:1em 0}
th,td{text-align:right;padding:.2em .7em;border-bottom:1px solid #e6e6e6;white-space:nowrap}
th:first-child,td:first-child{text-align:left}"""

_TIMES = (
    "What the time goes to",
    "A bar for each run: the motif, how many times the work of its preset, on how many workers. "
    "Times are means of the workers. Each was run once before, so that what is loaded or searched "
    "for once, such as where to cut, is in no figure.",
)
_COUPLING = (
    "How tightly tasks are coupled",
    "What tasks tell each other and the notebook; the further up and to the right, the tighter.",
)
_SCALING = (
    "How it scales",
    "Strong: the same work on more workers, against so many times the speed. Weak: as many times "
    "the work as workers, against the same time. 1 is ideal.",
)
_LARGER = (
    "More workers than there are: SIMULATED",
    "Lines are computed from what was measured on this machine; marks were measured.",
)


def page(portraits: Sequence[Portrait], titles: Sequence[str]) -> str:
    """One page with a column for each portrait; it needs no network.

    Args:
        portraits: One, or two to be compared.
        titles: A heading for each.
    """
    sections, first = [], True
    for portrait, title in zip(portraits, titles, strict=True):
        parts = [f"<h2>{escape(title)}</h2>", _machine(portrait)]
        for told, made, below in _pictures(portrait):
            parts += [f"<h3>{escape(told[0])}</h3><p>{escape(told[1])}</p>"]
            parts.append(made.to_html(full_html=False, include_plotlyjs=first))
            parts.append(below)
            first = False
        parts += [f"<p>{escape(line)}</p>" for line in portrait.failures()]
        sections.append(f"<section>{''.join(parts)}</section>")
    compared = _compared(*portraits) if len(portraits) == 2 else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Motifs</title>'
        f"<style>{_STYLE}</style></head><body><h1>A machine as motifs see it</h1>{compared}"
        f'<div class="side">{"".join(sections)}</div></body></html>'
    )


def _machine(portrait: Portrait) -> str:
    return "<p>" + "<br>".join(escape(f"{k}: {v}") for k, v in portrait.machine.items()) + "</p>"


def _pictures(portrait: Portrait) -> list[tuple[tuple[str, str], Any, str]]:
    """Heading and words, a figure, and what stands below it, for each part of a portrait."""
    found = [
        (_TIMES, _times(portrait), _wide(*portrait.table())),
        (_COUPLING, _coupling(portrait), ""),
    ]
    if (scaling := portrait.scaling_table()) is not None:
        found.append((_SCALING, _scaling(portrait), _wide(*scaling)))
    if portrait.simulated:
        found.append((_LARGER, _larger(portrait), _assumed(portrait)))
    return found


def _wide(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table that may be wider than its column."""
    return f'<div class="wide">{html_table("", head, rows)}</div>'


def _assumed(portrait: Portrait) -> str:
    """What the simulated curves say, how far they are from what was measured, and their grounds."""
    counts = sorted({count for curve in portrait.simulated for count in curve.workers})
    rows = []
    for curve in portrait.simulated:
        known = dict(zip(curve.workers, curve.wall_s, strict=True))
        walls = (f"{known[count]:.3g}" if count in known else "" for count in counts)
        rows.append((curve.name, curve.off_text(), *walls))
    head = ("seconds on … workers", "off, where measured", *(f"{count:,}" for count in counts))
    lines = [f"{curve.name} assumes {curve.assumptions}." for curve in portrait.simulated]
    lines += [f"Not simulated: {why}." for why in portrait.not_simulated]
    return _wide(head, rows) + "".join(f"<p>{escape(line)}</p>" for line in lines)


def _times(portrait: Portrait) -> Any:
    """Shares of the wall time, a bar for each run."""
    bars = {}
    for one in portrait.by_motif():
        if one.report is not None:
            wall = one.report.spent.wall_s or 1.0
            label = f"{one.motif}, {one.size}x on {one.workers}"
            parts = one.report.spent.parts().items()
            bars[label] = {kind: 100 * seconds / wall for kind, seconds in parts}
    colours = theme(False)
    traces = time_traces(bars, False)
    for trace in traces:
        trace["hovertext"] = [f"{trace['name']}: {share:.1f} %" for share in trace["x"]]
    made = figure(
        traces,
        False,
        barmode="stack",
        height=140 + 26 * len(bars),
        xaxis=value_axis(colours, "% of the wall time", range=[0, 100]),
        yaxis={"automargin": True, "autorange": "reversed", "ticksuffix": " "},
    )
    return made.update_layout(legend_traceorder="normal")


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
        xaxis=value_axis(colours, "messages per second", type="log", dtick=1),
        yaxis=value_axis(colours, "bytes per second", type="log", dtick=1, exponentformat="power"),
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
        xaxis=value_axis(colours, "workers", type="log", dtick=1),
        yaxis=value_axis(colours, "seconds", type="log", dtick=1),
    )


def _compared(one: Portrait, other: Portrait) -> str:
    """How many times longer the first takes, run by run."""
    walls = {(row["motif"], row["size"], row["workers"]): row["wall_s"] for row in other.rows()}
    rows = []
    for row in one.rows():
        key = (row["motif"], row["size"], row["workers"])
        if key in walls:
            told = (
                f"{row['wall_s']:.3g}",
                f"{walls[key]:.3g}",
                f"{row['wall_s'] / walls[key]:.2f}",
            )
            rows.append((f"{key[0]}, {key[1]}x on {key[2]}", *told))
    head = ("run", "left, s", "right, s", "left over right")
    return _wide(head, rows) if rows else "<p>no run is in both</p>"
