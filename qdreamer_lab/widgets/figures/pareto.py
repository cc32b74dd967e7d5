"""The trade-off: what each way to run takes, against what it costs in shots or in qubits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.figures.label_placement import best_side, line_side, uncrowded
from qdreamer_lab.widgets.figures.style import (
    bits_axis,
    figure,
    message,
    seconds_ticks,
    value_axis,
)
from qdreamer_lab.widgets.figures.tradeoff_points import front, points_of
from qdreamer_lab.widgets.palette import look_of, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.widgets.figures.tradeoff_points import Point
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["pareto"]

_LABELLED = 14
"""Up to so many candidates have their width written beside them."""

_MUCH_SLOWER = 1e4
"""Candidates that take so many times as long as the fastest lie outside at first."""

_AGAINST = ("overhead", "width")


def pareto(
    candidates: Sequence[Prediction] | Sequence[CutPlan],
    *,
    against: str = "overhead",
    selected: int | None = None,
    recommended: int | None = None,
    pinned: Sequence[int] = (),
    dark: bool = False,
) -> go.Figure:
    """Draw the trade-off between candidates.

    Predictions are drawn by predicted time with its 80 % interval, plans by sampling overhead. The
    line joins the candidates that no other one beats in both directions. Points carry the index of
    their candidate as `customdata`.

    Args:
        candidates: All predictions or all plans; there may be several of one width.
        against: "overhead" or "width", on the horizontal axis; plans are always drawn against
            width.
        selected: Index of the candidate to ring.
        recommended: Index of the candidate to mark with a star.
        pinned: Indices of candidates to mark as kept for comparison.
        dark: For a dark page.

    Raises:
        QDreamerError: If `against` is neither, or an index is not one of a candidate.
    """
    if against not in _AGAINST:
        raise QDreamerError(f'against must be "overhead" or "width", got {against!r}')
    chosen = [k for k in (selected, recommended, *pinned) if k is not None]
    for wrong in [k for k in chosen if not 0 <= k < len(candidates)][:1]:
        raise QDreamerError(f"there is no candidate {wrong}: there are {len(candidates)}")
    if not candidates:
        return message("No candidate keeps within the limits: relax one of them.", dark)
    points = points_of(candidates, against)
    timed = points[0].interval is not None
    traces = [
        _front(points, dark),
        *_candidates(points, dark),
        *_ring(points, selected, dark),
        *_pins(points, pinned, dark),
        *_star(points, recommended, dark),
    ]
    near = _near(points, chosen) if timed else points
    axes = _timed_axes(near, against, dark) if timed else _plan_axes(points, dark)
    shapes, notes = _uncut(points, dark) if timed else ([], [])
    notes += _praise(points, recommended, dark)
    if len(near) < len(points):
        notes.append(_outside(len(points) - len(near), dark))
    return figure(traces, dark, dragmode="zoom", shapes=shapes, annotations=notes, **axes)


def _front(points: list[Point], dark: bool) -> dict[str, Any]:
    """What is to be had at best, as steps."""
    best = front(points)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [points[k].x for k in best],
        "y": [points[k].y for k in best],
        "line": {"color": theme(dark).muted, "width": 1.5, "shape": "hv"},
        "hoverinfo": "skip",
        "showlegend": len(best) > 1,
        "name": "Pareto front",
    }


def _candidates(points: list[Point], dark: bool) -> list[dict[str, Any]]:
    """One trace per kind, with a marker and a colour of its own."""
    traces = []
    kinds = list(dict.fromkeys(point.kind for point in points))
    labelled = len(points) <= _LABELLED
    names = uncrowded(points, _names(points))
    for place, kind in enumerate(kinds):
        mine = [k for k, point in enumerate(points) if point.kind == kind]
        look = look_of(place, dark)
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers+text" if labelled else "markers",
            "x": [points[k].x for k in mine],
            "y": [points[k].y for k in mine],
            "customdata": mine,
            "text": [names[k] for k in mine],
            "textposition": "bottom right",
            "textfont": {"size": 11, "color": theme(dark).muted},
            "hovertext": [points[k].said for k in mine],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "marker": {
                "symbol": look.symbol,
                "size": 11,
                "color": look.fill,
                "line": {"color": look.line, "width": 1.5},
                "opacity": 1,
            },
            "cliponaxis": False,
            "showlegend": True,
            "name": kind,
        }
        if points[0].interval is not None:
            trace["error_y"] = _intervals([points[k] for k in mine], look.line)
        traces.append(trace)
    return traces


def _names(points: list[Point]) -> list[str]:
    """The width of each, once for those in one place."""
    seen: set[tuple[float, float, int]] = set()
    names = []
    for point in points:
        place = (point.x, point.y, point.width)
        names.append("" if place in seen else f"\N{EM SPACE}{point.width} q")
        seen.add(place)
    return names


def _intervals(points: list[Point], colour: str) -> dict[str, Any]:
    pairs = [(point.y, point.interval or (point.y, point.y)) for point in points]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - y for y, (_, high) in pairs],
        "arrayminus": [y - low for y, (low, _) in pairs],
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }


def _ring(points: list[Point], selected: int | None, dark: bool) -> list[dict[str, Any]]:
    if selected is None:
        return []
    mark = {"symbol": "circle-open", "size": 22, "color": theme(dark).ink, "line": {"width": 2.5}}
    return [_marked(points, [selected], "selected", mark)]


def _pins(points: list[Point], pinned: Sequence[int], dark: bool) -> list[dict[str, Any]]:
    if not pinned:
        return []
    mark = {"symbol": "square-open", "size": 22, "color": theme(dark).ink, "line": {"width": 1.5}}
    return [_marked(points, list(pinned), "pinned", mark)]


def _star(points: list[Point], recommended: int | None, dark: bool) -> list[dict[str, Any]]:
    if recommended is None:
        return []
    colours = theme(dark)
    mark = {
        "symbol": "star",
        "size": 15,
        "color": colours.accent,
        "line": {"color": colours.background, "width": 1},
        "opacity": 1,
    }
    return [_marked(points, [recommended], "recommended", mark)]


def _praise(points: list[Point], recommended: int | None, dark: bool) -> list[dict[str, Any]]:
    """The word beside the star."""
    if recommended is None:
        return []
    point, side = points[recommended], best_side(points, recommended)
    return [
        {
            "text": "<b>recommended</b>",
            "x": point.x,
            "y": point.y if point.interval is None else math.log10(point.y),
            "xanchor": side.xanchor,
            "xshift": side.xshift,
            "yshift": side.yshift,
            "showarrow": False,
            "font": {"size": 12, "color": theme(dark).accent},
        }
    ]


def _marked(
    points: list[Point], which: list[int], name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    """Points that are marked once more; they can be clicked like the others."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [points[k].x for k in which],
        "y": [points[k].y for k in which],
        "customdata": which,
        "hovertext": [points[k].said for k in which],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": marker,
        "cliponaxis": False,
        "showlegend": True,
        "name": name,
    }


