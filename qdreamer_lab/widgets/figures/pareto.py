"""The trade-off: what each way to run takes, against what it costs in shots or in qubits."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.figures.hover_text import count_text
from qdreamer_lab.widgets.figures.label_placement import AREAS, Box, Layout, Word, sides
from qdreamer_lab.widgets.figures.spec import drawer
from qdreamer_lab.widgets.figures.style import (
    bits_axis,
    looked,
    message,
    seconds_ticks,
    value_axis,
)
from qdreamer_lab.widgets.figures.tradeoff_points import front, points_of
from qdreamer_lab.widgets.palette import look_of_kind, theme

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.widgets.figures.spec import Spec
    from qdreamer_lab.widgets.figures.tradeoff_points import Point
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["pareto"]

_MUCH_SLOWER = 1e4
"""Candidates that take so many times as long as the fastest lie outside at first."""

_MARK, _CHOSEN = 7.0, 13.0
"""Pixels that a marker takes to each side, and one with a ring around it."""

_AGAINST = ("overhead", "width")


@drawer
def pareto(
    candidates: Sequence[Prediction] | Sequence[CutPlan],
    *,
    against: str = "overhead",
    selected: int | None = None,
    recommended: int | None = None,
    pinned: Sequence[int] = (),
    dark: bool = False,
) -> Spec:
    """Draw the trade-off between candidates.

    Predictions are drawn by predicted time with its 80 % interval, plans by sampling overhead. The
    line joins the candidates that no other one beats in both directions, a dashed one is at the
    fastest run without cuts. Points carry the index of their candidate as `customdata`.

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
    near = _near(points, chosen)
    away = len(points) - len(near)
    axes = _timed_axes(near, against, away, dark) if timed else _plan_axes(points, dark)
    traces = [
        *(_uncut(points, axes["xaxis"]["range"], dark) if timed else []),
        _front(points, dark),
        *_candidates(points, dark),
        *_ring(points, selected, dark),
        *_pins(points, pinned, dark),
        *_star(points, recommended, dark),
    ]
    by_width = timed and against == "width"
    words = _words(points, by_width, selected, recommended)
    notes = _written(points, words, axes, {selected, recommended, *pinned}, dark)
    return looked(traces, dark, dragmode="zoom", annotations=notes, **axes)


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
    for kind in dict.fromkeys(point.kind for point in points):
        mine = [k for k, point in enumerate(points) if point.kind == kind]
        look = look_of_kind(kind, dark)
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers",
            "x": [points[k].x for k in mine],
            "y": [points[k].y for k in mine],
            "customdata": mine,
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


def _words(
    points: list[Point], by_width: bool, selected: int | None, recommended: int | None
) -> dict[int, str]:
    """What is written beside points, what matters most first: what the axes do not say."""
    first = [k for k in (recommended, selected) if k is not None]
    words: dict[int, str] = {}
    seen = set()
    for k in dict.fromkeys([*first, *front(points), *range(len(points))]):
        point = points[k]
        text = _cuts_text(point.cuts) if by_width else f"{point.width} q"
        place = (point.x, point.y, text)
        if k == recommended:
            text = f"<b>recommended</b>, {text}"
        elif place in seen:
            continue
        words[k] = text
        seen.add(place)
    return words


def _cuts_text(cuts: int) -> str:
    return count_text(cuts, "cut") if cuts else "uncut"


def _written(
    points: list[Point],
    words: dict[int, str],
    axes: dict[str, Any],
    chosen: Container[int | None],
    dark: bool,
) -> list[dict[str, Any]]:
    """Words as annotations, where they lie across nothing."""
    heights = [_height(point) for point in points]
    places = [
        (_part(point.x, axes["xaxis"]), _part(high, axes["yaxis"]))
        for point, high in zip(points, heights, strict=True)
    ]
    inside = [k for k in words if 0 <= places[k][0] <= 1 and 0 <= places[k][1] <= 1]
    layouts = []
    for area in AREAS:
        spots = [(area[0] * x, area[1] * y) for x, y in places]
        asked = [
            Word(
                *spots[k],
                letters=len(words[k].replace("<b>", "").replace("</b>", "")),
                gap=_CHOSEN if k in chosen else _MARK + 2,
                must=words[k].startswith("<b>"),
            )
            for k in inside
        ]
        layouts.append(Layout(area, asked, _taken(points, spots, area, axes["yaxis"])))
    colours = theme(dark)
    return [
        {
            "text": words[k],
            "x": points[k].x,
            "y": heights[k],
            "xanchor": side.xanchor,
            "xshift": side.xshift,
            "yshift": side.yshift,
            "showarrow": False,
            "font": {"size": 11, "color": colours.accent if word.must else colours.muted},
        }
        for k, word, side in zip(inside, layouts[0].words, sides(layouts), strict=True)
        if side is not None
    ]


