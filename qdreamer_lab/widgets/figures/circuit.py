"""The circuit of a plan: wires as lines, blocks as boxes, fragments coloured, cuts marked.

A few traces whatever the size: what looks the same is one trace of many pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.widgets.figures.layout import bare_axis, figure, value_axis
from qdreamer_lab.widgets.figures.marks import cut_traces
from qdreamer_lab.widgets.figures.shapes import boxes, lines
from qdreamer_lab.widgets.figures.words import fragment_text
from qdreamer_lab.widgets.palette import LIGHT, look_of, theme
from qdreamer_lab.workload.picture import fragment_name, picture_of
from qdreamer_lab.workload.pieces import GateCut

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from qdreamer_lab.workload.picture import Picture
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["circuit"]

_HALF = 0.3
"""Half the width and height of a box, in columns and wires."""

_LEAD = 1.4
"""Room in a column before which a wire is cut, for the mark and a letter."""

_MARK, _GAP = 1.55, 0.7
"""How far before a column a wire cut is marked, and how far before it the wire goes on."""

_LEGEND = 10
"""Up to so many fragments are in the legend."""

_LETTERS = 48
"""Circuits with more qubits have no letters after wire cuts."""

_CROWDED = 40
"""Runs of wires that take less than this part of the height have no letter."""

_COLUMNS = 160
"""Columns that are shown at first."""

_CLASSES = len(LIGHT.fills)


def circuit(plan: CutPlan, *, costs: bool = True, dark: bool = False) -> go.Figure:
    """Draw the circuit of a plan.

    Args:
        plan: of a circuit with any number of qubits; `coupling` is easier to read from 64 on.
        costs: hovering over a block says what cutting it would cost.
        dark: for a dark page.
    """
    picture = picture_of(plan)
    places = _places(picture)
    traces = [
        *_wires(plan, picture, places, dark),
        *_boxes(plan, places[picture.column], dark),
        _hover(plan, places[picture.column], costs),
        *_cuts(plan, picture, places, dark),
        *_letters(plan, picture, places, dark),
    ]
    return figure(traces, dark, **_axes(plan, places, dark))


def _places(picture: Picture) -> NDArray[np.float64]:
    """(columns + 1,) x of each column, and of the end."""
    columns = np.arange(picture.num_columns + 1, dtype=np.float64)
    led = np.zeros(picture.num_columns + 1)
    led[list(picture.led)] = _LEAD
    return columns + np.cumsum(led)


def _axes(plan: CutPlan, places: NDArray[np.float64], dark: bool) -> dict[str, Any]:
    colours, n = theme(dark), plan.blocks.num_qubits
    step = next(k for k in (1, 2, 5, 10, 20, 50, n) if n <= 24 * k)
    left = -0.9 - 1.6 * _margin_step(places)
    last = float(places[min(_COLUMNS, len(places) - 1)])
    shown = (
        "time" if len(places) <= _COLUMNS + 1 else f"time (first {_COLUMNS} columns; drag for more)"
    )
    return {
        "dragmode": "pan",
        "xaxis": value_axis(
            colours,
            f"{shown} →",
            **bare_axis(range=[left, last + 0.2]),
        ),
        "yaxis": bare_axis(
            range=[n - 0.3, -0.7],
            automargin=True,
            showticklabels=True,
            tickvals=list(range(0, n, step)),
            ticktext=[f"q{k}" for k in range(0, n, step)],
            tickfont={"size": 11, "color": colours.muted},
        ),
    }


def _wires(
    plan: CutPlan, picture: Picture, places: NDArray[np.float64], dark: bool
) -> list[dict[str, Any]]:
    """Two traces per colour at most: wires, and what joins the ends of long blocks."""
    layout, x = plan.layout, places[picture.column]
    count = len(layout.qubit)
    begin = np.full(count, -0.8)
    end = np.full(count, places[-1] - 0.2)
    later = np.flatnonzero(layout.previous >= 0)
    begin[later] = x[layout.first[later]] - _GAP
    end[layout.previous[later]] = x[layout.first[later]] - _MARK
    lone = np.array(list(plan.blocks.lone), dtype=np.int64)
    wires = np.stack(
        [
            np.concatenate([begin, np.full(len(lone), -0.8)]),
            np.concatenate([end, np.full(len(lone), places[-1] - 0.2)]),
        ],
        axis=1,
    )
    rows = np.concatenate([layout.qubit, lone])
    fragment = np.concatenate([layout.fragment, plan.lone_labels])
    few = len(plan.fragments) <= _CLASSES
    traces = []
    for kind in np.unique(np.where(fragment < 0, -1, fragment % _CLASSES)).tolist():
        mine = (fragment < 0) if kind < 0 else (fragment >= 0) & (fragment % _CLASSES == kind)
        xs, ys = lines(wires[mine], np.stack([rows[mine]] * 2, axis=1))
        look = look_of(kind, dark)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": xs,
                "y": ys,
                "line": {
                    "color": look.line,
                    "width": 1.5 if plan.blocks.num_qubits <= _LETTERS else 0.6,
                    "dash": "dot" if kind < 0 else "solid",
                },
                "hoverinfo": "skip",
                "legendgroup": f"fragment {kind}",
                "showlegend": False,
                "name": fragment_text(plan.fragments[kind]) if few and kind >= 0 else "wires",
            }
        )
    return traces


def _boxes(plan: CutPlan, x: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """Blocks inside fragments: one box over neighbours, else two that are joined."""
    pairs, labels = plan.blocks.pairs, plan.labels
    inside = labels[:, 0] == labels[:, 1]
    near = pairs[:, 1] - pairs[:, 0] == 1
    few = len(plan.fragments) <= min(_CLASSES, _LEGEND)
    traces = []
    for kind in range(min(_CLASSES, len(plan.fragments))):
        mine = inside & (labels[:, 0] % _CLASSES == kind)
        one, far = mine & near, np.flatnonzero(mine & ~near)
        low = np.concatenate([pairs[one, 0], pairs[far, 0], pairs[far, 1]])
        high = np.concatenate([pairs[one, 1], pairs[far, 0], pairs[far, 1]])
        middle = np.concatenate([x[one], x[far], x[far]])
        look = look_of(kind, dark)
        if len(far):
            xs, ys = lines(np.stack([x[far]] * 2, axis=1), pairs[far])
            traces.append(_joins(xs, ys, look.line, kind))
        # A fragment without blocks of its own is in the legend all the same.
        middle = middle if len(middle) else np.array([np.nan])
        low, high = (ends if len(ends) else np.array([0]) for ends in (low, high))
        xs, ys = boxes(middle, low, high, _HALF if plan.blocks.num_qubits <= _LETTERS else 0.45)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": xs,
                "y": ys,
                "fill": "toself",
                "fillcolor": look.fill,
                "line": {"color": look.line, "width": 1},
                "hoverinfo": "skip",
                "legendgroup": f"fragment {kind}",
                "showlegend": few,
                "name": fragment_text(plan.fragments[kind]) if few else "blocks",
            }
        )
    return traces


def _joins(
    xs: NDArray[np.float32], ys: NDArray[np.float32], colour: str, kind: int
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "line": {"color": colour, "width": 2},
        "hoverinfo": "skip",
        "legendgroup": f"fragment {kind}",
        "showlegend": False,
        "name": "blocks",
    }


def _hover(plan: CutPlan, x: NDArray[np.float64], costs: bool) -> dict[str, Any]:
    """One invisible point per block, and two more at the ends of long ones."""
    pairs, labels = plan.blocks.pairs, plan.labels
    far = np.flatnonzero(pairs[:, 1] - pairs[:, 0] > 1)
    inside = np.flatnonzero(labels[:, 0] == labels[:, 1])
    far = np.intersect1d(far, inside)
    which = np.concatenate([inside, far, far])
    rows = np.concatenate([pairs[inside].mean(axis=1), pairs[far, 0], pairs[far, 1]])
    bits = 2 * np.log2(plan.blocks.gammas[which])
    names = [fragment_name(k) for k in range(len(plan.fragments))]
    text = "<b>block %{customdata[0]}</b> on q%{customdata[1]} and q%{customdata[2]}"
    text += "<br>fragment %{text}"
    if costs:
        text += "<br>cutting it: overhead factor 2<sup>%{customdata[3]:.2f}</sup>"
    return {
        "type": "scatter",
        "mode": "none",
        "x": x[which],
        "y": rows,
        "text": [names[k] for k in labels[which, 0].tolist()],
        "customdata": np.column_stack([which, pairs[which], bits]).astype(np.float32),
        "hovertemplate": text + "<extra></extra>",
        "showlegend": False,
        "name": "blocks",
    }


def _cuts(
    plan: CutPlan, picture: Picture, places: NDArray[np.float64], dark: bool
) -> list[dict[str, Any]]:
    gates = [cut for cut in plan.cuts if isinstance(cut, GateCut)]
    wires = [cut for cut in plan.cuts if not isinstance(cut, GateCut)]
    across = places[picture.column[[cut.block for cut in gates]]]
    ends = np.array([cut.qubits for cut in gates], dtype=np.int64).reshape(-1, 2)
    xs, ys = lines(np.stack([across] * 2, axis=1), ends)
    joined = {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "line": {"color": theme(dark).ink, "width": 1.2, "dash": "dot"},
        "hoverinfo": "skip",
        "legendgroup": "gate cuts",
        "showlegend": False,
        "name": "gate cuts",
    }
    cross = [
        (float(at), float(qubit)) for at, pair in zip(across, ends, strict=True) for qubit in pair
    ]
    before = places[picture.column[[cut.before for cut in wires]]] - _MARK
    on = [(float(at), float(cut.qubit)) for at, cut in zip(before, wires, strict=True)]
    twice = [cut for cut in gates for _ in range(2)]
    size = 9 if plan.blocks.num_qubits <= _LETTERS else 7
    marks = cut_traces(cross, twice, on, wires, dark, size=size)
    return [joined, *marks] if gates else marks


def _letters(
    plan: CutPlan, picture: Picture, places: NDArray[np.float64], dark: bool
) -> list[dict[str, Any]]:
    """The fragment in which wires begin, for runs of them, and what follows a wire cut."""
    n, step = plan.blocks.num_qubits, _margin_step(places)
    at: list[tuple[float, float, str]] = []
    runs: dict[int, list[tuple[float, float]]] = {}
    for start, stop, label in _runs(picture):
        runs.setdefault(label % _CLASSES, []).append((start - 0.35, stop + 0.35))
        if (stop + 1 - start) * _CROWDED >= n:
            at.append((-0.9 - 0.8 * step, (start + stop) / 2, f"<b>{fragment_name(label)}</b>"))
    if n <= _LETTERS and len(places) <= _COLUMNS:
        for qubit, starts in enumerate(picture.starts):
            for label, column in starts[1:]:
                mark = float(places[column]) - _MARK
                at.append((mark, float(qubit), f"\N{EM SPACE}<b>{fragment_name(label)}</b>"))
    traces = []
    for kind, ends in sorted(runs.items()):
        xs, ys = lines(np.full((len(ends), 2), -0.9), np.array(ends))
        line = {"color": look_of(kind, dark).line, "width": 4}
        traces.append(_joins(xs, ys, "", kind) | {"name": "fragments", "line": line})
    inside = [k for k, (x, _, _) in enumerate(at) if x > 0]
    margin = [k for k, (x, _, _) in enumerate(at) if x <= 0]
    for which, position in ((margin, "middle center"), (inside, "middle right")):
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [at[k][0] for k in which],
                "y": [at[k][1] for k in which],
                "text": [at[k][2] for k in which],
                "textposition": position,
                "textfont": {"size": 11, "color": theme(dark).ink},
                "hoverinfo": "skip",
                "showlegend": False,
                "name": "letters",
            }
        )
    return traces


def _margin_step(places: NDArray[np.float64]) -> float:
    """Columns that take as much room as a letter, whatever the circuit's length."""
    return max(0.1, float(places[min(_COLUMNS, len(places) - 1)]) / 40)


def _runs(picture: Picture) -> list[tuple[int, int, int]]:
    """Neighbouring wires that begin in one fragment: first, last, fragment."""
    first = [starts[0][0] if starts else -1 for starts in picture.starts]
    edges = [k for k in range(len(first)) if k == 0 or first[k] != first[k - 1]]
    ends = [*(k - 1 for k in edges[1:]), len(first) - 1]
    runs = zip(edges, ends, strict=True)
    return [(start, stop, first[start]) for start, stop in runs if first[start] >= 0]
