"""What a checker says of an answer: not yet, right, or not right and why.

A checker raises `NotRight` with the reason, or returns what there is to say about a right answer;
`exercise` makes a `Verdict` of either, which a notebook shows. Nothing of any exercise is known
here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NotRight", "NotYet", "Standing", "Verdict", "exercise", "is_open"]


class Standing(StrEnum):
    """How an answer stands."""

    NOT_YET = "Not yet"
    NOT_RIGHT = "Not quite"
    RIGHT = "Right"


_SYMBOLS = {Standing.NOT_YET: "○", Standing.NOT_RIGHT: "✗", Standing.RIGHT: "✓"}
_COLOURS = {Standing.NOT_YET: "#8a8a8a", Standing.NOT_RIGHT: "#d9822b", Standing.RIGHT: "#2e9e5b"}
_TO_DO = "put your answer in the place of the three dots, and run the cell again."


class NotRight(Exception):  # noqa: N818  (an answer that is not right is no error)
    """An answer is not right; the message is the reason, as a sentence."""


class NotYet(Exception):  # noqa: N818
    """There is no answer yet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of an answer.

    Attributes:
        standing: How it stands.
        words: The reason, or what there is to say about a right answer.
    """

    standing: Standing
    words: str

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.standing is Standing.RIGHT

    def __repr__(self) -> str:
        return f"{_SYMBOLS[self.standing]} {self.standing}: {self.words}"

    def _repr_html_(self) -> str:
        colour = _COLOURS[self.standing]
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 0.3em 0.8em">'
            f"<b>{_SYMBOLS[self.standing]} {self.standing}:</b> {escape(self.words)}</div>"
        )


def is_open(answer: object) -> bool:
    """Whether there is no answer: an exercise comes with three dots, a function without a body."""
    return answer is None or answer is Ellipsis


def exercise(check: Callable[..., str]) -> Callable[..., Verdict]:
    """Make a checker of a function that takes answers and looks at them.

    Args:
        check: Returns what there is to say about right answers, or raises `NotRight` or `NotYet`.
    """

    @functools.wraps(check)
    def checked(*answers: Any) -> Verdict:
        if any(is_open(answer) for answer in answers):
            return Verdict(Standing.NOT_YET, _TO_DO)
        try:
            return Verdict(Standing.RIGHT, check(*answers))
        except NotYet:
            return Verdict(Standing.NOT_YET, _TO_DO)
        except NotRight as reason:
            return Verdict(Standing.NOT_RIGHT, str(reason))

    return checked
