"""A pilot behind your notebook: workers that hold resources, and tasks bound to them late.

Names are imported on first use: what runs on workers needs none of them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pilot_kernel import errors as errors

if TYPE_CHECKING:
    from pilot_kernel.resource.description import PilotDescription
    from pilot_kernel.sessions.batch_script import agent_job_script, job_script
    from pilot_kernel.sessions.current import session
    from pilot_kernel.sessions.session import Session
    from pilot_kernel.task.notebook.handle import Task
    from pilot_kernel.task.process.first_calls import worker_state

__all__ = [
    "PilotDescription",
    "Session",
    "Task",
    "agent_job_script",
    "job_script",
    "session",
    "to_frame",
    "worker_state",
]

_HOMES = {
    "PilotDescription": "pilot_kernel.resource.description",
    "Session": "pilot_kernel.sessions.session",
    "Task": "pilot_kernel.task.notebook.handle",
    "agent_job_script": "pilot_kernel.sessions.batch_script",
    "job_script": "pilot_kernel.sessions.batch_script",
    "session": "pilot_kernel.sessions.current",
    "worker_state": "pilot_kernel.task.process.first_calls",
}


_ROOMS = ("primitive", "resource", "sessions", "task")
"""What programs reach through the package without an import: a session brings it."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        import_module("pilot_kernel.sessions.session")
        return sys.modules[f"{__name__}.{name}"]
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


# Programs import `use` from here, where it was before `sessions` was a room.
_earlier = ModuleType(f"{__name__}.session")
_earlier.__getattr__ = lambda name: getattr(  # type: ignore[method-assign]
    import_module("pilot_kernel.sessions.current"), name
)
sys.modules[_earlier.__name__] = _earlier


def to_frame(result: Any, pubs: Any = None) -> Any:
    """The result of a primitive as a pandas `DataFrame`; see `pilot_kernel.drawing.frame`.

    Args:
        result: A Qiskit `PrimitiveResult`, or the result of one PUB.
        pubs: What was run, so that rows have the names of observables and the values of parameters;
            results of cut circuits know them.

    Raises:
        PilotError: pandas is not installed, or `pubs` are not those of the result.
    """
    from pilot_kernel.drawing import frame

    return frame.to_frame(result, pubs)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext pilot_kernel` calls."""
    from pilot_kernel.jupyter.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext pilot_kernel` calls."""
    from pilot_kernel.jupyter.extension import unload

    unload(shell)
