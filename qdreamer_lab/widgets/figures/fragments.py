"""The fragments of a plan as a graph: how wide they are, and what is cut between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.widgets.figures.cut_markers import gate_mark, wire_mark
from qdreamer_lab.widgets.figures.graph_layout import spread
from qdreamer_lab.widgets.figures.hover_text import count_text, cuts_text, fragment_text
from qdreamer_lab.widgets.figures.spec import drawer
from qdreamer_lab.widgets.figures.style import bare_axis, looked, message
from qdreamer_lab.widgets.palette import look_of, theme
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.picture.layout import fragment_name, qubits_of, ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.widgets.figures.spec import Spec
    from qdreamer_lab.workload.cut.cuts import Fragment, WireCut
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["fragments"]

_Cuts = dict[tuple[int, int], list["GateCut | WireCut"]]

_STEEP = 0.4
"""Numbers go beside lines that are steeper, and above others."""

_SMALL = 36
"""Pixels of a node below which it has no room for a second line."""

_MIDDLING, _LARGE = 64, 84
"""From here on a node has room for a line of letter and width, and for three lines."""

_LABELLED = 40
"""Plans with more fragments have no numbers at their lines."""


@drawer
def fragments(plan: CutPlan, *, dark: bool = False) -> Spec:
    """Draw the fragments of a plan.

    Args:
        plan: With any number of fragments.
        dark: For a dark page.
    """
    if not plan.fragments:
        return message("Nothing has to run: no block reaches an observable.", dark)
    between: _Cuts = {}
    for cut in plan.cuts:
        low, high = sorted(cut.fragments)
        between.setdefault((low, high), []).append(cut)
    edges = np.array(list(between), dtype=np.int64).reshape(-1, 2)
    places = spread(len(plan.fragments), edges)
    traces = [
        *_lines(between, places, dark),
        _nodes(plan, places, dark),
        *_marks(between, places, dark),
    ]
    room = np.ptp(places, axis=0) * 0.12 + 0.45
    low, high = places.min(axis=0) - room, places.max(axis=0) + room
    notes = [] if between else [_alone(plan, dark)]
    return looked(
        traces,
        dark,
        dragmode="pan",
        annotations=notes,
        xaxis=bare_axis(range=[low[0], high[0]]),
        yaxis=bare_axis(range=[low[1], high[1]]),
    )


def _alone(plan: CutPlan, dark: bool) -> dict[str, Any]:
    single = len(plan.fragments) == 1
    said = "the circuit runs whole" if single else "its parts do not interact"
    return {
        "text": f"No cuts: {said}.",
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.04,
        "showarrow": False,
        "font": {"size": 13, "color": theme(dark).muted},
    }


def _lines(between: _Cuts, places: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """One trace per width of line."""
    width = {pair: min(10.0, 1.0 + 1.2 * math.sqrt(len(cuts))) for pair, cuts in between.items()}
    traces = []
    for value in sorted(set(width.values())):
        points: list[list[float]] = []
        for (low, high), mine in width.items():
            if mine == value:
                points += [places[low].tolist(), places[high].tolist(), [math.nan, math.nan]]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [x for x, _ in points],
                "y": [y for _, y in points],
                "line": {"color": theme(dark).muted, "width": value},
                "hoverinfo": "skip",
                "showlegend": False,
                "name": "cuts",
            }
        )
    return traces


def _nodes(plan: CutPlan, places: NDArray[np.float64], dark: bool) -> dict[str, Any]:
    count = len(plan.fragments)
    widest = max(f.width for f in plan.fragments)
    largest = max(26.0, min(150.0, 155 / math.sqrt(count)))
    size = [largest * (0.35 + 0.65 * math.sqrt(f.width / widest)) for f in plan.fragments]
    looks = [look_of(f.id, dark) for f in plan.fragments]
    said = [
        f"<b>fragment {fragment_name(f.id)}</b>: {count_text(f.width, 'qubit')}, "
        f"{count_text(f.num_blocks, 'block')}<br>ends of {count_text(f.gate_cuts, 'gate cut')} and "
        f"{count_text(f.wire_cuts, 'wire cut')}<br>qubits {_short(ranges(qubits))}"
        for f, qubits in zip(plan.fragments, qubits_of(plan), strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": places[:, 0],
        "y": places[:, 1],
        "text": [_label(f, s) for f, s in zip(plan.fragments, size, strict=True)],
        "textfont": {"size": 12, "color": [look.text for look in looks]},
        "marker": {
            "symbol": "circle",
            "size": size,
            "color": [look.fill for look in looks],
            "line": {"color": [look.line for look in looks], "width": 2},
            "opacity": 1,
        },
        "hovertext": said,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
        "showlegend": False,
        "name": "fragments",
    }


def _label(fragment: Fragment, size: float) -> str:
    """The letter alone, in one line, in two or in three, as much as fits into a node."""
    text = fragment_text(fragment)
    letter, _, width = text.partition(" · ")
    if size < _SMALL:
        return f"<b>{letter}</b>"
    if size >= _LARGE:
        qubits = count_text(fragment.width, "qubit")
        return f"<b>{letter}</b><br>{qubits}<br>{count_text(fragment.num_blocks, 'block')}"
    return f"<b>{text}</b>" if size >= _MIDDLING else f"<b>{letter}</b><br>{width}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _marks(between: _Cuts, places: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """How many cuts a line stands for, by kind, with the mark of the kind."""
    if not between:
        return []
    traces = []
    for name, kind, mark in (
        ("gate cuts", True, gate_mark(dark, 10)),
        ("wire cuts", False, wire_mark(dark, 10)),
    ):
        rows = []
        for (low, high), cuts in between.items():
            mine = [cut for cut in cuts if isinstance(cut, GateCut) == kind]
            if mine:
                share = 0.5 if len(mine) == len(cuts) else 0.42 if kind else 0.58
                along = places[high] - places[low]
                x, y = places[low] + share * along
                steep = abs(float(along[0])) < _STEEP * abs(float(along[1]))
                rows.append((float(x), float(y), len(mine), cuts_text(mine), steep))
        if rows:
            few = len(places) <= _LABELLED
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers+text" if few else "markers",
                    "x": [row[0] for row in rows],
                    "y": [row[1] for row in rows],
                    "text": [
                        f"\N{EN SPACE}<b>{n}</b>" if s else f"<b>{n}</b>" for _, _, n, _, s in rows
                    ],
                    "textposition": ["middle right" if row[4] else "top center" for row in rows],
                    "textfont": {"size": 13, "color": theme(dark).ink},
                    "marker": mark,
                    "hovertext": [row[3] for row in rows],
                    "hovertemplate": "%{hovertext}<extra></extra>",
                    "cliponaxis": False,
                    "showlegend": True,
                    "name": name,
                }
            )
    return traces
