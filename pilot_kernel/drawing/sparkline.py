"""Small line charts of the last minutes, as SVG and as text."""

import math
from collections.abc import Sequence
from html import escape

from pilot_kernel.drawing.html import BRAND, LINE

__all__ = ["binned", "spark_svg", "spark_text"]

_WIDE, _HIGH = 96, 18
_HEIGHTS = "▁▂▃▄▅▆▇█"

Shares = Sequence[float | None]


def binned(
    times: Sequence[float],
    values: Sequence[float | None],
    *,
    until: float,
    window_s: float,
    bins: int,
) -> tuple[float | None, ...]:
    """Means over equal spans of time, the last of which contains `until`.

    The edges of the spans do not depend on `until`, so a picture moves in whole steps and does not
    flicker.

    Args:
        times: Unix seconds.
        values: One value for each time, or None where there is none.
        until: The end, unix seconds.
        window_s: How far back to go.
        bins: How many spans.

    Returns:
        The mean of each span, the oldest first; None for a span without values.
    """
    width = window_s / bins
    last = math.floor(until / width)
    sums, counts = [0.0] * bins, [0] * bins
    for at, value in zip(times, values, strict=True):
        place = bins - 1 - (last - math.floor(at / width))
        if value is not None and 0 <= place < bins:
            sums[place] += value
            counts[place] += 1
    return tuple(
        total / count if count else None for total, count in zip(sums, counts, strict=True)
    )


def spark_svg(shares: Shares, label: str) -> str:
    """A sparkline as SVG: an area over time.

    Args:
        shares: Values between 0 (bottom) and 1 (top), evenly spaced; None where there is none.
        label: What a screen reader reads out.
    """
    step = _WIDE / max(1, len(shares))
    drawn = "".join(_area(run, begin, step) for begin, run in _runs(shares))
    return (
        f"<svg role='img' aria-label='{escape(label)}' width='{_WIDE}' height='{_HIGH}' "
        f"viewBox='0 0 {_WIDE} {_HIGH}' style='flex:none;display:block'>"
        f"<line x1='0' x2='{_WIDE}' y1='{_HIGH - 0.5}' y2='{_HIGH - 0.5}' "
        f"style='stroke:{LINE};stroke-width:1'/>{drawn}</svg>"
    )


def _runs(shares: Shares) -> list[tuple[int, list[float]]]:
    """The runs of values without gaps, and where each begins."""
    runs: list[tuple[int, list[float]]] = []
    before = False
    for at, share in enumerate(shares):
        if share is not None:
            if not before:
                runs.append((at, []))
            runs[-1][1].append(share)
        before = share is not None
    return runs


def _area(run: Sequence[float], begin: int, step: float) -> str:
    # Whole pixels, so that a smaller change makes no new picture.
    def height(share: float) -> int:
        return round((_HIGH - 2) * (1 - min(1.0, max(0.0, share)))) + 1

    left, right = begin * step, (begin + len(run)) * step
    places = [(left, height(run[0]))]
    places += [((begin + at + 0.5) * step, height(share)) for at, share in enumerate(run)]
    places.append((right, height(run[-1])))
    line = " ".join(f"{x:.4g},{y}" for x, y in _bends(places))
    return (
        f"<polygon points='{left:.4g},{_HIGH - 1} {line} {right:.4g},{_HIGH - 1}' "
        f"style='fill:{BRAND};opacity:.25'/>"
        f"<polyline points='{line}' style='fill:none;stroke:{BRAND};stroke-width:1.5;"
        "stroke-linejoin:round'/>"
    )


def _bends(places: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """The points of a line that are not in the middle of a level stretch."""
    inner = range(1, len(places) - 1)
    level = {at for at in inner if places[at - 1][1] == places[at][1] == places[at + 1][1]}
    return [place for at, place in enumerate(places) if at not in level]


def spark_text(shares: Shares) -> str:
    """A sparkline as a row of block characters; a gap is a space."""
    top = len(_HEIGHTS) - 1
    return "".join(
        " " if share is None else _HEIGHTS[round(top * min(1.0, max(0.0, share)))]
        for share in shares
    )
