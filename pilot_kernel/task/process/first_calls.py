"""Functions that run in a task process before its first task, and what they left there."""

import traceback
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import OnStartError, PilotError
from pilot_kernel.task.wire.packing import reason

__all__ = ["call_first", "worker_state"]

_values: dict[str, Any] = {}


def call_first(name: str, fn: Callable[[], Any]) -> None:
    """Call a function and keep what it returns.

    Args:
        name: What `worker_state` will call it.
        fn: The function.

    Raises:
        OnStartError: It raised something.
    """
    try:
        _values[name] = fn()
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__)[1:])
        raise OnStartError(
            f"no task can run here, because on_start function {name!r} failed: {reason(error)}\n"
            f"{where}".rstrip()
        ) from error


def worker_state(name: str) -> Any:
    """What an `on_start` function returned in the process that this task runs in.

    Args:
        name: The name of the function, or that which `on_start` was given.

    Raises:
        PilotError: None of that name has run here.
    """
    try:
        return _values[name]
    except KeyError:
        known = ", ".join(map(repr, _values)) or "none"
        raise PilotError(
            f"no on_start function {name!r} has run in this process; there are: {known}. It is "
            "known inside tasks, on workers that session.on_start(fn, on=...) means"
        ) from None
