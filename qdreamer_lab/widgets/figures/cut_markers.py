"""The marks of cuts, the same in all figures: a cross for a gate cut, a diamond for a wire cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdreamer_lab.widgets.figures.hover_text import cut_text
from qdreamer_lab.widgets.palette import theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workload.cut.cuts import GateCut, WireCut

__all__ = ["cut_traces", "gate_mark", "wire_mark"]


def gate_mark(dark: bool, size: float = 9) -> dict[str, Any]:
    """The marker of a gate cut."""
    colours = theme(dark)
    return {
        "symbol": "x",
        "size": size,
        "color": colours.ink,
        "line": {"color": colours.background, "width": 1},
        "opacity": 1,
    }


def wire_mark(dark: bool, size: float = 9) -> dict[str, Any]:
    """The marker of a wire cut."""
    colours = theme(dark)
    return {
        "symbol": "diamond",
        "size": size + 1,
        "color": colours.background,
        "line": {"color": colours.ink, "width": 2},
        "opacity": 1,
    }


def cut_traces(
    gate_places: Sequence[tuple[float, float]],
    gates: Sequence[GateCut],
    wire_places: Sequence[tuple[float, float]],
    wires: Sequence[WireCut],
    dark: bool,
    *,
    size: float = 9,
) -> list[dict[str, Any]]:
    """A trace for each kind of cut that there is, with a place for each cut."""
    traces = []
    for name, places, cuts, mark in (
        ("gate cuts", gate_places, gates, gate_mark(dark, size)),
        ("wire cuts", wire_places, wires, wire_mark(dark, size)),
    ):
        if cuts:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [x for x, _ in places],
                    "y": [y for _, y in places],
                    "marker": mark,
                    "text": [cut_text(cut) for cut in cuts],
                    "hovertemplate": "%{text}<extra></extra>",
                    "legendgroup": name,
                    "showlegend": True,
                    "name": name[:-1],
                }
            )
    return traces
