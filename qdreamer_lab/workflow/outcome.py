"""What a motif found out: numbers, a table, curves, notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Curve", "Outcome"]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line in a motif's picture.

    Attributes:
        name: What the legend calls it.
        x: Where its points lie.
        y: What their values are.
        x_title: What the x axis shows.
        y_title: What the y axis shows.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_title: str = ""
    y_title: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a motif found out.

    Attributes:
        values: Numbers and words by their names: the results, and what the motif measures.
        rows: A table, a dictionary for each row, all with the same keys; empty for none.
        curves: What its picture shows besides the times.
        notes: What to know about it.
        data: Results that are no numbers, for those who go on with them; not in text or JSON.
    """

    values: Mapping[str, float | int | str] = field(default_factory=dict)
    rows: tuple[dict[str, float | int | str], ...] = ()
    curves: tuple[Curve, ...] = ()
    notes: tuple[str, ...] = ()
    data: Any = None
