"""Which qubits interact, and which of these interactions are cut: for circuits of any width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.widgets.figures.cut_markers import gate_mark, wire_mark
from qdreamer_lab.widgets.figures.graph_layout import spread
from qdreamer_lab.widgets.figures.hover_text import count_text, cuts_text, fragment_text, power_text
from qdreamer_lab.widgets.figures.shapes import lines, stroke
from qdreamer_lab.widgets.figures.spec import drawer
from qdreamer_lab.widgets.figures.style import bare_axis, looked
from qdreamer_lab.widgets.palette import look_of, theme
from qdreamer_lab.workload.cut.cuts import WireCut
from qdreamer_lab.workload.picture.layout import fragment_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.widgets.figures.spec import Spec
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["coupling"]

_LEGEND = 10
"""Up to so many fragments are in the legend."""

_CROWDED = 60
"""More cut interactions than this have smaller marks."""

_NUMBERED = 150
"""Circuits with more qubits have no numbers in their nodes."""


@dataclass(frozen=True, eq=False, slots=True)
class _Edges:
    """Pairs of qubits that interact.

    Attributes:
        pairs: (e, 2) qubits, the smaller first.
        blocks: (e,) how many blocks act on each.
        cut: (e,) how many of them are cut.
        bits: (e,) what these cost, each on its own.
        fragment: (e,) where one that is not cut lies.
    """

    pairs: NDArray[np.int64]
    blocks: NDArray[np.intp]
    cut: NDArray[np.int64]
    bits: NDArray[np.float64]
    fragment: NDArray[np.int64]


@drawer
def coupling(plan: CutPlan, *, dark: bool = False) -> Spec:
    """Draw a plan as a graph of qubits.

    Nodes are qubits, in the colour and with the marker of the fragment that most of their blocks
    lie in. Lines are interactions, wider for more blocks, dotted with a cross if cut.

    Args:
        plan: Of a circuit with any number of qubits.
        dark: For a dark page.
    """
    edges = _edges(plan)
    places = spread(plan.blocks.num_qubits, edges.pairs)
    traces = [
        *_inside(edges, places, dark),
        *_across(edges, places, dark),
        *_nodes(plan, places, dark),
        *_wire_cuts(plan, places, dark),
    ]
    room = np.ptp(places, axis=0) * 0.04 + 0.5
    low, high = places.min(axis=0) - room, places.max(axis=0) + room
    return looked(
        traces,
        dark,
        dragmode="pan",
        xaxis=bare_axis(range=[low[0], high[0]]),
        yaxis=bare_axis(range=[low[1], high[1]]),
    )


def _edges(plan: CutPlan) -> _Edges:
    labels = plan.labels
    pairs, which = np.unique(plan.blocks.pairs, axis=0, return_inverse=True)
    which, count = which.reshape(-1), len(pairs)
    cut = labels[:, 0] != labels[:, 1]
    bits = np.where(cut, 2 * np.log2(plan.blocks.gammas), 0.0)
    fragment = np.zeros(count, dtype=np.int64)
    fragment[which] = labels[:, 0]
    return _Edges(
        pairs.reshape(-1, 2),
        np.bincount(which, minlength=count),
        np.bincount(which, weights=cut, minlength=count).astype(np.int64),
        np.bincount(which, weights=bits, minlength=count).astype(np.float64),
        fragment,
    )


def _inside(edges: _Edges, places: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """Interactions that stay whole: one trace per width, and their hover texts."""
    whole = np.flatnonzero(edges.cut == 0)
    widths = _widths(edges.blocks)
    traces = []
    for width in np.unique(widths[whole]).tolist():
        mine = whole[widths[whole] == width]
        xs, ys = _between(edges.pairs[mine], places)
        line = {"color": theme(dark).muted, "width": width}
        traces.append(stroke(xs, ys, line, "interactions"))
    names = [fragment_name(k) for k in edges.fragment[whole].tolist()]
    said = [
        f"<b>q{a} and q{b}</b>: {count_text(n, 'block')} in fragment {name}"
        for (a, b), n, name in zip(
            edges.pairs[whole].tolist(), edges.blocks[whole].tolist(), names, strict=True
        )
    ]
    return [*traces, _points(_middle(edges.pairs[whole], places), said, "interactions")]


def _across(edges: _Edges, places: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """Interactions that are cut."""
    cut = np.flatnonzero(edges.cut)
    if not len(cut):
        return []
    xs, ys = _between(edges.pairs[cut], places)
    line = {"color": theme(dark).ink, "width": 1.5, "dash": "dot"}
    said = [
        f"<b>q{a} and q{b}</b>: {count_text(k, 'gate cut')} of {count_text(n, 'block')}"
        f"<br>overhead factor {power_text(bits)}"
        for (a, b), k, n, bits in zip(
            edges.pairs[cut].tolist(),
            edges.cut[cut].tolist(),
            edges.blocks[cut].tolist(),
            edges.bits[cut].tolist(),
            strict=True,
        )
    ]
    marks = _points(_middle(edges.pairs[cut], places), said, "gate cut")
    marks |= {
        "mode": "markers",
        "marker": gate_mark(dark, 9 if len(cut) <= _CROWDED else 6),
        "showlegend": True,
        "legendrank": 1001,
    }
    return [stroke(xs, ys, line, "gate cuts"), marks]


def _nodes(plan: CutPlan, places: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """One trace per fragment, since each has a marker of its own."""
    home, inside = _homes(plan)
    n = plan.blocks.num_qubits
    size = _size(n)
    traces = []
    for fragment in np.unique(home).tolist():
        mine = np.flatnonzero(home == fragment)
        look = look_of(fragment, dark)
        name = fragment_text(plan.fragments[fragment]) if fragment >= 0 else "does not run"
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text" if n <= _NUMBERED else "markers",
                "x": places[mine, 0],
                "y": places[mine, 1],
                "text": [str(q) for q in mine.tolist()],
                "textfont": {"size": max(7.0, min(12.0, 0.48 * size)), "color": look.text},
                "marker": {
                    "symbol": look.symbol,
                    "size": size,
                    "color": look.fill,
                    "line": {"color": look.line, "width": 1.5},
                    "opacity": 1,
                },
                "hovertext": [f"<b>q{q}</b>: {inside[q]}" for q in mine.tolist()],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "cliponaxis": False,
                "legendgroup": f"fragment {fragment}",
                "showlegend": len(plan.fragments) <= _LEGEND,
                "name": name,
            }
        )
    return traces


def _size(num_qubits: int) -> float:
    """Pixels of a node."""
    return max(11.0, min(26.0, 210 / math.sqrt(max(1, num_qubits))))


def _homes(plan: CutPlan) -> tuple[NDArray[np.int64], list[str]]:
    """The fragment that most of a qubit's blocks lie in, and in words all that it passes."""
    n, count = plan.blocks.num_qubits, max(1, len(plan.fragments))
    flat = plan.blocks.pairs.ravel() * count + plan.labels.ravel()
    ends = np.bincount(flat, minlength=n * count).reshape(n, count)
    home = np.where(ends.sum(axis=1) > 0, ends.argmax(axis=1), -1)
    passed: list[list[int]] = [[] for _ in range(n)]
    for qubit, fragment in zip(
        plan.layout.qubit.tolist(), plan.layout.fragment.tolist(), strict=True
    ):
        passed[qubit].append(fragment)
    for qubit, label in zip(plan.blocks.lone, plan.lone_labels.tolist(), strict=True):
        home[qubit] = label
        passed[qubit] = [label] if label >= 0 else []
    said = [
        f"fragment {' → '.join(map(fragment_name, each))}" if each else "does not run"
        for each in passed
    ]
    return home, said


