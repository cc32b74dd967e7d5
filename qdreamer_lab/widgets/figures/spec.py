"""A figure as plain data, which is all that the board sends, and the plotly figure made of it.

A `plotly.graph_objects.Figure` checks and copies every property: for the explorer's four figures
that takes longer than all else that a move of its slider does.
"""

from __future__ import annotations

import base64
import functools
import inspect
import json
import math
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go

__all__ = ["Drawer", "Spec", "drawer", "figure_of_spec", "to_json"]

Spec = dict[str, Any]
"""What plotly.js draws: "data", a list of traces, and "layout"."""

P = ParamSpec("P")

_CODES = {"float64": "f8", "float32": "f4", "int32": "i4", "int64": "i4"}
"""What plotly.js calls numbers that it takes as bytes; it has no integers of 64 bits."""


class Drawer(Protocol[P]):
    """A function that draws a figure: called, a plotly figure; its `spec` gives the plain data."""

    spec: Callable[P, Spec]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> go.Figure:
        """A plotly figure; arguments are those of `spec`."""


def drawer(spec: Callable[P, Spec]) -> Drawer[P]:
    """Decorate a function that makes a spec: it gives plotly figures, and keeps its help."""

    @functools.wraps(spec)
    def draw(*args: P.args, **kwargs: P.kwargs) -> go.Figure:
        return figure_of_spec(spec(*args, **kwargs))

    made = cast("Any", draw)
    made.spec = spec
    made.__signature__ = inspect.signature(spec).replace(return_annotation="go.Figure")
    return cast("Drawer[P]", made)


def figure_of_spec(spec: Spec) -> go.Figure:
    """A plotly figure with the looks of its spec and no others; it brings a picture along."""
    from qdreamer_lab.widgets.figures.pictured import Figure

    return Figure(data=spec["data"], layout={"template": "none", **spec["layout"]})


def to_json(spec: Spec) -> bytes:
    """A spec as plotly.js reads it: arrays as bytes in base64, what is no number as null."""
    return json.dumps(_plain(spec), allow_nan=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _array(values: np.ndarray[Any, Any]) -> Any:
    code = _CODES.get(values.dtype.name)
    fits = values.dtype.kind != "i" or values.size == 0 or np.abs(values).max() < 2**31
    if code is None or not fits or values.ndim not in (1, 2):
        return _plain(values.tolist())
    sent = np.ascontiguousarray(values, dtype=np.dtype(code).newbyteorder("<"))
    packed = {"dtype": code, "bdata": base64.b64encode(sent.tobytes()).decode()}
    return packed if values.ndim == 1 else {**packed, "shape": f"{len(values)}, {values.shape[1]}"}
