"""The circuit of a plan: wires as lines, blocks as boxes, fragments coloured, cuts marked.

A few traces whatever the size: what looks the same is one trace of many pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.widgets.figures.cut_markers import cut_traces
from qdreamer_lab.widgets.figures.grid import GAP, MARK, SHOWN, grid_of
from qdreamer_lab.widgets.figures.hover_text import fragment_text
from qdreamer_lab.widgets.figures.shapes import boxes, lines, stroke
from qdreamer_lab.widgets.figures.spec import drawer
from qdreamer_lab.widgets.figures.style import bare_axis, looked, value_axis
from qdreamer_lab.widgets.figures.wire_labels import BEGIN, letters
from qdreamer_lab.widgets.palette import CLASSES, look_of, theme
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.picture.layout import fragment_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.widgets.figures.grid import Grid
    from qdreamer_lab.widgets.figures.spec import Spec
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["circuit"]

_HALF, _FULL = 0.3, 0.45
"""Half the width and height of a box, in columns and wires; the second for many wires."""

_MANY = 400
"""From this many blocks on boxes have no outlines: each would be an element of the page."""


@drawer
def circuit(plan: CutPlan, *, costs: bool = True, dark: bool = False) -> Spec:
    """Draw the circuit of a plan.

    Args:
        plan: Of a circuit with any number of qubits; `coupling` is easier to read from 64 on.
        costs: Hovering over a block says what cutting it would cost.
        dark: For a dark page.
    """
    grid = grid_of(plan)
    traces = [
        *_wires(grid, dark),
        *_blocks(grid, dark),
        _hover(plan, grid.x, costs),
        *_cuts(grid, dark),
        *letters(grid, dark),
    ]
    return looked(traces, dark, **_axes(grid, dark))


def _axes(grid: Grid, dark: bool) -> dict[str, Any]:
    colours, n = theme(dark), grid.plan.blocks.num_qubits
    step = next(k for k in (1, 2, 5, 10, 20, 50, n) if n <= 24 * k)
    more = f" (first {SHOWN} columns; drag for more)" if grid.picture.num_columns > SHOWN else ""
    across = bare_axis(range=[BEGIN - 1.6 * grid.letter, grid.last + 0.2])
    return {
        "dragmode": "pan",
        "xaxis": value_axis(colours, f"time{more} →", **across),
        "yaxis": bare_axis(
            range=[n - 0.3, -0.7],
            automargin=True,
            showticklabels=True,
            tickvals=list(range(0, n, step)),
            ticktext=[f"q{k}" for k in range(0, n, step)],
            tickfont={"size": 11, "color": colours.muted},
        ),
    }


def _wires(grid: Grid, dark: bool) -> list[dict[str, Any]]:
    """One trace per colour, and one for wires that need not run."""
    ends, rows, fragment = _stretches(grid)
    traces = []
    for kind in np.unique(np.where(fragment < 0, -1, fragment % CLASSES)).tolist():
        mine = (fragment < 0) if kind < 0 else (fragment >= 0) & (fragment % CLASSES == kind)
        xs, ys = lines(ends[mine], np.stack([rows[mine]] * 2, axis=1))
        line = {
            "color": look_of(kind, dark).line,
            "width": 1.5 if grid.small else 0.6,
            "dash": "dot" if kind < 0 else "solid",
        }
        traces.append(stroke(xs, ys, line, "wires", legendgroup=f"fragment {kind}"))
    return traces


def _stretches(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Every segment and every wire without blocks: (k, 2) ends, (k,) row, (k,) fragment."""
    plan, layout, x = grid.plan, grid.plan.layout, grid.x
    lone = np.array(list(plan.blocks.lone), dtype=np.int64)
    rows = np.concatenate([layout.qubit, lone])
    ends = np.tile([BEGIN + 0.1, grid.places[-1] - 0.2], (len(rows), 1))
    later = np.flatnonzero(layout.previous >= 0)
    ends[later, 0] = x[layout.first[later]] - GAP
    ends[layout.previous[later], 1] = x[layout.first[later]] - MARK
    return ends, rows, np.concatenate([layout.fragment, plan.lone_labels])


def _blocks(grid: Grid, dark: bool) -> list[dict[str, Any]]:
    """Blocks inside fragments: one box over neighbours, else two that are joined."""
    plan, x = grid.plan, grid.x
    pairs, labels = plan.blocks.pairs, plan.labels
    inside = labels[:, 0] == labels[:, 1]
    near = pairs[:, 1] - pairs[:, 0] == 1
    traces = []
    for kind in range(min(CLASSES, len(plan.fragments))):
        mine = inside & (labels[:, 0] % CLASSES == kind)
        close, far = np.flatnonzero(mine & near), np.flatnonzero(mine & ~near)
        if len(far):
            xs, ys = lines(np.stack([x[far]] * 2, axis=1), pairs[far])
            line = {"color": look_of(kind, dark).line, "width": 2}
            traces.append(stroke(xs, ys, line, "blocks", legendgroup=f"fragment {kind}"))
        traces.append(
            _boxes(
                grid,
                np.concatenate([x[close], x[far], x[far]]),
                np.concatenate([pairs[close, 0], pairs[far, 0], pairs[far, 1]]),
                np.concatenate([pairs[close, 1], pairs[far, 0], pairs[far, 1]]),
                kind,
                dark,
            )
        )
    return traces


def _boxes(
    grid: Grid,
    middle: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    kind: int,
    dark: bool,
) -> dict[str, Any]:
    """The boxes of one colour, from wire `low` to wire `high`."""
    fragments, look = grid.plan.fragments, look_of(kind, dark)
    few, many = len(fragments) <= CLASSES, grid.plan.blocks.num_blocks > _MANY
    if not len(middle):  # a fragment without blocks of its own is in the legend all the same
        middle, low, high = np.array([np.nan]), np.array([0]), np.array([0])
    xs, ys = boxes(middle, low, high, _HALF if grid.small else _FULL)
    return stroke(
        xs,
        ys,
        {"color": look.line, "width": 1},
        fragment_text(fragments[kind]) if few else "blocks",
        mode="none" if many else "lines",
        fill="toself",
        fillcolor=look.line if many else look.fill,
        legendgroup=f"fragment {kind}",
        showlegend=few,
    )


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


def _cuts(grid: Grid, dark: bool) -> list[dict[str, Any]]:
    """Gate cuts are two crosses and a dotted line between them, wire cuts diamonds."""
    gates = [cut for cut in grid.plan.cuts if isinstance(cut, GateCut)]
    wires = [cut for cut in grid.plan.cuts if not isinstance(cut, GateCut)]
    across = grid.x[[cut.block for cut in gates]]
    ends = np.array([cut.qubits for cut in gates], dtype=np.int64).reshape(-1, 2)
    xs, ys = lines(np.stack([across] * 2, axis=1), ends)
    line = {"color": theme(dark).ink, "width": 1.2, "dash": "dot"}
    joined = stroke(xs, ys, line, "gate cuts", legendgroup="gate cuts")
    cross = [
        (float(at), float(qubit)) for at, pair in zip(across, ends, strict=True) for qubit in pair
    ]
    before = grid.x[[cut.before for cut in wires]] - MARK
    on = [(float(at), float(cut.qubit)) for at, cut in zip(before, wires, strict=True)]
    twice = [cut for cut in gates for _ in range(2)]
    marks = cut_traces(cross, twice, on, wires, dark, size=9 if grid.small else 7)
    return [joined, *marks] if gates else marks
