"""Who does what when: predicted, real, or one above the other on the same time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.predict.prediction import Prediction
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.figures.gantt import predicted, real
from qdreamer_lab.widgets.figures.spec import drawer
from qdreamer_lab.widgets.figures.style import looked, message, value_axis
from qdreamer_lab.widgets.glossary import PHASES
from qdreamer_lab.widgets.palette import look_of, theme
from qdreamer_lab.workload.picture.layout import fragment_name

if TYPE_CHECKING:
    from qdreamer_lab.widgets.figures.gantt import Bar, Gantt
    from qdreamer_lab.widgets.figures.spec import Spec

__all__ = ["timeline"]

_PATTERNS = {
    "plan": "/",
    "lower": "-",
    "transpile": "|",
    "dispatch": ".",
    "transfer": "+",
    "contract": "x",
}
"""How phases other than running fragments are filled."""

_LEGEND = 8
"""Up to so many fragments are in the legend."""

_NARROW = 0.02
"""Bars that take less of the width have no letter."""

_ORDER = tuple(PHASES)


@drawer
def timeline(what: Any, *, workers: int | None = None, dark: bool = False) -> Spec:
    """Draw a timeline.

    Args:
        what: A `Prediction`, a `PubResult` of a `CutEstimator` (or anything with such `metadata`),
            or a pair of both, either of which may be None.
        workers: How many share the predicted work; those of the prediction by default.
        dark: For a dark page.

    Raises:
        QDreamerError: If it is something else.
    """
    charts = [_chart(part, workers) for part in _parts(what)]
    charts = [each for each in charts if each.bars]
    if not charts:
        return message("Nothing was predicted or run yet.", dark)
    total = max(chart.seconds for chart in charts)
    unit, name = _unit(total)
    spans = _spans(charts)
    traces, axes, notes = [], {}, []
    for number, (chart, span) in enumerate(zip(charts, spans, strict=True)):
        axis = "y" if number == 0 else f"y{number + 1}"
        traces += _bars(chart, _Scale(axis, unit, total), dark)
        axes[f"yaxis{number + 1 if number else ''}"] = _rows(chart, span, dark)
        notes.append(_heading(chart, span[1], dark))
    across = value_axis(
        theme(dark),
        f"time ({name})",
        range=[0, 1.02 * total / unit],
        anchor="y" if len(charts) == 1 else "y2",
        minallowed=0,
    )
    return looked(
        _once(traces),
        dark,
        xaxis=across,
        annotations=notes,
        barmode="overlay",
        bargap=0.12,
        dragmode="pan",
        **axes,
    )


def _parts(what: Any) -> list[Any]:
    parts = list(what) if isinstance(what, (tuple, list)) else [what]
    return [part for part in parts if part is not None]


def _chart(what: Any, workers: int | None) -> Gantt:
    if isinstance(what, Prediction):
        return predicted(what, workers)
    if isinstance(getattr(what, "metadata", None), dict):
        return real(what)
    raise QDreamerError(
        f"a timeline shows a Prediction, the PubResult of a CutEstimator, or a pair of them, not "
        f"{type(what).__name__}"
    )


def _unit(total: float) -> tuple[float, str]:
    """What to count time in."""
    return (1.0, "s") if total >= 1 else (1e-3, "ms") if total >= 1e-3 else (1e-6, "µs")


def _spans(charts: list[Gantt]) -> list[tuple[float, float]]:
    """Which part of the height each chart gets, by its number of rows."""
    if len(charts) == 1:
        return [(0.0, 0.93)]
    first = len(charts[0].rows) + 1
    share = first / (first + len(charts[1].rows) + 1)
    share = min(0.7, max(0.3, share))
    return [(1 - share + 0.02, 0.93), (0.0, 1 - share - 0.1)]


def _rows(chart: Gantt, span: tuple[float, float], dark: bool) -> dict[str, Any]:
    return {
        "domain": list(span),
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(chart.rows),
        "range": [len(chart.rows) - 0.45, -0.55],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "ticklabelstandoff": 6,
        "tickfont": {"size": 12, "color": theme(dark).ink},
        "fixedrange": True,
    }


def _heading(chart: Gantt, top: float, dark: bool) -> dict[str, Any]:
    return {
        "text": chart.title,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "xanchor": "left",
        "y": top,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13, "color": theme(dark).ink},
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where bars go: the axis of their rows, seconds per unit of time, and in all."""

    axis: str
    unit: float
    total: float


def _bars(chart: Gantt, scale: _Scale, dark: bool) -> list[dict[str, Any]]:
    """One trace for each phase, and one for each fragment that is run."""
    kinds: dict[tuple[str, int], list[Bar]] = {}
    for bar in sorted(chart.bars, key=lambda bar: (_ORDER.index(bar.phase), bar.fragment)):
        kinds.setdefault((bar.phase, bar.fragment), []).append(bar)
    many = len({fragment for _, fragment in kinds if fragment >= 0}) > _LEGEND
    return [
        _trace(phase, fragment, bars, scale, dark) | {"showlegend": fragment < 0 or not many}
        for (phase, fragment), bars in kinds.items()
    ]


def _trace(phase: str, fragment: int, bars: list[Bar], scale: _Scale, dark: bool) -> dict[str, Any]:
    colours = theme(dark)
    look = look_of(fragment, dark)
    name = PHASES[phase] if fragment < 0 else f"execution of {fragment_name(fragment)}"
    letter = fragment_name(fragment) if fragment >= 0 else ""
    marker: dict[str, Any] = {"color": look.fill, "line": {"color": look.line, "width": 1}}
    if fragment < 0:
        marker["color"] = colours.background
        marker["pattern"] = {
            "shape": _PATTERNS.get(phase, ""),
            "fgcolor": colours.muted,
            "bgcolor": colours.background,
            "size": 6,
            "solidity": 0.35,
        }
    return {
        "type": "bar",
        "orientation": "h",
        "yaxis": scale.axis,
        "x": [bar.seconds / scale.unit for bar in bars],
        "base": [bar.start / scale.unit for bar in bars],
        "y": [bar.row for bar in bars],
        "text": [letter if bar.seconds >= _NARROW * scale.total else "" for bar in bars],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"size": 12, "color": look.text},
        "marker": marker,
        "hovertext": [_said(bar, name) for bar in bars],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "legendgroup": name,
        "name": name,
    }


def _said(bar: Bar, name: str) -> str:
    begin, end = seconds_text(bar.start), seconds_text(bar.start + bar.seconds)
    more = f"<br>{bar.said}" if bar.said else ""
    return f"<b>{name}</b> on {bar.row}: {seconds_text(bar.seconds)}<br>{begin} to {end}{more}"


def _once(traces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only the first trace of a name is in the legend."""
    seen: set[str] = set()
    out = []
    for trace in traces:
        out.append(trace | {"showlegend": trace["showlegend"] and trace["name"] not in seen})
        seen.add(trace["name"])
    return out
