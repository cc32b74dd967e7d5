"""What stands in a figure's plain data, in plotly's words, read into arrays and plain strings."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["each", "listed", "numbers", "plain", "within"]

_TAG = re.compile(r"<[^>]*>")


def listed(values: Any) -> list[Any]:
    """Values as a list: arrays, what plotly packs into bytes, sequences; nothing is empty."""
    if values is None:
        return []
    if isinstance(values, Mapping) and "bdata" in values:
        found = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
        shape = [int(size) for size in str(values.get("shape", "-1")).split(",")]
        return list(found.reshape(shape).tolist())
    if isinstance(values, np.ndarray):
        return list(values.tolist())
    return list(values)


def numbers(values: Any) -> NDArray[np.float64]:
    """Values as an (n,) array; what is no number is NaN."""
    return np.array([_number(value) for value in listed(values)], dtype=np.float64)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def each(value: Any, count: int, default: Any) -> list[Any]:
    """A property of `count` points: one value for all, or one each."""
    if value is None:
        return [default] * count
    if isinstance(value, (list, tuple, np.ndarray)) or (
        isinstance(value, Mapping) and "bdata" in value
    ):
        found = listed(value)
        return (found + [default] * count)[:count]
    return [value] * count


def within(spec: Any, *names: str, default: Any = None) -> Any:
    """What a property within properties is, or the default."""
    for name in names:
        if not isinstance(spec, Mapping):
            return default
        spec = spec.get(name)
    return default if spec is None else spec


def plain(text: str) -> str:
    """Text without tags, in one line."""
    return _TAG.sub("", text.replace("<br>", " "))
