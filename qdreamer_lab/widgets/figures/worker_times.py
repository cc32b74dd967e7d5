"""Predicted time against width on each kind of worker, and where a GPU overtakes CPU cores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.ranking import TIE
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.widgets.figures.spec import drawer
from qdreamer_lab.widgets.figures.style import looked, message, seconds_ticks, value_axis
from qdreamer_lab.widgets.palette import look_of, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.widgets.crossover import Comparison, Kind, WidthTimes
    from qdreamer_lab.widgets.figures.spec import Spec

__all__ = ["crossings", "worker_times"]

_SHORTEST_S = 1e-6
"""Times below this are drawn here: the axis is logarithmic."""

_LOOKS = (1, 0, 2)
"""Which looks one core, all cores and a GPU have."""

_FILL = 0.13
"""Opacity of the ground where a GPU is faster."""

_LEAST_DECADES = 0.8
"""Axes of time are at least so long: with less they had one tick or none."""

_LATE = 0.6
"""Words at a boundary behind this part of the axis are written before it."""


@drawer
def worker_times(
    compared: Comparison,
    *,
    picks: Sequence[int | None] = (),
    selected: tuple[float, float] | None = None,
    recommended: tuple[float, float] | None = None,
    dark: bool = False,
) -> Spec:
    """Draw the times of one circuit by width and kind of worker.

    The ground is tinted where the GPU is faster than the most CPU cores. Lines of times
    that are nominal are dashed.

    Args:
        compared: What is drawn.
        picks: For each row, what its points carry as `customdata`; None for nothing.
        selected: Qubits and seconds of the selected plan, to be ringed.
        recommended: The same of what is recommended, to be marked with a star.
        dark: For a dark page.
    """
    rows = compared.rows
    times = [s for row in rows for s in row.seconds if math.isfinite(s)]
    times += [point[1] for point in (selected, recommended) if point is not None]
    if not times:
        return message("Nothing can be compared: no plan can run on any worker.", dark)
    picks = picks or [None] * len(rows)
    traces = [
        _line(compared, k, look, picks, dark)
        for k, look in zip(range(len(compared.kinds)), _looks(compared.kinds), strict=True)
    ]
    spans = crossings(compared)
    low, high = max(min(times), _SHORTEST_S), max(*times, _SHORTEST_S)
    across = _across(rows)
    traces += _marked(selected, "selected", dark) + _marked(recommended, "recommended", dark)
    return looked(
        traces,
        dark,
        dragmode="zoom",
        shapes=_bands(spans, across, dark),
        annotations=_words(compared, spans, across, dark),
        xaxis=value_axis(
            theme(dark), "widest fragment (qubits)", range=list(across), tickformat="d"
        ),
        yaxis=_time_axis(low, high, compared, dark),
    )


def crossings(compared: Comparison) -> list[tuple[float, float]]:
    """Where the GPU is faster than the most CPU cores, from where to where.

    Lines are straight between widths, with times as logarithms. Where one of them ends, for want of
    memory, half way to the next width counts. A span that reaches an end of the widths is infinite
    there.
    """
    if compared.pair is None:
        return []
    cores, gpu = compared.pair
    rows = compared.rows
    leads = [_lead(row.seconds[cores], row.seconds[gpu]) for row in rows]

    def between(k: int) -> float:
        """The width between rows k and k + 1 at which the lines cross."""
        one, other, first, last = leads[k], leads[k + 1], rows[k].width, rows[k + 1].width
        part = one / (one - other) if math.isfinite(one) and math.isfinite(other) else 0.5
        return first + part * (last - first)

    return [
        (
            -math.inf if first == 0 else between(first - 1),
            math.inf if last == len(rows) - 1 else between(last),
        )
        for first, last in compared.runs
    ]


def _lead(cores_s: float, gpu_s: float) -> float:
    """Logarithm of how many times as long as a tie the CPU takes; infinite if only one can run."""
    if math.isinf(cores_s) or math.isinf(gpu_s):
        return math.inf if gpu_s < cores_s else -math.inf
    return math.log(cores_s / (TIE * gpu_s))


def _looks(kinds: Sequence[Kind]) -> list[int]:
    cores = sum(not kind.gpu for kind in kinds)
    places = iter(_LOOKS[2 - cores : 2])
    return [_LOOKS[2] if kind.gpu else next(places) for kind in kinds]


def _line(
    compared: Comparison, place: int, look: int, picks: Sequence[int | None], dark: bool
) -> dict[str, Any]:
    kind, style = compared.kinds[place], look_of(look, dark)
    alone = look == _LOOKS[0]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [row.width for row in compared.rows],
        "y": [_drawn(row.seconds[place]) for row in compared.rows],
        "customdata": list(picks),
        "connectgaps": False,
        "hovertext": [_said(compared, row, place) for row in compared.rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "line": {
            "color": style.line,
            "width": 1.3 if alone else 2.2,
            "dash": "dash" if kind.nominal else "solid",
        },
        "marker": {
            "symbol": style.symbol,
            "size": 6 if alone else 9,
            "color": style.fill,
            "line": {"color": style.line, "width": 1.2},
            "opacity": 1,
        },
        "cliponaxis": False,
        "showlegend": True,
        "name": compared.titles[place],
    }


def _drawn(seconds: float) -> float | None:
    return max(seconds, _SHORTEST_S) if math.isfinite(seconds) else None


def _said(compared: Comparison, row: WidthTimes, place: int) -> str:
    low, high = map(seconds_text, row.intervals[place])
    lines = [
        f"<b>{compared.titles[place]}</b>",
        f"widest fragment {row.width} qubits",
        f"{seconds_text(row.seconds[place])} (80 % interval {low} to {high})",
    ]
    if compared.pair is not None:
        cores, gpu = (row.seconds[k] for k in compared.pair)
        if math.isfinite(cores) and math.isfinite(gpu):
            name = compared.kinds[compared.pair[0]].label
            ratio = cores / gpu
            more = "fast" if ratio > 1 else "slow"
            lines.append(f"a GPU is {max(ratio, 1 / ratio):.3g} times as {more} as {name}")
    return "<br>".join(lines)


def _across(rows: Sequence[WidthTimes]) -> tuple[float, float]:
    low, high = rows[0].width, rows[-1].width
    room = max(0.6, 0.05 * (high - low))
    return low - room, high + room


def _bands(
    spans: Sequence[tuple[float, float]], across: tuple[float, float], dark: bool
) -> list[dict[str, Any]]:
    """Tinted ground, with a line at each crossing."""
    look = look_of(_LOOKS[2], dark)
    shapes: list[dict[str, Any]] = [
        {
            "type": "rect",
            "yref": "paper",
            "x0": max(low, across[0]),
            "x1": min(high, across[1]),
            "y0": 0,
            "y1": 1,
            "fillcolor": look.fill,
            "opacity": _FILL,
            "line": {"width": 0},
            "layer": "below",
        }
        for low, high in spans
    ]
    shapes += [
        {
            "type": "line",
            "yref": "paper",
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "line": {"color": look.line, "width": 1.5, "dash": "dot"},
            "layer": "below",
        }
        for span in spans
        for x in span
        if math.isfinite(x)
    ]
    return shapes


def _marked(point: tuple[float, float] | None, name: str, dark: bool) -> list[dict[str, Any]]:
    """A mark like those in the other views of the trade-off."""
    if point is None:
        return []
    colours = theme(dark)
    ring = {"symbol": "circle-open", "size": 22, "color": colours.ink, "line": {"width": 2.5}}
    edge = {"color": colours.background, "width": 1}
    star = {"symbol": "star", "size": 15, "color": colours.accent, "line": edge, "opacity": 1}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [point[0]],
            "y": [_drawn(point[1])],
            "hoverinfo": "skip",
            "marker": ring if name == "selected" else star,
            "cliponaxis": False,
            "showlegend": True,
            "name": name,
        }
    ]


def _words(
    compared: Comparison,
    spans: Sequence[tuple[float, float]],
    across: tuple[float, float],
    dark: bool,
) -> list[dict[str, Any]]:
    """What the tinted ground means, where it is widest; if there is one, where it begins."""
    if not spans or compared.pair is None:
        return []
    begins, ends = (math.isfinite(edge) for edge in spans[0])
    once = len(spans) == 1 and begins and not ends
    said = "GPU faster" + f" from {compared.rows[compared.runs[0][0]].width} q" * once
    inside = [(max(low, across[0]), min(high, across[1])) for low, high in spans]
    low, high = max(inside, key=lambda span: span[1] - span[0])
    late = (low - across[0]) / (across[1] - across[0]) > _LATE
    return [
        {
            "text": f"<b>{said}</b>",
            "x": high if late and not once else low,
            "yref": "paper",
            "y": 1,
            "yanchor": "top",
            "xanchor": "right" if late else "left",
            "xshift": -4 if late else 4,
            "showarrow": False,
            "font": {"size": 12, "color": look_of(_LOOKS[2], dark).line},
        }
    ]


def _time_axis(low: float, high: float, compared: Comparison, dark: bool) -> dict[str, Any]:
    """A logarithmic axis, at least so long that it has some ticks."""
    middle, span = math.log10(low * high) / 2, math.log10(high / low)
    half = max(_LEAST_DECADES, span) / 2
    room = 0.08 * 2 * half
    values, names = seconds_ticks(10 ** (middle - half), 10 ** (middle + half))
    nominal = "nominal time" if compared.nominal else "predicted time"
    return value_axis(
        theme(dark),
        f"{nominal}, {compared.mode} mode",
        type="log",
        range=[middle - half - room, middle + half + 2.5 * room],
        tickvals=values,
        ticktext=names,
    )
