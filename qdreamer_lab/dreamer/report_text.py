"""Times, prices and tables as text, and tables as HTML. It knows no object of Q-Dreamer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["html_table", "price_text", "seconds_text", "text_table"]


_DAY_S = 86_400.0
_YEAR_S = 365.25 * _DAY_S


def seconds_text(seconds: float) -> str:
    """A time with a unit that suits it."""
    if not seconds:
        return "0 s"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / 3600:.3g} h"
    if seconds < 2 * _YEAR_S:
        return f"{seconds / _DAY_S:.3g} days"
    years = seconds / _YEAR_S
    return f"{years:.3g} years" if years < 1000 else f"{years:.1e} years"


def price_text(cost: float | None, currency: str) -> str:
    """What a run costs; empty where nothing is charged for it."""
    if cost is None:
        return "unknown"
    return f"{cost:.4g} {currency}" if cost else ""


def text_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table for terminals."""
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
    return "\n".join(lines)


def html_table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table for notebooks, under a title if there is one."""

    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    caption = f"<p><b>{escape(title)}</b></p>" if title else ""
    body = "".join(line(row, "td") for row in rows)
    return f"{caption}<table>{line(head, 'th')}{body}</table>"
