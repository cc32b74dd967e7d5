"""The picture of a report: where the time went, and the motif's own curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.widgets.figures.style import bare_axis, figure, value_axis
from qdreamer_lab.widgets.palette import theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from qdreamer_lab.workflow.outcome import Curve

__all__ = ["report_figure", "time_traces"]

_ORDER = ("quantum", "classical", "communication", "waiting", "overhead")
_PATTERNS = ("", "/", "x", ".", "\\")
"""So that nothing is said by colour alone."""


def report_figure(
    name: str, parts: dict[str, float], curves: Sequence[Curve], dark: bool
) -> go.Figure:
    """A bar of the times, over the motif's curves if it has some.

    Args:
        name: The motif's.
        parts: Seconds by what they went to.
        curves: The motif's own.
        dark: For a dark page.
    """
    colours = theme(dark)
    traces = time_traces({name: parts}, dark)
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": curve.name,
            "x": list(curve.x),
            "y": list(curve.y),
            "xaxis": "x2",
            "yaxis": "y2",
            "line": {"color": colours.lines[(k + 5) % len(colours.lines)]},
            "marker": {"symbol": k % 30},
        }
        for k, curve in enumerate(curves)
    ]
    times = value_axis(colours, "seconds (mean of the workers)", domain=[0, 1])
    axes: dict[str, Any] = {"xaxis": times, "yaxis": bare_axis(domain=[0, 1])}
    if curves:
        axes = {
            "xaxis": {**times, "anchor": "y"},
            "yaxis": bare_axis(domain=[0.78, 1]),
            "xaxis2": value_axis(colours, curves[0].x_title, anchor="y2"),
            "yaxis2": value_axis(colours, curves[0].y_title, domain=[0, 0.6], anchor="x2"),
        }
    height = 480 if curves else 220
    made = figure([*traces, *lines], dark, barmode="stack", height=height, **axes)
    return made.update_layout(legend_traceorder="normal")


def time_traces(parts: dict[str, dict[str, float]], dark: bool) -> list[dict[str, Any]]:
    """Stacked bars of what time was spent on.

    Args:
        parts: Seconds by kind, for each bar by its name.
        dark: For a dark page.
    """
    colours = theme(dark)
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": kind,
            "y": list(parts),
            "x": [bar[kind] for bar in parts.values()],
            "hovertext": [f"{kind}: {seconds_text(bar[kind])}" for bar in parts.values()],
            "hoverinfo": "text",
            "marker": {
                "color": colours.fills[k],
                "pattern": {
                    "shape": pattern,
                    "bgcolor": colours.fills[k],
                    "fgcolor": colours.ink,
                    "solidity": 0.15,
                },
                "line": {"color": colours.lines[k], "width": 1},
            },
        }
        for k, (kind, pattern) in enumerate(zip(_ORDER, _PATTERNS, strict=True))
    ]
