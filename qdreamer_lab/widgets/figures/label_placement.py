"""Where words beside points hide nothing. Arithmetic on boxes; it must not draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["AREA", "Box", "Side", "Word", "sides"]

AREA = (300.0, 190.0)
"""Pixels of a figure's axes in a narrow panel: with more room, words lie further apart."""

_LETTER, _HIGH = 6.4, 14.0
"""Pixels of a letter, and of a line."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the figure that is taken, in pixels from its lower left corner."""

    left: float
    right: float
    low: float
    high: float

    def meets(self, other: Box) -> bool:
        """Whether the two have more than an edge in common."""
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.low < other.high and other.low < self.high


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


def sides(words: Sequence[Word], taken: Iterable[Box]) -> list[Side | None]:
    """Where to write each word, the first ones first; None where it would lie across something.

    Args:
        words: What is to be written.
        taken: What else is in the figure: markers, error bars.

    Returns:
        For each word the first side at which nothing is; for one that must be written that with
        the least across.
    """
    full = list(taken)
    found: list[Side | None] = []
    for word in words:
        tried = [(side, _box(word, side)) for side in _around(word)]
        hidden = [_across(box, full) for _, box in tried]
        least = min(range(len(tried)), key=hidden.__getitem__)
        if hidden[least] and not word.must:
            found.append(None)
            continue
        found.append(tried[least][0])
        full.append(tried[least][1])
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


def _across(box: Box, full: Sequence[Box]) -> int:
    """How much a word would lie across; outside the axes is worst."""
    inside = Box(-2.0, AREA[0] + 12.0, -1.0, AREA[1] + 6.0)
    out = box.left < inside.left or box.right > inside.right
    out = out or box.low < inside.low or box.high > inside.high
    return 100 * out + sum(box.meets(other) for other in full)
