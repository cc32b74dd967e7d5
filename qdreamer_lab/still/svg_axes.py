"""Axes of a figure: from values to pixels, ticks, and the lines and words beside the plot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.still.reading import listed, numbers, within
from qdreamer_lab.still.svg_text import LINE, lines_of, text, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Axis", "axis_of", "drawn", "room_beside"]

_APART = {"x": 80.0, "y": 32.0}
"""Pixels from tick to tick, about."""

_PAD = 0.06
"""Of the range, on each side of what is drawn."""

_TITLE, _TICK = 14.0, 12.0
"""Sizes of text."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        letter: "x" or "y".
        layout: Its properties.
        low: Its first value, of those of a logarithmic axis the logarithm to base 10.
        high: Its last one; less than `low` on an axis that is turned round.
        categories: Of an axis of names, in their places 0, 1, ...
    """

    letter: str
    layout: Mapping[str, Any]
    low: float
    high: float
    categories: tuple[str, ...] = ()

    @property
    def log(self) -> bool:
        """Whether it is logarithmic."""
        return bool(self.layout.get("type") == "log")

    def places(self, values: Any) -> NDArray[np.float64]:
        """Values, (n,), in units of the axis: logarithms, places of names."""
        if self.categories:
            place = {name: float(k) for k, name in enumerate(self.categories)}
            return np.array([place.get(str(v), math.nan) for v in listed(values)], np.float64)
        found = numbers(values)
        if not self.log:
            return found
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(found > 0, np.log10(found), np.nan)

    def part(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Which part of the axis lies before each place: from the left, or from the bottom."""
        return np.asarray((places - self.low) / ((self.high - self.low) or 1.0))

    def ticks(self, pixels: float) -> list[tuple[float, str]]:
        """Places and words of ticks within the axis, which is so long."""
        values, names = self.layout.get("tickvals"), self.layout.get("ticktext")
        if values is not None:
            at = self.places(values).tolist()
            named = [str(v) for v in listed(values if names is None else names)]
        elif self.categories:
            at, named = [float(k) for k in range(len(self.categories))], list(self.categories)
        elif self.log:
            at, named = self._decades()
        else:
            at, named = self._steps(pixels)
        before, after = self.layout.get("tickprefix", ""), self.layout.get("ticksuffix", "")
        slack = 1e-6 * abs(self.high - self.low)
        low, high = sorted((self.low, self.high))
        return [
            (place, f"{before}{name}{after}")
            for place, name in zip(at, named, strict=False)
            if low - slack <= place <= high + slack
        ]

    def _steps(self, pixels: float) -> tuple[list[float], list[str]]:
        """Round numbers, as far apart as there is room for."""
        low, high = sorted((self.low, self.high))
        most = max(2.0, pixels / _APART[self.letter])
        most = min(most, float(self.layout.get("nticks") or most))
        rough = max((high - low) / most, 1e-300)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(k * power for k in (1, 2, 5, 10) if k * power >= rough * (1 - 1e-9))
        if self.layout.get("tickformat") == "d":
            step = max(1.0, step)
        step = float(self.layout.get("dtick") or step) if high - low < 40 * step else step
        first = math.ceil(low / step - 1e-9)
        at = [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]
        return at, [_number_text(value) for value in at]

    def _decades(self) -> tuple[list[float], list[str]]:
        low, high = sorted((self.low, self.high))
        apart = max(1, math.ceil((high - low) / 8))
        steps = (1,) if high - low > 1.5 else (1, 2, 5)
        at = [
            power + math.log10(step)
            for power in range(math.floor(low), math.ceil(high) + 1, apart)
            for step in steps
        ]
        return at, [_power_text(place) for place in at]


def _number_text(value: float) -> str:
    said = f"{round(value, 12) + 0.0:,.6g}"  # no "-0"
    return said.replace("-", "\N{MINUS SIGN}")


def _power_text(place: float) -> str:
    value = 10.0**place
    if 1e-3 <= value < 1e6:
        return f"{value:,.6g}"
    return f"10<sup>{round(place)}</sup>" if abs(place - round(place)) < 1e-9 else f"{value:.3g}"


