"""Candidates as points: where each lies in the trade-off, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.predict.place import GPU
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.widgets.figures.hover_text import count_text, power_text
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.modes import METHODS
from qdreamer_lab.workload.plan.plan import CutPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.dreamer.predict.prediction import Prediction

__all__ = ["Point", "front", "kind_of", "points_of"]

_SHORTEST_S = 1e-6
"""Times below this are drawn here: the axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate in the picture.

    Attributes:
        x: Bits of sampling overhead, or qubits.
        y: Seconds, or bits of sampling overhead.
        interval: Within which y lies in four of five cases; None for plans.
        width: Qubits of the widest fragment.
        cuts: How many there are.
        kind: Candidates of one kind have the same marker.
        said: What hovering shows.
    """

    x: float
    y: float
    interval: tuple[float, float] | None
    width: int
    cuts: int
    kind: str
    said: str


def points_of(candidates: Sequence[Prediction] | Sequence[CutPlan], against: str) -> list[Point]:
    """A point for each candidate, in their order.

    Args:
        candidates: All predictions or all plans.
        against: "overhead" or "width".
    """
    return [
        _of_plan(candidate)
        if isinstance(candidate, CutPlan)
        else _of_prediction(candidate, against)
        for candidate in candidates
    ]


def front(points: Sequence[Point]) -> list[int]:
    """The points that no other one beats, by x; of equal ones the first."""
    order = sorted(range(len(points)), key=lambda k: (points[k].x, points[k].y, k))
    kept: list[int] = []
    for k in order:
        if not kept or points[k].y < points[kept[-1]].y:
            kept.append(k)
    return kept


def _of_prediction(prediction: Prediction, against: str) -> Point:
    plan = prediction.plan
    bits = plan.log2_overhead if plan is not None else 0.0
    width = _width(plan, prediction.num_qubits)
    low, high = prediction.interval
    between = f"{seconds_text(low)} to {seconds_text(high)}"
    lines = [
        f"<b>{prediction.title}</b>",
        f"{seconds_text(prediction.makespan_s)} (80 % interval {between})",
        f"widest fragment {count_text(width, 'qubit')}, {_cuts(plan)}",
        f"sampling overhead {power_text(bits)}, {readable(prediction.memory_bytes)}",
    ]
    if prediction.shots:
        lines.append(
            f"{prediction.shots:,} shots for a standard error of {prediction.standard_error:.2g}"
        )
    y = max(prediction.makespan_s, _SHORTEST_S)
    interval = (min(y, max(low, _SHORTEST_S)), max(y, high))
    x = bits if against == "overhead" else float(width)
    return Point(
        x=x,
        y=y,
        interval=interval,
        width=width,
        cuts=0 if plan is None else plan.num_cuts,
        kind=kind_of(prediction.configuration),
        said="<br>".join(lines),
    )


def _of_plan(plan: CutPlan) -> Point:
    width = _width(plan, plan.blocks.num_qubits)
    gap = max(0.0, plan.log2_total - plan.log2_lower_bound)
    proven = plan.proven_optimal or plan.num_cuts == 0
    goal = "fewest operations" if plan.cost == "work" else "least overhead"
    lines = [
        f"<b>fragments of ≤ {count_text(plan.max_qubits, 'qubit')}</b>, the widest has {width}",
        _cuts(plan),
        f"sampling overhead {power_text(plan.log2_overhead)}, "
        + (f"proven {goal}" if proven else f"at most {power_text(gap)} times the {goal}"),
    ]
    said = "<br>".join(lines)
    bits = plan.log2_overhead
    return Point(
        x=float(width),
        y=bits,
        interval=None,
        width=width,
        cuts=plan.num_cuts,
        kind="plan",
        said=said,
    )


_SHORT = {"matrix_product_state": "MPS"}
"""Methods whose usual abbreviation is shorter."""


def kind_of(way: Configuration) -> str:
    """Mode; the method where it is not the usual one; and whether a GPU was asked for."""
    method = "" if way.method == METHODS[0] else f" {_SHORT.get(way.method, way.method)}"
    return way.mode + method + ", GPU" * ((way.on or "").lower() == GPU)


def _width(plan: CutPlan | None, num_qubits: int) -> int:
    if plan is None:
        return num_qubits
    return max((fragment.width for fragment in plan.fragments), default=0)


def _cuts(plan: CutPlan | None) -> str:
    if plan is None or plan.num_cuts == 0:
        return "no cuts"
    return f"{count_text(plan.num_cuts, 'cut')}, {count_text(len(plan.fragments), 'fragment')}"
