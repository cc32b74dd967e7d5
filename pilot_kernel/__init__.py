"""A pilot behind your notebook: workers that hold resources, and tasks bound to them late."""

import sys
from typing import Any

from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.sessions import current as _current
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

# Programs import `use` from here, where it was before `sessions` was a room.
sys.modules[f"{__name__}.session"] = _current


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
