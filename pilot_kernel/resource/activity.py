"""What the pilots are doing and how busy they were in the last minutes, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pilot_kernel.resource.pilot import PilotStatus, read_status

__all__ = ["Activity", "PilotActivity", "Queue", "WorkerActivity"]


@dataclass(frozen=True)
class WorkerActivity:
    """One worker.

    Attributes:
        name: Its name.
        up: Whether it is connected.
        silent_s: Seconds since it was last heard of; 0 if it is not up.
        task: Key of the task that it has in hand, if any.
        task_s: Seconds that it has been at that task, once it has said so.
        memory_limit_bytes: What it may use.
        cpu_percent: Use of the processor at each of `Activity.times`, in percent of one core (by
            itself and its task process, not by what that has started); None while it was not up.
        memory_bytes: Memory of the two at the same times.
        gpu: Kind and memory of its GPU, if it has told.
        gpu_gone: Whether that is gone.
    """

    name: str
    up: bool
    silent_s: float
    task: str | None
    task_s: float | None
    memory_limit_bytes: int
    cpu_percent: tuple[float | None, ...]
    memory_bytes: tuple[int | None, ...]
    gpu: str = ""
    gpu_gone: bool = False


@dataclass(frozen=True)
class PilotActivity:
    """One pilot, with the sums over all its workers.

    Attributes:
        status: How it stands.
        busy: How many of its workers have a task in hand.
        memory_limit_bytes: What its workers that are up may use together.
        cpu_percent: As for a worker, summed over all that were up.
        memory_bytes: As for a worker, summed over all that were up.
        workers: The first of its workers; all of them unless there are many.
    """

    status: PilotStatus
    busy: int
    memory_limit_bytes: int
    cpu_percent: tuple[float | None, ...]
    memory_bytes: tuple[int | None, ...]
    workers: tuple[WorkerActivity, ...]


@dataclass(frozen=True)
class Queue:
    """The tasks that no worker has in hand yet.

    Attributes:
        ready: How many wait for a worker that is there.
        blocked: How many wait for other tasks.
        homeless: How many wait for a kind of worker of which none is up.
        following: Keys of the first few that wait for a worker, in their order.
    """

    ready: int = 0
    blocked: int = 0
    homeless: int = 0
    following: tuple[str, ...] = ()


@dataclass(frozen=True)
class Activity:
    """A session's pilots, what their workers do, what waits, and the last minutes.

    Attributes:
        at: When this was, unix seconds by the agent's clock.
        times: When use of processor and memory was sampled, the oldest first.
        pilots: The pilots, in the order in which they were added.
        queue: What waits.
    """

    at: float
    times: tuple[float, ...]
    pilots: tuple[PilotActivity, ...]
    queue: Queue

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """From what the agent tells, which is the same as plain dicts."""
        return cls(
            at=told["at"],
            times=tuple(told["times"]),
            pilots=tuple(_pilot(row) for row in told["pilots"]),
            queue=Queue(**{**told["queue"], "following": tuple(told["queue"]["following"])}),
        )


def _pilot(row: Mapping[str, Any]) -> PilotActivity:
    workers = tuple(WorkerActivity(**{**each, **_histories(each)}) for each in row["workers"])
    read = {"status": read_status(row["status"]), "workers": workers, **_histories(row)}
    return PilotActivity(**{**row, **read})


def _histories(row: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(row[name]) for name in ("cpu_percent", "memory_bytes")}
