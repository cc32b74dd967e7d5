"""Which fragment each wire lies in, in letters: before the circuit, and after wire cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.widgets.figures.grid import MARK, SHOWN
from qdreamer_lab.widgets.figures.shapes import lines, stroke
from qdreamer_lab.widgets.palette import CLASSES, look_of, theme
from qdreamer_lab.workload.picture.layout import fragment_name

if TYPE_CHECKING:
    from qdreamer_lab.widgets.figures.grid import Grid

__all__ = ["BEGIN", "letters"]

BEGIN = -0.9
"""The x of the bars along wires that begin in one fragment."""

_CROWDED = 40
"""Runs of wires that take less than this part of the height have no letter."""


def letters(grid: Grid, dark: bool) -> list[dict[str, Any]]:
    """Bars and letters."""
    runs = _runs(grid)
    return [
        *_bars(runs, dark),
        _text(_before(grid, runs), "middle center", dark),
        _text(_after(grid), "middle right", dark),
    ]


def _runs(grid: Grid) -> list[tuple[int, int, int]]:
    """Neighbouring wires that begin in one fragment: first, last, fragment."""
    first = [starts[0][0] if starts else -1 for starts in grid.picture.starts]
    edges = [k for k in range(len(first)) if k == 0 or first[k] != first[k - 1]]
    ends = [*(k - 1 for k in edges[1:]), len(first) - 1]
    runs = zip(edges, ends, strict=True)
    return [(start, stop, first[start]) for start, stop in runs if first[start] >= 0]


def _bars(runs: list[tuple[int, int, int]], dark: bool) -> list[dict[str, Any]]:
    spans: dict[int, list[tuple[float, float]]] = {}
    for start, stop, label in runs:
        spans.setdefault(label % CLASSES, []).append((start - 0.35, stop + 0.35))
    traces = []
    for kind, ends in sorted(spans.items()):
        xs, ys = lines(np.full((len(ends), 2), BEGIN), np.array(ends))
        line = {"color": look_of(kind, dark).line, "width": 4}
        traces.append(stroke(xs, ys, line, "fragments", legendgroup=f"fragment {kind}"))
    return traces


def _before(grid: Grid, runs: list[tuple[int, int, int]]) -> list[tuple[float, float, str]]:
    x, n = BEGIN - 0.8 * grid.letter, grid.plan.blocks.num_qubits
    return [
        (x, (start + stop) / 2, f"<b>{fragment_name(label)}</b>")
        for start, stop, label in runs
        if (stop + 1 - start) * _CROWDED >= n
    ]


def _after(grid: Grid) -> list[tuple[float, float, str]]:
    if not grid.small or grid.picture.num_columns > SHOWN:
        return []
    return [
        (float(grid.places[column]) - MARK, float(qubit), f"\N{EM SPACE}<b>{fragment_name(k)}</b>")
        for qubit, starts in enumerate(grid.picture.starts)
        for k, column in starts[1:]
    ]


def _text(at: list[tuple[float, float, str]], position: str, dark: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x for x, _, _ in at],
        "y": [y for _, y, _ in at],
        "text": [text for _, _, text in at],
        "textposition": position,
        "textfont": {"size": 11, "color": theme(dark).ink},
        "hoverinfo": "skip",
        "showlegend": False,
        "name": "letters",
    }
