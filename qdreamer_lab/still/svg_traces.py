"""Traces of a figure, points, lines and bars, as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.still.reading import each, listed, numbers, plain, within
from qdreamer_lab.still.svg_marks import (
    dashes,
    hatch,
    line_path,
    open_symbol,
    symbol_path,
)
from qdreamer_lab.still.svg_text import text, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from qdreamer_lab.still.svg_axes import Axis

__all__ = ["Plot", "bars", "scatter", "values_of"]

_SIDES = {"left": ("end", -1), "right": ("start", 1), "center": ("middle", 0)}


@dataclass(frozen=True)
class Plot:
    """Where a trace is drawn.

    Attributes:
        x: Its horizontal axis.
        y: Its vertical one.
        box: Left, top, right and bottom, in pixels.
        ink: Colour of text.
    """

    x: Axis
    y: Axis
    box: tuple[float, float, float, float]
    ink: str

    def across(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels from the left of the figure, of places on the horizontal axis, (n,)."""
        left, _, right, _ = self.box
        return np.asarray(left + self.x.part(places) * (right - left))

    def down(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels from the top of the figure, of places on the vertical axis, (n,)."""
        _, top, _, bottom = self.box
        return np.asarray(bottom - self.y.part(places) * (bottom - top))


def scatter(trace: Mapping[str, Any], plot: Plot) -> tuple[str, str]:
    """Lines, and points with words: the first within the plot, the second also beyond its edge."""
    xs, ys = plot.across(plot.x.places(trace.get("x"))), plot.down(plot.y.places(trace.get("y")))
    count = min(len(xs), len(ys))
    xs, ys = xs[:count], ys[:count]
    mode = str(trace.get("mode", "lines+markers"))
    inside, free = [], []
    filled = trace.get("fill") == "toself"
    if "lines" in mode or filled:
        path = line_path(xs, ys, steps=str(within(trace, "line", "shape", default="")))
        line, width = trace.get("line") or {}, float(within(trace, "line", "width", default=2.0))
        stroke = str(line.get("color", plot.ink)) if "lines" in mode else "none"
        fill = str(trace.get("fillcolor", "none")) if filled else "none"
        if path:
            inside.append(
                f'<path d="{path}" fill="{escape(fill)}" stroke="{escape(stroke)}" '
                f'stroke-width="{width:g}"{dashes(line.get("dash"), width)}/>'
            )
    inside.append(_whiskers(trace, plot, xs))
    if "markers" in mode:
        free.append(_markers(trace, plot, xs, ys))
    if "text" in mode:
        free.append(_words(trace, plot, xs, ys))
    if trace.get("cliponaxis") is False:
        return "".join(inside), "".join(free)
    return "".join([*inside, *free]), ""


def _whiskers(trace: Mapping[str, Any], plot: Plot, xs: NDArray[np.float64]) -> str:
    error = trace.get("error_y")
    if not isinstance(error, dict) or error.get("array") is None:
        return ""
    values, up = numbers(trace.get("y")), numbers(error["array"])
    below = error.get("arrayminus")
    low = plot.down(plot.y.places(values - (up if below is None else numbers(below))))
    high = plot.down(plot.y.places(values + up))
    half = float(error.get("width", 4))
    parts = []
    for x, bottom, top in zip(xs.tolist(), low.tolist(), high.tolist(), strict=True):
        if all(map(np.isfinite, (x, bottom, top))):
            caps = "".join(f"M{x - half:.1f},{y:.1f}h{2 * half:g}" for y in (bottom, top))
            parts.append(f"M{x:.1f},{bottom:.1f}V{top:.1f}{caps}")
    colour, width = escape(str(error.get("color", plot.ink))), float(error.get("thickness", 2))
    return f'<path d="{"".join(parts)}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'


def _markers(
    trace: Mapping[str, Any], plot: Plot, xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> str:
    marker, count = trace.get("marker") or {}, len(xs)
    symbols = each(marker.get("symbol"), count, "circle")
    sizes = each(marker.get("size"), count, 6.0)
    fills = each(marker.get("color"), count, within(trace, "line", "color", default=plot.ink))
    edges = each(within(marker, "line", "color"), count, "none")
    widths = each(within(marker, "line", "width"), count, 0.0)
    opacity = marker.get("opacity", trace.get("opacity", 1))
    parts = []
    for k in np.flatnonzero(np.isfinite(xs) & np.isfinite(ys)).tolist():
        fill, edge, width = str(fills[k]), str(edges[k]), float(widths[k])
        if open_symbol(symbols[k]):
            fill, edge, width = "none", fill, width or 1.0
        path = symbol_path(symbols[k], float(sizes[k]) / 2)
        parts.append(
            f'<path class="point" d="{path}" transform="translate({xs[k]:.1f},{ys[k]:.1f})" '
            f'fill="{escape(fill)}" stroke="{escape(edge)}" stroke-width="{width:g}"/>'
        )
    shade = f' opacity="{opacity:g}"' if opacity != 1 else ""
    return f"<g{shade}>{''.join(parts)}</g>"


def _words(
    trace: Mapping[str, Any], plot: Plot, xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> str:
    count = len(xs)
    said = each(trace.get("text"), count, "")
    sides = each(trace.get("textposition"), count, "middle center")
    size = float(within(trace, "textfont", "size", default=12.0))
    colours = each(within(trace, "textfont", "color"), count, plot.ink)
    reach = each(within(trace, "marker", "size"), count, 0.0) if "markers" in trace["mode"] else []
    parts = []
    for k in np.flatnonzero(np.isfinite(xs) & np.isfinite(ys)).tolist():
        height, _, side = str(sides[k]).partition(" ")
        anchor, sign = _SIDES.get(side, ("middle", 0))
        away = float(reach[k]) / 2 if reach else 0.0
        x = float(xs[k]) + sign * (away + 3)
        down = {"top": -1.0, "bottom": 1.0}.get(height, 0.0)
        y = float(ys[k]) + down * (away + 0.65 * size)
        parts.append(text(x, y, str(said[k]), size=size, colour=str(colours[k]), anchor=anchor))
    return "".join(parts)


def bars(trace: Mapping[str, Any], plot: Plot, base: NDArray[np.float64], part: float) -> str:
    """Bars, with a hatch and a word in each.

    Args:
        trace: The trace.
        plot: Where it is drawn.
        base: Where each begins, (n,), in values of the axis that it lies along.
        part: How much of its row it takes.
    """
    lying = trace.get("orientation") == "h"
    length = numbers(trace.get("x" if lying else "y"))
    rows = (plot.y if lying else plot.x).places(trace.get("y" if lying else "x"))
    along = plot.x if lying else plot.y
    begin, end = along.places(base), along.places(base + length)
    to, side = (plot.across, plot.down) if lying else (plot.down, plot.across)
    ends, edges = (to(begin), to(end)), (side(rows - part / 2), side(rows + part / 2))
    lows, highs = np.minimum(*ends), np.maximum(*ends)
    tops, bottoms = np.minimum(*edges), np.maximum(*edges)
    if not lying:
        (lows, highs), (tops, bottoms) = (tops, bottoms), (lows, highs)
    count = len(length)
    marker = trace.get("marker") or {}
    fills = each(marker.get("color"), count, "#1f77b4")
    edge = escape(str(within(marker, "line", "color", default="none")))
    width = float(within(marker, "line", "width", default=0.0))
    said = [str(word or "") for word in each(trace.get("text"), count, "")]
    size = float(within(trace, "textfont", "size", default=12.0))
    colour = str(within(trace, "textfont", "color", default=plot.ink))
    parts = []
    for k in range(min(count, len(rows))):
        x, y, w, h = lows[k], tops[k], highs[k] - lows[k], bottoms[k] - tops[k]
        if not np.isfinite([x, y, w, h]).all():
            continue
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'fill="{escape(str(fills[k]))}" stroke="{edge}" stroke-width="{width:g}"/>'
        )
        parts.append(_hatched(marker, x, y, w, h))
        if plain(said[k]) and width_of(said[k], size) <= w:
            middle = (x + w / 2, y + h / 2)
            parts.append(text(*middle, said[k], size=size, colour=colour, anchor="middle"))
    return "".join(parts)


def _hatched(marker: Mapping[str, Any], x: float, y: float, width: float, height: float) -> str:
    shape = str(within(marker, "pattern", "shape", default=""))
    if not shape or width < 1:
        return ""
    colour = escape(str(within(marker, "pattern", "fgcolor", default="#444444")))
    path = hatch(shape, width, height)
    return (  # an SVG within, which cuts off what sticks out
        f'<svg x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="0.8"/></svg>'
    )


def values_of(trace: Mapping[str, Any], letter: str) -> list[Any]:
    """What a trace puts on an axis: its values, the ends of bars and whiskers."""
    found = listed(trace.get(letter))
    if trace.get("type") == "bar" and (letter == "x") == (trace.get("orientation") == "h"):
        base = each(trace.get("base"), len(found), 0.0)
        lengths = zip(base, found, strict=True)
        return [*base, *(low + length for low, length in lengths if length is not None)]
    error = trace.get(f"error_{letter}")
    if isinstance(error, dict) and error.get("array") is not None:
        middle, up = numbers(found), numbers(error["array"])
        minus = error.get("arrayminus")
        down = up if minus is None else numbers(minus)
        return [*found, *(middle - down).tolist(), *(middle + up).tolist()]
    return found
