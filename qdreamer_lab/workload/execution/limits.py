"""How much memory a run may take: here, and in a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.execution.memory import available_bytes

if TYPE_CHECKING:
    from qdreamer_lab.workload.request import RunOptions

__all__ = ["limit_bytes", "task_limit_bytes"]

_WORKER_SHARE = 0.8
"""Part of a worker's memory that a task may take; the rest holds the libraries."""


def limit_bytes(options: RunOptions) -> int:
    """Most memory that this process may take for the run."""
    given = options.memory_limit_bytes
    return available_bytes() if given is None else given


def task_limit_bytes(options: RunOptions) -> int:
    """Most memory that a task may take on any of the workers that could run it."""
    if options.memory_limit_bytes is not None or options.session is None:
        return limit_bytes(options)
    pilots = options.session.candidates(options.on)
    return int(_WORKER_SHARE * min(pilot.memory_per_worker_bytes for pilot in pilots))