def _wire_cuts(plan: CutPlan, places: NDArray[np.float64], dark: bool) -> list[dict[str, Any]]:
    """A diamond at each qubit whose wire is cut."""
    cuts: dict[int, list[WireCut]] = {}
    for cut in plan.cuts:
        if isinstance(cut, WireCut):
            cuts.setdefault(cut.qubit, []).append(cut)
    if not cuts:
        return []
    said = [cuts_text(some) for some in cuts.values()]
    trace = _points(places[list(cuts)], said, "wire cut")
    ring = wire_mark(dark, 1.35 * _size(plan.blocks.num_qubits))
    ring |= {"symbol": "diamond-open", "color": theme(dark).ink}
    return [trace | {"mode": "markers", "marker": ring, "showlegend": True, "legendrank": 1002}]


def _widths(blocks: NDArray[np.intp]) -> NDArray[np.float64]:
    """Pixels of a line for so many blocks: 1.5, 2.5, 3.5, 4.5 for 1, 2, 3 to 4, more."""
    return np.asarray(1.5 + np.searchsorted([1, 2, 4], blocks, side="left"), dtype=np.float64)


def _between(pairs: NDArray[np.int64], places: NDArray[np.float64]) -> Any:
    return lines(places[pairs, 0], places[pairs, 1])


def _middle(pairs: NDArray[np.int64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(places[pairs].mean(axis=1))


def _points(at: NDArray[np.float64], said: list[str], name: str) -> dict[str, Any]:
    """Points that only speak."""
    return {
        "type": "scatter",
        "mode": "none",
        "x": at[:, 0],
        "y": at[:, 1],
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
        "name": name,
    }
