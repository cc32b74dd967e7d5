"""A figure as one SVG picture that needs nothing else, and as a sentence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.still import svg_legend
from qdreamer_lab.still.reading import each, listed, numbers, plain, within
from qdreamer_lab.still.svg_axes import Axis, axis_of, drawn, room_beside
from qdreamer_lab.still.svg_notes import note, shape
from qdreamer_lab.still.svg_text import text
from qdreamer_lab.still.svg_traces import Plot, bars, scatter, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["picture", "words"]

_WIDTH, _HEIGHT = 760, 420
"""Pixels of a figure that does not say how large it is."""

_KINDS = ("scatter", "scattergl", "bar")

_MOST_POINTS = 40_000
"""A picture of more would weigh megabytes: traces of more points than are left are not drawn."""

_FONT = "system-ui, sans-serif"


def picture(
    spec: Mapping[str, Any],
    *,
    width: float | None = None,
    height: float | None = None,
    ground: bool = True,
) -> str:
    """Draw a figure.

    Points, lines and bars on linear, logarithmic and category axes are drawn, with legend, texts
    and shapes; what else plotly knows is left out, which a line below the plot then says.

    Args:
        spec: "data" and "layout" as plotly.js takes them.
        width: In pixels; by default what the layout says, or 760.
        height: In pixels; by default what the layout says, or 420.
        ground: Whether it has a background of its own.

    Returns:
        An SVG element, with the figure in words as its title.
    """
    layout = spec.get("layout") or {}
    size = (
        float(width or layout.get("width") or _WIDTH),
        float(height or layout.get("height") or _HEIGHT),
    )
    traces, left_out = _drawable(spec)
    sheet = _laid_out(traces, layout, size, bool(left_out))
    body = [*_under(sheet, layout), *_traces(traces, layout, sheet), *_over(sheet, layout)]
    if left_out:
        said = f"not drawn here: {', '.join(left_out)}"
        body.append(text(size[0] - 8, size[1] - 8, said, size=11, colour=sheet.ink, anchor="end"))
    back = escape(str(layout.get("paper_bgcolor", "#ffffff")))
    family = escape(str(within(layout, "font", "family", default=_FONT)), quote=True)
    paper = f'<rect width="100%" height="100%" fill="{back}"/>' if ground else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]:g}" height="{size[1]:g}" '
        f'viewBox="0 0 {size[0]:g} {size[1]:g}" role="img" font-family="{family}">'
        f"<title>{escape(words(spec))}</title>{paper}{''.join(body)}</svg>"
    )


def words(spec: Mapping[str, Any]) -> str:
    """What a figure shows, in a sentence: its axes, what its legend names, and its texts."""
    layout = spec.get("layout") or {}
    heads = [plain(str(within(layout, "title", "text", default="")))]
    axes = [
        plain(str(within(layout, name, "title", "text", default=""))).strip()
        for name in sorted(name for name in layout if name[:5] in ("yaxis", "xaxis"))
    ]
    heads.append(", ".join(dict.fromkeys(axis for axis in axes if axis)))
    named = [plain(one.name) for one in svg_legend.entries(spec.get("data") or (), layout)]
    heads.append(", ".join(named))
    notes = [plain(str(one.get("text", ""))).strip() for one in listed(layout.get("annotations"))]
    heads.append(", ".join(dict.fromkeys(each for each in notes if each)))
    said = "; ".join(head for head in heads if head)
    return f"Figure: {said}" if said else "Figure"


@dataclass(frozen=True)
class _Sheet:
    """Where what lies.

    Attributes:
        plots: Pairs of axes that are drawn on, by their names, such as "x2" and "y2".
        whole: The part of the sheet that plots share.
        legend: Rows of the legend.
        top: Where they begin.
        small: Size of their text.
        edges: How far titles of axes lie from the plot, to the left and below.
        ink: Colour of text.
    """

    plots: Mapping[tuple[str, str], Plot]
    whole: Plot
    legend: list[list[tuple[float, svg_legend.Entry]]]
    top: float
    small: float
    edges: tuple[float, float]
    ink: str


def _drawable(spec: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Traces that can be drawn, and what else there is in words."""
    kept, left_out, points = [], [], 0
    for trace in spec.get("data") or ():
        kind = trace.get("type", "scatter")
        if trace.get("visible") in (False, "legendonly"):
            continue
        if kind not in _KINDS:
            left_out.append(str(kind))
            continue
        if trace.get("mode") == "none" and trace.get("fill") != "toself":
            continue  # it only speaks
        count = len(listed(trace.get("x")))
        if points + count > _MOST_POINTS:
            left_out.append(f"{count:,} points of {trace.get('name', 'a trace')}")
            continue
        points += count
        kept.append(trace)
    return kept, list(dict.fromkeys(left_out))


