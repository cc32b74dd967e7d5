"""How much memory a run may take: in this process, and in a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.execution.memory import available_bytes

if TYPE_CHECKING:
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["limit_bytes", "task_limit_bytes"]

_WORKER_SHARE = 0.8
"""Part of a worker's memory that a task may take; the rest holds the libraries."""


def limit_bytes(given: int | None) -> int:
    """Most memory that this process may take for a run: what the user allows, or what is free."""
    return available_bytes() if given is None else given


def task_limit_bytes(given: int | None, session: SessionLike | None, on: str | None) -> int:
    """Most memory that a task may take on any of the workers that could run it."""
    if given is not None or session is None:
        return limit_bytes(given)
    return int(_WORKER_SHARE * min(p.memory_per_worker_bytes for p in session.candidates(on)))
