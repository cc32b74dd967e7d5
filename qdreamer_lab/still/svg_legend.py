"""The legend of a figure as SVG: rows of samples with names, above the plot."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from qdreamer_lab.still.reading import each, within
from qdreamer_lab.still.svg_marks import dashes, hatch, open_symbol, symbol_path
from qdreamer_lab.still.svg_text import text, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ROW", "Entry", "drawn", "entries", "rows"]

ROW = 20.0
"""Pixels from row to row."""

_SAMPLE, _GAP = 26.0, 18.0
"""Pixels of a sample, and between two entries."""


@dataclass(frozen=True)
class Entry:
    """A name in the legend, and the trace that it names."""

    name: str
    trace: Mapping[str, Any]


def entries(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> list[Entry]:
    """What is in the legend, in its order; names that come again are said once."""
    alone = sum(trace.get("showlegend") is not False for trace in traces) == 1
    asked = any(trace.get("showlegend") for trace in traces)
    if layout.get("showlegend") is False or (alone and not asked):
        return []
    shown = [t for t in traces if t.get("showlegend") is not False and t.get("name")]
    shown.sort(key=lambda trace: float(trace.get("legendrank", 1000)))
    by_name = {str(trace["name"]): trace for trace in reversed(shown)}
    return [Entry(name, by_name[name]) for name in dict.fromkeys(str(t["name"]) for t in shown)]


def rows(found: Sequence[Entry], width: float, size: float) -> list[list[tuple[float, Entry]]]:
    """Entries in rows that are not wider than so many pixels, each with its distance from left."""
    made: list[list[tuple[float, Entry]]] = []
    x = 0.0
    for entry in found:
        needed = _SAMPLE + width_of(entry.name, size)
        if not made or (made[-1] and x + needed > width):
            made.append([])
            x = 0.0
        made[-1].append((x, entry))
        x += needed + _GAP
    return made


def drawn(
    made: Sequence[Sequence[tuple[float, Entry]]], left: float, top: float, size: float, ink: str
) -> str:
    """Rows of entries whose upper left corner is there."""
    parts = []
    for number, row in enumerate(made):
        y = top + ROW * (number + 0.5)
        for x, entry in row:
            parts.append(_sample(entry.trace, left + x, y, ink))
            parts.append(text(left + x + _SAMPLE, y, entry.name, size=size, colour=ink))
    return f'<g class="legend">{"".join(parts)}</g>'


def _sample(trace: Mapping[str, Any], x: float, y: float, ink: str) -> str:
    """What a trace looks like."""
    marker = trace.get("marker") or {}
    usual = within(trace, "line", "color", default=ink)
    fill = escape(str(_first(marker.get("color"), usual)))
    edge = escape(str(_first(within(marker, "line", "color"), "none")))
    width = float(_first(within(marker, "line", "width"), 0.0))
    if trace.get("type") == "bar":
        pattern = marker.get("pattern") or {}
        path = hatch(str(pattern.get("shape", "")), 12.0, 12.0)
        colour = escape(str(pattern.get("fgcolor", "#444444")))
        return (
            f'<rect x="{x + 5:.1f}" y="{y - 6:.1f}" width="12" height="12" fill="{fill}" '
            f'stroke="{edge}" stroke-width="{width:g}"/><svg x="{x + 5:.1f}" y="{y - 6:.1f}" '
            f'width="12" height="12"><path d="{path}" fill="none" stroke="{colour}"/></svg>'
        )
    mode, parts = str(trace.get("mode", "lines+markers")), []
    line = trace.get("line") or {}
    stroke, thick = escape(str(line.get("color", ink))), float(line.get("width", 2.0))
    if trace.get("fill") == "toself":
        inner = escape(str(trace.get("fillcolor", "none")))
        outline = stroke if "lines" in mode else "none"
        return (
            f'<rect x="{x + 3:.1f}" y="{y - 5:.1f}" width="16" height="10" fill="{inner}" '
            f'stroke="{outline}" stroke-width="{thick:g}"/>'
        )
    if "lines" in mode:
        parts.append(
            f'<path d="M{x:.1f},{y:.1f}h22" fill="none" stroke="{stroke}" '
            f'stroke-width="{thick:g}"{dashes(line.get("dash"), thick)}/>'
        )
    if "markers" in mode:
        symbol = _first(marker.get("symbol"), "circle")
        if open_symbol(symbol):
            fill, edge, width = "none", fill, width or 1.0
        radius = min(7.0, float(each(marker.get("size"), 1, 6.0)[0]) / 2)
        parts.append(
            f'<path d="{symbol_path(symbol, radius)}" '
            f'transform="translate({x + 11:.1f},{y:.1f})" fill="{fill}" stroke="{edge}" '
            f'stroke-width="{width:g}"/>'
        )
    return "".join(parts)


def _first(value: Any, default: Any) -> Any:
    return each(value, 1, default)[0]
