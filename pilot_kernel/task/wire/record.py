"""What is known of a task, for views and for models of what tasks cost: its state and its times."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["JOB", "SHARES", "TOPIC", "WORKERS", "TaskRecord", "TaskState", "task_name"]

TOPIC = "pilot-task"
"""Where workers and the agent tell of tasks: dicts with `key`, and `started`, `output`, `jobs`
(sent to the provider of a QPU, each as device and id), `result` (pickled), `kept` (where on disk it
lies), `crashed` (how its process ended), `died` (the worker, of the task) and `deaths`, or `left`
(the worker, which went for reasons of its own).
"""

WORKERS = "pilot-workers"
"""Where the agent tells that a worker came or went: dicts with `came` or `went`, its address."""

JOB = "job"
"""The stream of a task's output that tells of jobs sent to a QPU's provider; nobody sees it."""

SHARES = "shares"
"""Task annotation: the keys of the shared values that it takes."""


def task_name(key: str) -> str:
    """The part of a task's key that its user chose."""
    return key.rpartition("-")[0]


class TaskState(StrEnum):
    """Where a task is in its life.

    It only moves downwards, except that a task whose worker died goes back to WAITING.
    """

    NEW = "NEW"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (TaskState.DONE, TaskState.FAILED, TaskState.CANCELED)


@dataclass(frozen=True)
class TaskRecord:
    """One task at one moment. Times are unix seconds.

    Attributes:
        key: Unique id.
        name: What the user calls it.
        state: Its state.
        queued: When the agent took it.
        started: When a worker began with it, the last time.
        finished: When it ended.
        worker: Name of the worker that has or had it.
        pilot: Name of that worker's pilot.
        deaths: How many workers died running it.
        output_bytes: How much it has printed.
        jobs: The latest jobs that it has sent to the provider of a QPU, as "device id".
    """

    key: str
    name: str
    state: TaskState
    queued: float
    started: float | None = None
    finished: float | None = None
    worker: str | None = None
    pilot: str | None = None
    deaths: int = 0
    output_bytes: int = 0
    jobs: tuple[str, ...] = ()

    @property
    def waited_s(self) -> float | None:
        """Seconds between being taken and being begun."""
        return None if self.started is None else self.started - self.queued

    @property
    def ran_s(self) -> float | None:
        """Seconds between being begun and ending."""
        if self.started is None or self.finished is None:
            return None
        return self.finished - self.started
