"""The plot: the three observables of figure 3 over the angle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.utility.experiment import OBSERVABLES

if TYPE_CHECKING:
    from pathlib import Path


def write_plot(path: Path, angles: list[float], values: dict[str, list[float]]) -> None:
    """Write a panel for each observable that has values, as HTML."""
    shown = [each for each in OBSERVABLES if each.name in values]
    figure = make_subplots(1, len(shown), subplot_titles=[each.name for each in shown])
    for column, each in enumerate(shown, 1):
        line = go.Scatter(x=angles, y=values[each.name], mode="lines+markers", name=each.name)
        figure.add_trace(line, row=1, col=column)
    ticks = [0, math.pi / 8, math.pi / 4, 3 * math.pi / 8, math.pi / 2]
    figure.update_xaxes(title="θ", tickvals=ticks, ticktext=["0", "π/8", "π/4", "3π/8", "π/2"])
    figure.update_layout(
        title="Kicked Ising, 127 qubits, five steps: exact values",
        template="plotly_white",
        showlegend=False,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(path, include_plotlyjs=True)