def axis_of(letter: str, layout: Mapping[str, Any], values: Sequence[Any], *, zero: bool) -> Axis:
    """An axis, with the range that it is given or that fits what is drawn on it.

    Args:
        letter: "x" or "y".
        layout: Its properties.
        values: What is drawn on it, from all traces.
        zero: Whether bars begin there.
    """
    names = tuple(str(name) for name in listed(layout.get("categoryarray")))
    strings = tuple(dict.fromkeys(v for v in values if isinstance(v, str)))
    categories = names + tuple(name for name in strings if name not in names)
    if layout.get("type") not in ("category", None):
        categories = ()
    given = layout.get("range")
    if given is not None:
        low, high = (float(end) for end in listed(given))
        return Axis(letter, layout, low, high, categories)
    bare = Axis(letter, layout, 0.0, 1.0, categories)
    places = bare.places(list(values))
    places = places[np.isfinite(places)]
    low, high = (float(places.min()), float(places.max())) if len(places) else (0.0, 1.0)
    if categories:
        low, high = -0.5, len(categories) - 0.5
    else:
        pad = _PAD * ((high - low) or max(1.0, abs(high)))
        grounded = (zero or layout.get("rangemode") == "tozero") and not bare.log
        low = 0.0 if grounded and low >= 0 else low - pad
        high += pad
    if layout.get("autorange") == "reversed":
        low, high = high, low
    return Axis(letter, layout, low, high, categories)


def room_beside(axis: Axis, pixels: float) -> float:
    """Pixels that ticks and title of an axis take beside the plot."""
    title = str(within(axis.layout, "title", "text", default=""))
    room = (LINE * _TITLE * len(lines_of(title)) + 4) if title else 0.0
    if axis.layout.get("showticklabels") is False:
        return room
    size = float(within(axis.layout, "tickfont", "size", default=_TICK))
    labels = [name for _, name in axis.ticks(pixels)]
    wide = max((width_of(label, size) for label in labels), default=0.0)
    return room + 10 + (LINE * size if axis.letter == "x" else wide)


def drawn(
    axis: Axis, box: tuple[float, float, float, float], ink: str, edge: float
) -> tuple[str, str]:
    """Grid lines, which lie under everything, and line, ticks and words of an axis.

    Args:
        axis: The axis.
        box: Left, top, right and bottom of its plot, in pixels.
        ink: Colour of text.
        edge: How far from the plot its title lies.
    """
    if axis.layout.get("visible") is False:
        return "", ""
    left, top, right, bottom = box
    across = axis.letter == "x"
    length = right - left if across else bottom - top
    ticks = axis.ticks(length)
    parts = axis.part(np.array([place for place, _ in ticks], dtype=np.float64))
    at = (left + parts * length if across else bottom - parts * length).tolist()
    grid, rest = [], []
    if axis.layout.get("showgrid") is not False and not axis.categories:
        path = "".join(f"M{p:.1f},{top:.1f}V{bottom:.1f}" if across else
                       f"M{left:.1f},{p:.1f}H{right:.1f}" for p in at)  # fmt: skip
        colour = escape(str(axis.layout.get("gridcolor", "#e6e6e6")))
        grid.append(f'<path d="{path}" stroke="{colour}" fill="none"/>')
    if axis.layout.get("showline"):
        line = escape(str(axis.layout.get("linecolor", ink)))
        path = f"M{left:.1f},{bottom:.1f}" + (f"H{right:.1f}" if across else f"V{top:.1f}")
        rest.append(f'<path d="{path}" stroke="{line}" fill="none"/>')
    if axis.layout.get("showticklabels") is not False:
        rest += _labels(axis, list(zip(at, [name for _, name in ticks], strict=True)), box, ink)
    title = str(within(axis.layout, "title", "text", default=""))
    size = float(within(axis.layout, "title", "font", "size", default=_TITLE))
    half = LINE * size * len(lines_of(title)) / 2
    if across:
        x, y, turn = (left + right) / 2, bottom + edge - half, 0
    else:
        x, y, turn = left - edge + half, (top + bottom) / 2, -90
    rest.append(text(x, y, title, size=size, colour=ink, anchor="middle", turn=turn))
    return "".join(grid), "".join(rest)


def _labels(
    axis: Axis, at: list[tuple[float, str]], box: tuple[float, float, float, float], ink: str
) -> list[str]:
    """Ticks and what stands beside them; words that would lie over each other are left out."""
    left, _, _, bottom = box
    size = float(within(axis.layout, "tickfont", "size", default=_TICK))
    colour = str(within(axis.layout, "tickfont", "color", default=ink))
    tick = escape(str(axis.layout.get("tickcolor", ink)))
    rest, end = [], -math.inf
    for place, name in sorted(at):
        marked = axis.layout.get("ticks") == "outside"
        if axis.letter == "x":
            wide = width_of(name, size)
            if place - wide / 2 < end:
                continue
            end = place + wide / 2 + 6
            rest.append(text(place, bottom + 8 + 0.6 * size, name, size=size, colour=colour,
                             anchor="middle"))  # fmt: skip
            mark = f"M{place:.1f},{bottom:.1f}v4"
        else:
            rest.append(text(left - 7, place, name, size=size, colour=colour, anchor="end"))
            mark = f"M{left:.1f},{place:.1f}h-4"
        if marked:
            rest.append(f'<path d="{mark}" stroke="{tick}"/>')
    return rest