def _uncut(points: list[Point], dark: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A dashed line at the fastest run without cuts, and its label."""
    whole = [point for point in points if not point.cut]
    if not whole:
        return [], []
    best = min(whole, key=lambda point: point.y)
    colours = theme(dark)
    side = line_side(points, points.index(best))
    line = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": best.y,
        "y1": best.y,
        "line": {"color": colours.ink, "width": 1.2, "dash": "dash"},
        "layer": "below",
    }
    label = {
        "text": f"uncut, {best.kind}: {seconds_text(best.y)}",
        "xref": "paper",
        "x": 0.01 if side.xanchor == "left" else 1,
        "xanchor": side.xanchor,
        "y": math.log10(best.y),
        "yanchor": "bottom" if side.yshift > 0 else "top",
        "showarrow": False,
        "font": {"size": 12, "color": colours.ink},
    }
    return [line], [label]


def _near(points: list[Point], chosen: Sequence[int]) -> list[Point]:
    """Candidates that the axes reach to: hopeless ones would push the others together."""
    most = _MUCH_SLOWER * min(point.y for point in points)
    return [point for k, point in enumerate(points) if point.y <= most or k in chosen]


def _outside(count: int, dark: bool) -> dict[str, Any]:
    ways = "way" if count == 1 else "ways"
    return {
        "text": f"double-click to see {count} much slower {ways}",
        "xref": "paper",
        "yref": "paper",
        "x": 1,
        "y": 1,
        "xanchor": "right",
        "yanchor": "top",
        "showarrow": False,
        "font": {"size": 11, "color": theme(dark).muted},
    }


def _timed_axes(points: list[Point], against: str, dark: bool) -> dict[str, Any]:
    colours = theme(dark)
    low = min(point.interval[0] if point.interval else point.y for point in points)
    high = max(point.interval[1] if point.interval else point.y for point in points)
    values, names = seconds_ticks(low, high)
    room = 0.08 * max(0.6, math.log10(high / low))
    time = value_axis(
        colours,
        "predicted time (80 % interval)",
        type="log",
        range=[math.log10(low) - room, math.log10(high) + 2 * room],
        tickvals=values,
        ticktext=names,
    )
    across = [point.x for point in points]
    if against == "overhead":
        return {"xaxis": bits_axis(colours, across, "sampling overhead"), "yaxis": time}
    return {"xaxis": _width_axis(across, dark), "yaxis": time}


def _plan_axes(points: list[Point], dark: bool) -> dict[str, Any]:
    bits = bits_axis(theme(dark), [point.y for point in points], "sampling overhead")
    return {"xaxis": _width_axis([point.x for point in points], dark), "yaxis": bits}


def _width_axis(widths: list[float], dark: bool) -> dict[str, Any]:
    low, high = min(widths), max(widths)
    room = max(1.0, 0.07 * (high - low))
    return value_axis(
        theme(dark),
        "widest fragment (qubits)",
        range=[low - room, high + 1.5 * room],
        tickformat="d",
    )