def _taken(
    points: list[Point],
    spots: list[tuple[float, float]],
    area: tuple[float, float],
    axis: dict[str, Any],
) -> list[Box]:
    """What markers, error bars and lines take in axes of that size."""
    taken = [Box(x - _MARK, x + _MARK, y - _MARK, y + _MARK) for x, y in spots]
    for point, (x, _) in zip(points, spots, strict=True):
        if point.interval is not None:
            low, high = (area[1] * _part(math.log10(end), axis) for end in point.interval)
            taken.append(Box(x - 3, x + 3, low, high))
    return taken + _lines(points, spots, area[0])


def _lines(points: list[Point], spots: list[tuple[float, float]], wide: float) -> list[Box]:
    """What the lines of the front and of the uncut run take."""
    best = [spots[k] for k in front(points)]
    boxes = [Box(0.0, wide, y - 2, y + 2) for y in _uncut_height(points, spots)]
    for (x, y), (after, below) in pairwise(best):
        boxes += [Box(x, after, y - 1, y + 1), Box(after - 1, after + 1, below, y)]
    return boxes


def _uncut_height(points: list[Point], spots: list[tuple[float, float]]) -> list[float]:
    whole = [y for point, (_, y) in zip(points, spots, strict=True) if not point.cuts]
    return [min(whole)] if whole and points[0].interval is not None else []


def _height(point: Point) -> float:
    """Where a point is on its axis, in the axis' own units."""
    return point.y if point.interval is None else math.log10(point.y)


def _part(value: float, axis: dict[str, Any]) -> float:
    low, high = axis["range"]
    return float((value - low) / (high - low))


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
        "showlegend": name == "pinned",
        "name": name,
    }


def _uncut(points: list[Point], across: Sequence[float], dark: bool) -> list[dict[str, Any]]:
    """A dashed line at the fastest run without cuts; the legend says how long that takes."""
    whole = [point for point in points if not point.cuts]
    if not whole:
        return []
    best = min(whole, key=lambda point: point.y)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(across),
            "y": [best.y, best.y],
            "line": {"color": theme(dark).ink, "width": 1.2, "dash": "dash"},
            "hoverinfo": "skip",
            "showlegend": True,
            "legendrank": 2000,
            "name": f"uncut: {seconds_text(best.y)}",
        }
    ]


def _near(points: list[Point], chosen: Sequence[int]) -> list[Point]:
    """Candidates that the axes reach to: hopeless ones would push the others together."""
    if points[0].interval is None:
        return points
    most = _MUCH_SLOWER * min(point.y for point in points)
    return [point for k, point in enumerate(points) if point.y <= most or k in chosen]


def _timed_axes(points: list[Point], against: str, away: int, dark: bool) -> dict[str, Any]:
    """Both axes.

    Args:
        points: That they reach to.
        against: What is on the horizontal axis.
        away: How many more there are, further up.
        dark: For a dark page.
    """
    colours = theme(dark)
    low = min(point.interval[0] if point.interval else point.y for point in points)
    high = max(point.interval[1] if point.interval else point.y for point in points)
    values, names = seconds_ticks(low, high)
    room = 0.08 * max(0.6, math.log10(high / low))
    time = value_axis(
        colours,
        "predicted time",
        type="log",
        range=[math.log10(low) - room, math.log10(high) + 2 * room],
        tickvals=values,
        ticktext=names,
    )
    across = [point.x for point in points]
    if against == "overhead":
        axis = bits_axis(colours, across, "sampling overhead")
    else:
        axis = _width_axis(across, dark)
    if away:
        ways = "way" if away == 1 else "ways"
        small = f"double-click to see {away} much slower {ways}"
        axis["title"]["text"] += f'<br><span style="font-size:11px">{small}</span>'
    return {"xaxis": axis, "yaxis": time}


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
