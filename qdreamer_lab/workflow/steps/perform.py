"""What runs on a worker: one call of a step, tried again if it raises."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from qdreamer_lab.workflow.steps.step import Input

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["perform_step"]


def perform_step(
    call: tuple[Callable[..., Any], int, tuple[Any, ...], dict[str, Any]],
    inputs: Sequence[Any],
    after: Sequence[Any],
) -> Any:
    """Call a function with the results of others in their places.

    Args:
        call: The function, how often it is tried again, its arguments and keyword arguments.
        inputs: The results that take the places of `Input`s.
        after: What had to be over before; nothing is done with it.

    Raises:
        Exception: What the last try raised.
    """
    function, retries, args, kwargs = call
    args, kwargs = _filled((args, kwargs), inputs)
    for left in range(retries, 0, -1):
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 whatever it is, it was asked to be tried again
            name = getattr(function, "__name__", "step")
            why = f"{type(error).__name__}: {error}"
            print(f"[{name} raised {why}; {left} tries are left]", file=sys.stderr)
    return function(*args, **kwargs)


def _filled(value: Any, inputs: Sequence[Any]) -> Any:
    if isinstance(value, Input):
        return inputs[value.index]
    if type(value) in (list, tuple):
        return type(value)(_filled(each, inputs) for each in value)
    if type(value) is dict:
        return {key: _filled(each, inputs) for key, each in value.items()}
    return value
