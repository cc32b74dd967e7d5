"""The forms in which a plan can be drawn: text and SVG here, others by entry points.

A form that needs a plotting library is found by its name only, so that nothing here depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.picture.svg import draw_svg
from qdreamer_lab.workload.picture.text import draw_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["ENTRY_POINTS", "drawer"]

ENTRY_POINTS = "qdreamer_lab.drawings"
"""Group of entry points for other forms: functions that take a plan and return its picture."""

_OWN: dict[str, Callable[[Partition], Any]] = {"text": draw_text, "svg": draw_svg}


def drawer(output: object) -> Callable[[Partition], Any]:
    """The function that makes a form of picture.

    Raises:
        PlanError: If there is no such form.
    """
    if isinstance(output, str) and output in _OWN:
        return _OWN[output]
    from importlib.metadata import entry_points  # takes a while to load

    others = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if not isinstance(output, str) or output not in others:
        *some, last = (f'"{name}"' for name in (*_OWN, *sorted(others)))
        raise PlanError(f"output must be {', '.join(some)} or {last}, got {output!r}")
    found: Callable[[Partition], Any] = others[output].load()
    return found
