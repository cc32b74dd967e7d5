"""A primitive's result as a picture and as text, its values named after what was run."""

from typing import Any
from weakref import WeakKeyDictionary

from pilot_kernel.drawing.chart_html import charts_html
from pilot_kernel.drawing.chart_text import charts_text
from pilot_kernel.drawing.results import MOST_PUBS, result_charts
from pilot_kernel.drawing.value_names import pub_bindings, value_names
from pilot_kernel.sessions.current import current

__all__ = ["remember_observables", "result_html", "result_text"]

_pubs: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def remember_observables(pubs: Any, result: Any) -> None:
    """Keep the PUBs of a result, so that its values have names when it is drawn."""
    _pubs[result] = pubs


def _names_and_bindings(result: Any) -> tuple[list[Any], list[Any]]:
    """The names of a result's values and their parameter values; empty if they are unknown."""
    pubs = _pubs.get(result)
    session = current()
    if pubs is None and session is not None:
        pubs = next((task.about for task in session.tasks if task.holds(result)), None)
    return ([], []) if pubs is None else (value_names(pubs), pub_bindings(pubs))


def result_html(result: Any) -> str:
    """A primitive's result as a picture."""
    drawn = result_charts(result, *_names_and_bindings(result))
    return charts_html(drawn, _undrawn(result))


def result_text(result: Any) -> str:
    """A primitive's result as text."""
    return charts_text(result_charts(result, *_names_and_bindings(result)), _undrawn(result))


def _undrawn(result: Any) -> int:
    return max(0, len(result) - MOST_PUBS)
