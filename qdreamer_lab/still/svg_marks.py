"""Markers of points, lines and hatches as SVG paths."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["dashes", "hatch", "line_path", "open_symbol", "symbol_path"]

_NAMES = (
    *("circle", "square", "diamond", "cross", "x"),
    *("triangle-up", "triangle-down", "triangle-left", "triangle-right"),
    *("triangle-ne", "triangle-se", "triangle-sw", "triangle-nw"),
    *("pentagon", "hexagon", "hexagon2", "octagon", "star", "hexagram"),
)
"""Symbols by plotly's numbers."""

_CORNERS: dict[str, tuple[int, float, float]] = {
    "square": (4, 45, 1.414),
    "diamond": (4, 0, 1.3),
    "triangle-up": (3, -90, 1.2),
    "triangle-down": (3, 90, 1.2),
    "triangle-left": (3, 180, 1.2),
    "triangle-right": (3, 0, 1.2),
    "triangle-ne": (3, -45, 1.2),
    "triangle-se": (3, 45, 1.2),
    "triangle-sw": (3, 135, 1.2),
    "triangle-nw": (3, -135, 1.2),
    "pentagon": (5, -90, 1.0),
    "hexagon": (6, -90, 1.0),
    "hexagon2": (6, 0, 1.0),
    "octagon": (8, 22.5, 1.0),
}
"""Corners, the direction of the first in degrees, and how far out they are, in radii."""

_STARS = {"star": (5, -90, 1.4, 0.382), "hexagram": (6, -90, 1.2, 0.577)}
"""Points, the direction of the first, how far out they are, and how far in others are."""

_CROSS = ((1.2, 0.4), (0.4, 0.4), (0.4, 1.2))
"""A quarter of a cross, in radii."""

_DASHES = {"dot": (1, 2), "dash": (4, 3), "longdash": (7, 4), "dashdot": (4, 2, 1, 2)}
"""In widths of the line."""

_STEP = 6.0
"""Pixels between two lines of a hatch."""


def open_symbol(symbol: object) -> bool:
    """Whether a marker is an outline only."""
    if isinstance(symbol, str):
        return symbol.endswith(("-open", "-open-dot"))
    return isinstance(symbol, int) and 100 <= symbol < 200


@functools.lru_cache(maxsize=512)
def symbol_path(symbol: object, radius: float) -> str:
    """A marker around the origin, as the data of a path; a circle for one that is not known."""
    number = symbol % 100 if isinstance(symbol, int) else -1
    name = _NAMES[number] if 0 <= number < len(_NAMES) else str(symbol)
    name = name.removesuffix("-dot").removesuffix("-open")
    if name in ("cross", "x"):
        return _closed(_cross(45 if name == "x" else 0), radius)
    if name in _STARS:
        points, first, far, near = _STARS[name]
        reach = [far, far * near] * points
        return _closed(_around(2 * points, first, reach), radius)
    if name in _CORNERS:
        corners, turn, out = _CORNERS[name]
        return _closed(_around(corners, turn, [out] * corners), radius)
    r = f"{radius:.1f}"
    return f"M{r},0A{r},{r} 0 1,1 0,-{r}A{r},{r} 0 0,1 {r},0Z"


def _around(count: int, turn: float, reach: list[float]) -> list[tuple[float, float]]:
    angles = [math.radians(turn + 360 * k / count) for k in range(count)]
    return [(r * math.cos(a), r * math.sin(a)) for r, a in zip(reach, angles, strict=True)]


def _cross(turn: float) -> list[tuple[float, float]]:
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    corners = []
    for quarter in range(4):
        for x, y in _CROSS:
            for _ in range(quarter):
                x, y = -y, x
            corners.append((x * cos - y * sin, x * sin + y * cos))
    return corners


def _closed(corners: list[tuple[float, float]], radius: float) -> str:
    return "M" + "L".join(f"{radius * x:.1f},{radius * y:.1f}" for x, y in corners) + "Z"


def line_path(xs: NDArray[np.float64], ys: NDArray[np.float64], *, steps: str = "") -> str:
    """A line through points, (n,) each in pixels, with a gap at each that is NaN.

    Args:
        xs: To the right.
        ys: Down.
        steps: "hv" goes to the side first and then up or down, "vh" the other way.
    """
    there = np.isfinite(xs) & np.isfinite(ys)
    parts: list[str] = []
    before = None
    for x, y, drawn in zip(
        np.round(xs, 1).tolist(), np.round(ys, 1).tolist(), there.tolist(), strict=True
    ):
        if not drawn:
            before = None
            continue
        if before is None:
            parts.append(f"M{x:g},{y:g}")
        else:
            corner = f"L{x:g},{before[1]:g}" if steps == "hv" else f"L{before[0]:g},{y:g}"
            parts.append((corner if steps in ("hv", "vh") else "") + f"L{x:g},{y:g}")
        before = (x, y)
    return "".join(parts)


def dashes(dash: object, width: float) -> str:
    """The attribute for a dashed line; empty for a solid one."""
    lengths = _DASHES.get(str(dash))
    if lengths is None:
        return ""
    return f' stroke-dasharray="{" ".join(f"{max(1.0, width) * k:g}" for k in lengths)}"'


def hatch(shape: str, width: float, height: float) -> str:
    """Lines or dots over a box at the origin, as the data of a path."""
    if "." in shape:
        steps = [np.arange(_STEP / 2, side, _STEP) for side in (width, height)]
        return "".join(f"M{x:g},{y:g}h1v1h-1Z" for x in steps[0] for y in steps[1])
    parts = []
    along = np.arange(-height, width + height, _STEP)
    if shape in ("/", "x"):
        parts += [f"M{x:g},{height:g}l{height:g},{-height:g}" for x in along]
    if shape in ("\\", "x"):
        parts += [f"M{x:g},0l{height:g},{height:g}" for x in along]
    if shape in ("|", "+"):
        parts += [f"M{x:g},0v{height:g}" for x in np.arange(_STEP / 2, width, _STEP)]
    if shape in ("-", "+"):
        parts += [f"M0,{y:g}h{width:g}" for y in np.arange(_STEP / 2, height, _STEP)]
    return "".join(parts)
