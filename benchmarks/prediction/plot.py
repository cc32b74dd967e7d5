"""The plot: predicted against measured seconds, one point a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.prediction.scores import Guess

COLOURS = {"exact": "#0072B2", "sampled": "#D55E00"}
SYMBOLS = {True: "square", False: "circle"}


def write_plot(rows_path: Path, tested: list[Guess], fitted: list[Guess]) -> str:
    """Write the plot beside the rows.

    Returns:
        Where it is: HTML, and PNG too where kaleido can make one.
    """
    figure = plot(tested, fitted)
    path = rows_path.with_suffix(".html")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(path, include_plotlyjs=True)
    try:
        figure.write_image(path.with_suffix(".png"), width=800, height=700)
    except (ImportError, ValueError, RuntimeError):  # no kaleido, or no browser for it
        return str(path)
    return f"{path} and {path.with_suffix('.png')}"


def plot(tested: list[Guess], fitted: list[Guess]) -> go.Figure:
    """Points with their intervals; those used for fitting are pale."""
    figure = go.Figure()
    for half, guesses, opacity in (("fitting", fitted, 0.25), ("testing", tested, 0.9)):
        for mode, colour in COLOURS.items():
            for uncut, symbol in SYMBOLS.items():
                some = [g for g in guesses if g.row.mode == mode and g.row.uncut == uncut]
                if some:
                    name = f"{mode}, {'uncut' if uncut else 'cut'} ({half})"
                    look = {"color": colour, "symbol": symbol, "opacity": opacity}
                    figure.add_trace(points(some, name, look, bars=half == "testing"))
    values = [s for g in (*tested, *fitted) for s in (g.seconds, g.row.seconds)]
    ends = [min(values) / 1.5, max(values) * 1.5]
    line = {"color": "grey", "dash": "dot"}
    figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line=line, name="equal"))
    figure.update_layout(
        title="Makespan, predicted against measured",
        xaxis={"type": "log", "title": "measured, s"},
        yaxis={"type": "log", "title": "predicted, s (80 % interval)"},
        template="plotly_white",
    )
    return figure


def points(guesses: list[Guess], name: str, look: dict[str, Any], *, bars: bool) -> go.Scatter:
    """One kind of rows."""
    return go.Scatter(
        x=[g.row.seconds for g in guesses],
        y=[g.seconds for g in guesses],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [g.high - g.seconds for g in guesses],
            "arrayminus": [g.seconds - g.low for g in guesses],
            "thickness": 0.7,
            "width": 0,
            "visible": bars,
        },
        mode="markers",
        marker=look,
        name=name,
        text=[
            f"{g.row.job}, width {g.row.width}, {g.row.workers} x {g.row.cores} core(s)"
            for g in guesses
        ],
    )
