"""Annotations and shapes of a figure as SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.still.reading import within
from qdreamer_lab.still.svg_marks import dashes
from qdreamer_lab.still.svg_text import LINE, lines_of, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdreamer_lab.still.svg_traces import Plot

__all__ = ["note", "shape"]

_ANCHORS = {"left": "start", "right": "end", "center": "middle"}


def _place(value: Any, reference: str, plot: Plot, letter: str) -> float:
    """A place in pixels: in parts of the plot, or on an axis, where logarithms stay as they are."""
    left, top, right, bottom = plot.box
    if reference == "paper" or reference.endswith(" domain"):
        part = float(value)
        return left + part * (right - left) if letter == "x" else bottom - part * (bottom - top)
    axis = plot.x if letter == "x" else plot.y
    raw = axis.places([value]) if axis.categories else np.array([float(value)])
    return float((plot.across if letter == "x" else plot.down)(raw)[0])


def note(given: Mapping[str, Any], plot: Plot) -> str:
    """A text on the plot."""
    if given.get("visible") is False:
        return ""
    words, size = str(given.get("text", "")), float(within(given, "font", "size", default=12.0))
    colour = str(within(given, "font", "color", default=plot.ink))
    x = _place(given.get("x", 0.5), str(given.get("xref", "x")), plot, "x")
    y = _place(given.get("y", 0.5), str(given.get("yref", "y")), plot, "y")
    x += float(given.get("xshift") or 0.0)
    y -= float(given.get("yshift") or 0.0)
    half = LINE * size * len(lines_of(words)) / 2
    y += {"top": half, "bottom": -half}.get(str(given.get("yanchor", "auto")), 0.0)
    anchor = _ANCHORS.get(str(given.get("xanchor", "auto")), "middle")
    return text(x, y, words, size=size, colour=colour, anchor=anchor)


def shape(given: Mapping[str, Any], plot: Plot) -> str:
    """A line or a box; others are left out."""
    xref, yref = str(given.get("xref", "x")), str(given.get("yref", "y"))
    if given.get("type") not in ("line", "rect"):
        return ""
    ends = [given[name] for name in ("x0", "x1", "y0", "y1")]
    ends[:2] = _logarithms(ends[:2], xref, plot, "x")
    ends[2:] = _logarithms(ends[2:], yref, plot, "y")
    x0, x1 = (_place(end, xref, plot, "x") for end in ends[:2])
    y0, y1 = (_place(end, yref, plot, "y") for end in ends[2:])
    line = given.get("line") or {}
    width, stroke = float(line.get("width", 2.0)), escape(str(line.get("color", plot.ink)))
    look = f'stroke="{stroke}" stroke-width="{width:g}"{dashes(line.get("dash"), width)}'
    shade = f' opacity="{given["opacity"]:g}"' if "opacity" in given else ""
    if given["type"] == "line":
        return f'<path d="M{x0:.1f},{y0:.1f}L{x1:.1f},{y1:.1f}" fill="none" {look}{shade}/>'
    fill = escape(str(given.get("fillcolor", "none")))
    return (
        f'<rect x="{min(x0, x1):.1f}" y="{min(y0, y1):.1f}" width="{abs(x1 - x0):.1f}" '
        f'height="{abs(y1 - y0):.1f}" fill="{fill}" {look}{shade}/>'
    )


def _logarithms(ends: list[Any], reference: str, plot: Plot, letter: str) -> list[Any]:
    """Ends on a logarithmic axis, which plotly takes as they are for shapes, not for texts."""
    axis = plot.x if letter == "x" else plot.y
    on_axis = reference[0] == letter and not reference.endswith(" domain")
    return axis.places(ends).tolist() if axis.log and on_axis else ends
