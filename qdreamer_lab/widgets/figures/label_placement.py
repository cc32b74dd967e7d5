"""Where a word beside a point hides least. Arithmetic on points; it must not draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.widgets.figures.tradeoff_points import Point

__all__ = ["Side", "best_side", "line_side", "uncrowded"]

_LONG, _HIGH = 0.24, 0.08
"""A word's size as part of the axes', in a narrow figure."""


@dataclass(frozen=True, slots=True)
class Side:
    """A place for a word.

    Attributes:
        xanchor: "left" or "right": the end of the word that is at the point.
        xshift: Pixels to the right.
        yshift: Pixels up.
    """

    xanchor: str
    xshift: int
    yshift: int


_SIDES = (
    Side("right", -15, 0),
    Side("right", -12, 18),
    Side("left", 12, 18),
    Side("right", -12, -18),
)
"""The width of a candidate is written below and to the right: no word goes there."""


def best_side(points: Sequence[Point], index: int) -> Side:
    """Where to write a word beside a point.

    Args:
        points: All there are; those with an interval lie on a logarithmic axis.
        index: Index of the point.

    Returns:
        The first place with the fewest other points, and with room on the page.
    """
    places = _scaled(points)
    x, y = places[index]
    others = places[:index] + places[index + 1 :]
    return min(_SIDES, key=lambda side: _hidden(side, x, y, others))


_CORNERS = tuple(Side(end, 0, up) for end in ("right", "left") for up in (1, -1))
_LINE_LONG, _LINE_HIGH = 0.75, 0.11
"""Room for the words at a line across the figure."""


def line_side(points: Sequence[Point], index: int) -> Side:
    """Where to write at the line through a point: at which end of it, above it or below it.

    Args:
        points: All there are.
        index: Index of the point.

    Returns:
        The first place with the fewest points and names of points.
    """
    places = _scaled(points)
    y = places[index][1]

    def hidden(side: Side) -> int:
        low = y if side.yshift > 0 else y - _LINE_HIGH
        marks = [(a, b) for a, b in places] + [(a + 0.06, b - 0.06) for a, b in places]
        return sum(
            (a > 1 - _LINE_LONG if side.xanchor == "right" else a < _LINE_LONG)
            and low - 0.03 < b < low + _LINE_HIGH + 0.03
            for a, b in marks
        )

    return min(_CORNERS, key=hidden)


_NAME_LONG, _NAME_HIGH = 0.12, 0.075
"""A name's size as part of the axes'."""


def uncrowded(points: Sequence[Point], names: Sequence[str]) -> list[str]:
    """Names without those that would be written across another one.

    Args:
        points: All there are.
        names: Of each.
    """
    kept: list[tuple[float, float]] = []
    out = []
    for (x, y), name in zip(_scaled(points), names, strict=True):
        free = all(abs(x - a) > _NAME_LONG or abs(y - b) > _NAME_HIGH for a, b in kept)
        out.append(name if free else "")
        kept += [(x, y)] * bool(free and name)
    return out


def _hidden(side: Side, x: float, y: float, others: list[tuple[float, float]]) -> int:
    left = x - _LONG if side.xanchor == "right" else x
    middle = y + math.copysign(_HIGH, side.yshift) if side.yshift else y
    outside = left < -0.08 or left + _LONG > 1.08 or not -0.05 < middle < 1.15
    return 100 * outside + sum(
        left - 0.03 < a < left + _LONG + 0.03 and abs(b - middle) < _HIGH for a, b in others
    )


def _scaled(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Coordinates from 0 to 1."""
    heights = [point.y if point.interval is None else math.log10(point.y) for point in points]
    spans = [
        edge if point.interval is None else math.log10(edge)
        for point in points
        for edge in (point.interval or (point.y, point.y))
    ]
    across = [point.x for point in points]
    return [
        (_part(point.x, min(across), max(across)), _part(height, min(spans), max(spans)))
        for point, height in zip(points, heights, strict=True)
    ]


def _part(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5
