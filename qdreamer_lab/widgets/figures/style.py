"""The look that all figures share: fonts, margins, axes, legends, hover labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.widgets.figures.spec import figure_of_spec
from qdreamer_lab.widgets.palette import theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from qdreamer_lab.widgets.figures.spec import Spec
    from qdreamer_lab.widgets.palette import Theme

__all__ = [
    "FONT",
    "bare_axis",
    "bits_axis",
    "figure",
    "looked",
    "message",
    "seconds_ticks",
    "value_axis",
]

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
"""What the system has; nothing is fetched."""

_SMALL = 12
"""Pixels of text other than axis titles."""


def figure(traces: Sequence[dict[str, Any]], dark: bool, **layout: Any) -> go.Figure:
    """A plotly figure of traces in the common look; arguments are those of `looked`."""
    return figure_of_spec(looked(traces, dark, **layout))


def looked(traces: Sequence[dict[str, Any]], dark: bool, **layout: Any) -> Spec:
    """A figure of traces in the common look, as plain data.

    Args:
        traces: As plotly takes them, in the order in which they are drawn.
        dark: For a dark page.
        **layout: What is special to this figure; it goes before the common look.
    """
    colours = theme(dark)
    common: dict[str, Any] = {
        "autosize": True,
        "paper_bgcolor": colours.background,
        "plot_bgcolor": colours.background,
        "font": {"family": FONT, "size": _SMALL, "color": colours.ink},
        "margin": {"l": 16, "r": 16, "t": 16, "b": 16, "pad": 0},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": colours.background,
            "bordercolor": colours.muted,
            "font": {"family": FONT, "size": 13, "color": colours.ink},
            "align": "left",
            "namelength": 0,
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.01,
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
            "itemsizing": "trace",
            "font": {"size": _SMALL, "color": colours.ink},
        },
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": colours.muted,
            "activecolor": colours.ink,
            "orientation": "v",
            "remove": ["sendChartToCloud"],  # nothing is offered to anybody's cloud
        },
    }
    return {"data": list(traces), "layout": {**common, **layout}}


def message(text: str, dark: bool) -> Spec:
    """A figure that only says why there is nothing to see."""
    note = {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
        "font": {"size": 15, "color": theme(dark).muted},
    }
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    return looked([], dark, annotations=[note], xaxis=hidden, yaxis=hidden)


def value_axis(colours: Theme, title: str, **more: Any) -> dict[str, Any]:
    """An axis with numbers."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 13}},
        "automargin": True,
        "showline": True,
        "linecolor": colours.muted,
        "linewidth": 1,
        "gridcolor": colours.grid,
        "gridwidth": 1,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": colours.muted,
        **more,
    }


def bare_axis(**more: Any) -> dict[str, Any]:
    """An axis that only holds places."""
    return {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "showticklabels": False,
        "ticks": "",
        **more,
    }


def bits_axis(colours: Theme, values: Sequence[float], title: str) -> dict[str, Any]:
    """An axis of bits whose ticks read as powers of two."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    room = max(0.6, 0.06 * (high - low))
    return value_axis(
        colours,
        title,
        range=[low - 1.5 * room, high + 1.6 * room],
        tickprefix="2<sup>",
        ticksuffix="</sup>",
        nticks=9,
    )


_MINUTES_S = 110.0
"""From here on times are given in minutes elsewhere, in which decades are not round."""

_MOST_DECADES = 7
"""Axes of more powers of ten leave some out."""


def seconds_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Ticks of a logarithmic axis of times, with units that suit them.

    Args:
        low: Shortest time, in seconds, above zero.
        high: Longest.
    """
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 1.5 else (1, 3) if decades < 3.5 else (1,)
    values = []
    apart = 1 if decades < _MOST_DECADES else 2 if decades < 2 * _MOST_DECADES else 3
    first = (math.floor(math.log10(low)) - 1) // apart * apart
    for power in range(first, math.ceil(math.log10(high)) + 2, apart):
        values += [step * 10.0**power for step in steps]
    return values, [_tick_text(value) for value in values]


def _tick_text(seconds: float) -> str:
    """A time at a tick: in seconds and parts of them, or as a power of ten of seconds."""
    if seconds < _MINUTES_S:
        return seconds_text(seconds)
    if seconds < 9e3:
        return f"{seconds:,.5g} s"
    power = math.floor(math.log10(seconds) + 1e-9)
    first = seconds / 10.0**power
    times = "" if round(first) == 1 else f"{first:.0f} · "
    return f"{times}10<sup>{power}</sup> s"
