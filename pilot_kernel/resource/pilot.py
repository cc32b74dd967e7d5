"""A pilot as its agent sees it: a named group of worker specs, and what became of them."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["PilotState", "PilotStatus"]


class PilotState(StrEnum):
    """Where a pilot is in its life; it only moves downwards."""

    NEW = "NEW"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


@dataclass(frozen=True)
class PilotStatus:
    """One pilot at one moment.

    Attributes:
        name: What `on=` calls it.
        resource: URL of its resource.
        state: Its state.
        workers: Workers that are up.
        wanted: Workers it should have.
        running: Tasks that its workers hold now.
        cores_per_worker: Cores that one task may use.
        offers: Kinds of worker in it, such as `CPU` or `GPU`.
        memory_per_worker_bytes: Memory limit of its smallest worker.
    """

    name: str
    resource: str
    state: PilotState
    workers: int
    wanted: int
    running: int
    cores_per_worker: int
    offers: tuple[str, ...]
    memory_per_worker_bytes: int