def _axes_of(
    traces: list[Mapping[str, Any]], layout: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], dict[str, Axis]]:
    """Pairs of axes that are drawn on, and all axes, by their names."""
    pairs = [(str(t.get("xaxis", "x")), str(t.get("yaxis", "y"))) for t in traces]
    values: defaultdict[str, list[Any]] = defaultdict(list)
    along: set[str] = set()
    for (x, y), trace in zip(pairs, traces, strict=True):
        values[x] += values_of(trace, "x")
        values[y] += values_of(trace, "y")
        if trace.get("type") == "bar":
            along.add(x if trace.get("orientation") == "h" else y)
    for axis, trace, base in _stacked(traces, layout):
        length = numbers(trace.get("x" if trace.get("orientation") == "h" else "y"))
        values[axis] += (base + length).tolist()
    unique = list(dict.fromkeys(pairs)) or [("x", "y")]
    axes = {}
    for name in dict.fromkeys(name for pair in unique for name in pair):
        given = layout.get(f"{name[0]}axis{name[1:]}") or {}
        axes[name] = axis_of(name[0], given, values[name], zero=name in along)
    return unique, axes


def _stacked(
    traces: list[Mapping[str, Any]], layout: Mapping[str, Any]
) -> list[tuple[str, Mapping[str, Any], NDArray[np.float64]]]:
    """Bars with the axis that they lie along and where they begin, (n,): on those before them."""
    made = []
    heights: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for trace in traces:
        if trace.get("type") != "bar":
            continue
        lying = trace.get("orientation") == "h"
        axis = str(trace.get("xaxis", "x") if lying else trace.get("yaxis", "y"))
        other = str(trace.get("yaxis", "y") if lying else trace.get("xaxis", "x"))
        length = numbers(trace.get("x" if lying else "y"))
        base = numbers(each(trace.get("base"), len(length), 0.0))
        if layout.get("barmode") in ("stack", "relative"):
            rows = listed(trace.get("y" if lying else "x"))
            for k, (row, more) in enumerate(zip(rows, length.tolist(), strict=False)):
                base[k] = heights[axis, other, str(row)]
                heights[axis, other, str(row)] += 0.0 if np.isnan(more) else more
        made.append((axis, trace, base))
    return made


def _laid_out(
    traces: list[Mapping[str, Any]],
    layout: Mapping[str, Any],
    size: tuple[float, float],
    below: bool,
) -> _Sheet:
    """Room for legend, ticks and titles, and the plots within the rest."""
    margin = {"l": 16.0, "r": 16.0, "t": 16.0, "b": 16.0, **(layout.get("margin") or {})}
    ink = str(within(layout, "font", "color", default="#444444"))
    small = float(within(layout, "legend", "font", "size", default=12.0))
    pairs, axes = _axes_of(traces, layout)
    beside, under = [0.0], [0.0]
    for name, axis in axes.items():
        start = float(listed(axis.layout.get("domain") or (0, 1))[0])
        if axis.layout.get("visible") is not False:
            pixels = size[1] / len(pairs) if name[0] == "y" else 0.8 * size[0]
            if name[0] == "y" or start == 0:
                (beside if name[0] == "y" else under).append(room_beside(axis, pixels))
    left, right = margin["l"] + max(beside), size[0] - margin["r"]
    found = svg_legend.entries(traces, layout)
    legend = svg_legend.rows(found, size[0] - 24, small)
    title = 28.0 if within(layout, "title", "text") else 0.0
    above = title + (svg_legend.ROW * len(legend) + 8 if legend else 0.0)
    top = max(margin["t"], above) + (6 if above else 0)
    bottom = size[1] - max(margin["b"], 8.0) - max(under) - 16 * below
    bottom = max(bottom, top + 40)

    def plot(x: Axis, y: Axis) -> Plot:
        across = listed(x.layout.get("domain") or (0, 1))
        down = listed(y.layout.get("domain") or (0, 1))
        box = (
            left + across[0] * (right - left),
            bottom - down[1] * (bottom - top),
            left + across[1] * (right - left),
            bottom - down[0] * (bottom - top),
        )
        return Plot(x, y, box, ink)

    plots = {(x, y): plot(axes[x], axes[y]) for x, y in pairs}
    first = next(iter(plots.values()))
    whole = Plot(first.x, first.y, (left, top, right, bottom), ink)
    return _Sheet(plots, whole, legend, title + 4, small, (max(beside), max(under)), ink)


