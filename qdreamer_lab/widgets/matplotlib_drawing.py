"""A plan as a matplotlib figure, for papers and for scripts: `CutPlan.draw("mpl")`.

It shows what `CutPlan.draw("svg")` does, with the same colours and signs. Nothing is installed with
matplotlib, so that this module is imported only when such a figure is asked for.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.picture.layout import COLOURS, fragment_name, picture_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.picture.layout import Picture

__all__ = ["drawing"]

_WIDEST, _MOST_BLOCKS, _MOST_COLUMNS = 48, 400, 160
"""Plans with more qubits, blocks or columns are shown by fragment."""

_MOST_FRAGMENTS = 24
"""Fragments shown then, the widest ones."""

_INK, _GREY = "#1a1a1a", "#bbbbbb"

_LEAD = 1.1
"""Columns that a wire cut and the letter after it take."""

_COLUMN, _ROW = 0.26, 0.24
"""Inches."""


def drawing(plan: Partition) -> Figure:
    """Draw a plan.

    The figure is not pyplot's: nothing has to be closed, `savefig` writes it to a file, and a
    notebook shows it without being told to.

    Raises:
        PlanError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlanError(
            'draw("mpl") needs matplotlib, which is not installed here: pip install matplotlib '
            f"({error})"
        ) from error
    blocks = plan.blocks
    narrow = blocks.num_qubits <= _WIDEST and blocks.num_blocks <= _MOST_BLOCKS
    picture = picture_of(plan) if narrow else None
    figure = Figure(layout="constrained")
    figure._repr_png_ = partial(_png, figure)  # which pyplot would see to
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_title(plan.summary, fontsize=9, color=_INK, wrap=True)
    if picture is None or picture.num_columns > _MOST_COLUMNS:
        _by_fragment(plan, axes)
        figure.set_size_inches(6.0, 6.0)
        axes.set_aspect("equal")
        return figure
    end = _by_wire(plan, picture, axes)
    figure.set_size_inches(max(5.0, _COLUMN * (end + 4)), 1.2 + _ROW * blocks.num_qubits)
    return figure


def _png(figure: Figure) -> bytes:
    """The picture that a notebook shows."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()


def _by_wire(plan: Partition, picture: Picture, axes: Axes) -> float:
    """Draw wires and blocks; return the x of the end."""
    places, x = [], 0.0
    for column in range(picture.num_columns):
        x += _LEAD if column in picture.led else 0.0
        places.append(x)
        x += 1.0
    for qubit, segments in enumerate(picture.starts):
        _wire(axes, qubit, segments, places, x)
    for block, (low, high) in enumerate(plan.blocks.pairs.tolist()):
        at = [places[int(picture.column[block])]] * 2
        label, other = plan.labels[block].tolist()
        if label == other:
            _line(axes, at, [low, high], _colour(label), marker="o", gid="block")
        else:
            _line(axes, at, [low, high], _INK, marker="x", linestyle=":", gid="gate cut")
    axes.set_xlim(-2.6, x + 0.4)
    axes.set_ylim(plan.blocks.num_qubits - 0.3, -0.9)
    signs = "dots: block    dotted with crosses: gate cut    //: wire cut    A, B, …: fragment"
    axes.text(0.0, -0.02, signs, transform=axes.transAxes, fontsize=7, color="#666666", va="top")
    return x


def _wire(
    axes: Axes, qubit: int, segments: tuple[tuple[int, int], ...], places: list[float], end: float
) -> None:
    """A wire: a stretch and a letter per segment, two slashes between segments."""
    _text(axes, -2.0, qubit, f"q{qubit}", color="#666666", ha="right")
    cuts = [places[column] - 0.5 - _LEAD for _, column in segments[1:]]
    begins = [-0.9, *[cut + 1.15 for cut in cuts]]
    for k, (label, _) in enumerate(segments):
        stop = cuts[k] - 0.05 if k < len(cuts) else end
        _line(axes, [begins[k], stop], [qubit, qubit], _colour(label), linewidth=2.2, gid="wire")
        _text(axes, begins[k] - 0.35, qubit, fragment_name(label), weight="bold")
    for cut in cuts:
        for x in (cut, cut + 0.22):
            _line(axes, [x, x + 0.18], [qubit + 0.3, qubit - 0.3], _INK, gid="wire cut")


def _by_fragment(plan: Partition, axes: Axes) -> None:
    """Draw fragments on a circle, joined by lines that say how many cuts they stand for."""
    shown = sorted(plan.fragments, key=lambda f: (-f.width, f.id))[:_MOST_FRAGMENTS]
    at = {}
    for k, fragment in enumerate(sorted(shown, key=lambda f: f.id)):
        angle = 2 * math.pi * k / len(shown) - math.pi / 2
        reach = 1.0 if len(shown) > 1 else 0.0
        at[fragment.id] = (reach * math.cos(angle), -reach * math.sin(angle))
    between: Counter[tuple[int, int, str]] = Counter()
    for cut in plan.cuts:
        low, high = sorted(cut.fragments)
        between[low, high, "g" if isinstance(cut, GateCut) else "w"] += 1
    said: dict[tuple[int, int], list[str]] = {}
    for (low, high, kind), number in sorted(between.items()):
        if low in at and high in at:
            said.setdefault((low, high), []).append(f"{number}{kind}")
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for (low, high), words in said.items():
        (x1, y1), (x2, y2) = at[low], at[high]
        _line(axes, [x1, x2], [y1, y2], _INK, linestyle="--", linewidth=0.9, gid="cuts")
        # Not in the middle, where lines across the circle meet.
        x, y = x1 + 0.42 * (x2 - x1), y1 + 0.42 * (y2 - y1)
        _text(axes, x, y, " + ".join(words), bbox=ground)
    widest = max((f.width for f in shown), default=1)
    for fragment in shown:
        x, y = at[fragment.id]
        size = 28 + 16 * math.sqrt(fragment.width / widest)
        colour = _colour(fragment.id)
        axes.plot([x], [y], "o", ms=size, mfc="white", mec=colour, mew=3, gid="fragment")
        on = "" if fragment.device is None else f"/{fragment.device}"
        name = f"{fragment_name(fragment.id)}\n{fragment.width}{on} q"
        _text(axes, x, y, name, weight="bold")
    axes.margins(0.2)
    left_out = len(plan.fragments) - len(shown)
    more = f"; {left_out} narrower fragments are not shown" if left_out else ""
    legend = f"g gate cuts, w wire cuts, q qubits{more}"
    axes.text(0.0, 0.0, legend, transform=axes.transAxes, fontsize=7, color="#666666")


def _line(axes: Axes, x: list[float], y: list[float], colour: str, **more: Any) -> None:
    axes.plot(x, y, color=colour, **{"linewidth": 1.4, "markersize": 5, **more})


def _text(axes: Axes, x: float, y: float, text: str, **more: Any) -> None:
    axes.text(x, y, text, **{"fontsize": 8, "color": _INK, "ha": "center", "va": "center", **more})


def _colour(label: int) -> str:
    return _GREY if label < 0 else COLOURS[label % len(COLOURS)]
