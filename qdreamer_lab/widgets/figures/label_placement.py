"""Where words beside points hide nothing. Arithmetic on boxes; it must not draw.

Pages differ in width: points and lines move apart with it, words keep their size and their
distance from their point. So a place must do in a narrow, a usual and a wide figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AREAS", "Box", "Layout", "Side", "Word", "sides"]

AREAS = ((300.0, 190.0), (430.0, 200.0), (600.0, 215.0))
"""Pixels of a figure's axes: in a narrow panel, beside another one, and alone on its row."""

_LETTER, _HIGH = 6.4, 14.0
"""Pixels of a letter, and of a line."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the figure that is taken, in pixels from its lower left corner."""

    left: float
    right: float
    low: float
    high: float

    def common(self, other: Box) -> float:
        """Square pixels that the two have in common."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.high, other.high) - max(self.low, other.low)
        return max(0.0, wide) * max(0.0, high)


@dataclass(frozen=True, slots=True)
class Word:
    """Something to be written beside a point.

    Attributes:
        x: Pixels of the point, from the left.
        y: From below.
        letters: How many there are.
        gap: Pixels from the middle of the point that are its own.
        must: It is written somewhere, even across something.
    """

    x: float
    y: float
    letters: int
    gap: float = 9.0
    must: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A figure of some size.

    Attributes:
        area: Pixels of its axes, to the right and up.
        words: What is to be written, in the same order in every layout.
        taken: What else is in the figure: markers, error bars, lines.
    """

    area: tuple[float, float]
    words: Sequence[Word]
    taken: Sequence[Box]


@dataclass(frozen=True, slots=True)
class Side:
    """A place for a word.

    Attributes:
        xanchor: "left", "center" or "right": the part of the word that is at the point.
        xshift: Pixels to the right.
        yshift: Pixels up.
    """

    xanchor: str
    xshift: float
    yshift: float


def sides(layouts: Sequence[Layout]) -> list[Side | None]:
    """Where to write each word, the first ones first; None where it would lie across something.

    Args:
        layouts: The figure in every size that it may have.

    Returns:
        For each word the first side at which nothing is in any of them; for one that must be
        written that with the least across.
    """
    full = [list(layout.taken) for layout in layouts]
    found: list[Side | None] = []
    for words in zip(*(layout.words for layout in layouts), strict=True):
        tried = [(side, [_box(word, side) for word in words]) for side in _around(words[0])]
        hidden = [
            sum(_across(*each) for each in zip(boxes, full, layouts, strict=True))
            for _, boxes in tried
        ]
        least = min(range(len(tried)), key=hidden.__getitem__)
        if hidden[least] and not words[0].must:
            found.append(None)
            continue
        found.append(tried[least][0])
        for boxes, box in zip(full, tried[least][1], strict=True):
            boxes.append(box)
    return found


def _around(word: Word) -> list[Side]:
    gap, up, aside = word.gap, word.gap + _HIGH / 2, 0.75 * word.gap
    return [
        Side("left", gap, 0),
        Side("center", 0, up),
        Side("right", -gap, 0),
        Side("center", 0, -up),
        Side("left", aside, up),
        Side("right", -aside, up),
        Side("left", aside, -up),
        Side("right", -aside, -up),
    ]


def _box(word: Word, side: Side) -> Box:
    wide = _LETTER * word.letters
    begin = {"left": 0.0, "center": -wide / 2, "right": -wide}[side.xanchor]
    left, middle = word.x + side.xshift + begin, word.y + side.yshift
    return Box(left, left + wide, middle - _HIGH / 2, middle + _HIGH / 2)


def _across(box: Box, full: Sequence[Box], layout: Layout) -> float:
    """How much a word would lie across; outside the axes is worst."""
    out = box.left < -2.0 or box.right > layout.area[0] + 12.0
    out = out or box.low < -1.0 or box.high > layout.area[1] + 6.0
    return 1e6 * out + sum(box.common(other) for other in full)
