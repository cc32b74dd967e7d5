"""Many lines or boxes as one pair of arrays with gaps between them, and as one trace."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["boxes", "lines", "stroke"]

_Flat = tuple[NDArray[np.float32], NDArray[np.float32]]


def lines(x: NDArray[np.generic], y: NDArray[np.generic]) -> _Flat:
    """Join the points of each row of x and y, (k, p) each.

    Returns:
        Two (k * (p + 1),) arrays with NaN after each row.
    """
    return _gapped(x), _gapped(y)


def boxes(
    middle: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    half: float,
) -> _Flat:
    """Rectangles around `middle`, (k,), from wire `low` to wire `high`, by `half` on each side."""
    left, right, top, bottom = middle - half, middle + half, low - half, high + half
    return lines(
        np.stack([left, right, right, left, left], axis=1),
        np.stack([top, top, bottom, bottom, top], axis=1),
    )


def stroke(
    xs: NDArray[np.float32], ys: NDArray[np.float32], line: dict[str, Any], name: str, **more: Any
) -> dict[str, Any]:
    """A trace of lines that do not speak and are not in the legend, unless `more` says so."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
        "name": name,
        **more,
    }


def _gapped(rows: NDArray[np.generic]) -> NDArray[np.float32]:
    # Single precision, since it is more than a screen shows, and half as much to send.
    out = np.full((rows.shape[0], rows.shape[1] + 1), np.nan, dtype=np.float32)
    out[:, :-1] = rows
    return out.ravel()