def _under(sheet: _Sheet, layout: Mapping[str, Any]) -> list[str]:
    """Title, shapes that lie below, and the grid."""
    parts = []
    head = str(within(layout, "title", "text", default=""))
    left, _, right, _ = sheet.whole.box
    parts.append(text((left + right) / 2, 16, head, size=15, colour=sheet.ink, anchor="middle"))
    below = [one for one in listed(layout.get("shapes")) if one.get("layer") == "below"]
    parts += [shape(one, sheet.whole) for one in below]
    return [*parts, *(grid for grid, _ in _axes(sheet))]


def _axes(sheet: _Sheet) -> list[tuple[str, str]]:
    """What `drawn` makes of all axes, each at the plot that it is anchored to."""
    made, seen = [], set()
    for (x, y), plot in sheet.plots.items():
        for name, axis, other in ((x, plot.x, y), (y, plot.y, x)):
            anchored = str(axis.layout.get("anchor") or other)
            if name in seen or (anchored != other and _there(sheet, name, anchored)):
                continue
            seen.add(name)
            edge = sheet.edges[0] if name[0] == "y" else room_beside(axis, plot.box[2])
            made.append(drawn(axis, plot.box, sheet.ink, edge))
    return made


def _there(sheet: _Sheet, name: str, anchored: str) -> bool:
    return (name, anchored) in sheet.plots or (anchored, name) in sheet.plots


def _traces(traces: list[Mapping[str, Any]], layout: Mapping[str, Any], sheet: _Sheet) -> list[str]:
    """All traces; what is cut off at a plot's edge is an SVG within."""
    bases = {id(trace): base for _, trace, base in _stacked(traces, layout)}
    part = 1 - float(layout.get("bargap", 0.2))
    parts = []
    for trace in traces:
        plot = sheet.plots[str(trace.get("xaxis", "x")), str(trace.get("yaxis", "y"))]
        free = ""
        if trace.get("type") == "bar":
            inside = bars(trace, plot, bases[id(trace)], part)
        else:
            inside, free = scatter(trace, plot)
        left, top, right, bottom = plot.box
        w, h = right - left, bottom - top
        view = f"{left:.1f} {top:.1f} {w:.1f} {h:.1f}"
        parts.append(
            f'<svg x="{left:.1f}" y="{top:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'viewBox="{view}">{inside}</svg>{free}'
        )
    return parts


def _over(sheet: _Sheet, layout: Mapping[str, Any]) -> list[str]:
    """Axes, shapes and texts above the traces, and the legend."""
    parts = [beside for _, beside in _axes(sheet)]
    above = [one for one in listed(layout.get("shapes")) if one.get("layer") != "below"]
    parts += [shape(one, sheet.whole) for one in above]
    for given in listed(layout.get("annotations")):
        names = (str(given.get("xref", "x")), str(given.get("yref", "y")))
        parts.append(note(given, sheet.plots.get(names, sheet.whole)))
    left = 12.0
    if sheet.legend:
        parts.append(svg_legend.drawn(sheet.legend, left, sheet.top, sheet.small, sheet.ink))
    return parts
