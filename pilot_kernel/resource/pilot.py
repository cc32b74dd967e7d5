"""A pilot as the notebook sees it: how it stands, and what can be done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pilot_kernel.errors import PilotError

__all__ = ["Pilot", "PilotState", "PilotStatus", "read_status"]


_MOST_WORKERS = 10_000


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
        gpus: Kind and memory of the GPU of each worker that has told.
        gpu_memory_bytes: Memory of the smallest of these; 0 if none is known.
        most_cores: Cores that a task may have that asks for more than one worker has: those of
            several workers on a node, which do nothing meanwhile.
        offers: Kinds of worker in it, such as `CPU` or `GPU`.
        memory_per_worker_bytes: Memory limit of its smallest worker.
        backend: The device that it stands for, if that is a QPU.
        note: A word on how it is doing: why a job waits, say, or what went wrong last.
        ends_at: When the first of its workers reaches its walltime, unix seconds, if one will.
        adaptive: Fewest and most workers, if it grows and shrinks by itself.
        draining: Whether it takes no more tasks.
        tags: Words that its workers offer.
        largest_worker_bytes: Memory limit of its largest worker.
        walltime_s: How long its jobs may run, if that is limited.
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
    backend: str | None = None
    note: str = ""
    ends_at: float | None = None
    adaptive: tuple[int, int] | None = None
    draining: bool = False
    tags: tuple[str, ...] = ()
    largest_worker_bytes: int = 0
    walltime_s: int | None = None
    most_cores: int = 0
    gpus: tuple[str, ...] = ()
    gpu_memory_bytes: int = 0


def read_status(told: Mapping[str, Any]) -> PilotStatus:
    """A status from what the agent tells: the same as a plain dict."""
    adaptive = told.get("adaptive")
    read = {
        "state": PilotState(told["state"]),
        "offers": tuple(told["offers"]),
        "tags": tuple(told.get("tags", ())),
        "gpus": tuple(told.get("gpus", ())),
        "adaptive": None if adaptive is None else tuple(adaptive),
    }
    return PilotStatus(**{**told, **read})


class Pilot:
    """A handle on one pilot of a session; sessions make them, users do not."""

    def __init__(
        self, name: str, call: Callable[..., Any], statuses: Callable[[], list[PilotStatus]]
    ) -> None:
        """Hold on to a pilot.

        Args:
            name: Its name.
            call: Calls one of the agent's handlers.
            statuses: Asks how all pilots stand, and lets the session take note of it.
        """
        self.name = name
        self._call = call
        self._statuses = statuses

    @property
    def status(self) -> PilotStatus:
        """How it stands now: state, workers, what they offer.

        Raises:
            PilotError: It was stopped.
        """
        for status in self._statuses():
            if status.name == self.name:
                return status
        raise PilotError(f"pilot {self.name!r} was stopped")

    @property
    def state(self) -> PilotState:
        """Its state; DONE once it was stopped."""
        found = [status.state for status in self._statuses() if status.name == self.name]
        return found[0] if found else PilotState.DONE

    def scale(
        self,
        workers: int | None = None,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
    ) -> None:
        """Grow or shrink it to so many workers, or have it do so by itself.

        No task is interrupted: workers with nothing to do go at once, others when what they run is
        done; what waits runs elsewhere, and results are kept. Batch jobs come and go as a whole,
        so there may be more workers than asked for.

        Args:
            workers: How many workers to have.
            minimum: Fewest workers; with `maximum`, it grows while tasks wait that its workers
                could run, and lets workers go that have had nothing to do for a while.
            maximum: Most workers.

        Raises:
            PilotError: A number is impossible, it is draining, or it was stopped.
        """
        if workers is not None:
            if minimum is not None or maximum is not None:
                raise PilotError("scale(): either a number of workers, or minimum= and maximum=")
            self._call("pilot_scale", name=self.name, workers=_count("workers", workers))
        else:
            if maximum is None:
                raise PilotError("scale(): a number of workers, or maximum= (and minimum=)")
            fewest = _count("minimum", 0 if minimum is None else minimum)
            if fewest > _count("maximum", maximum, least=1):
                raise PilotError(f"minimum={minimum} is more than maximum={maximum}")
            self._call("pilot_adapt", name=self.name, minimum=fewest, maximum=maximum)
        self._statuses()

    def drain(self) -> None:
        """Give it no more tasks, and end it when those that run there have ended.

        What waits goes to other pilots at once, and results move there, too. This does not wait:
        `status.draining` is set until it is empty; then it is gone, as after `stop()`. What is to
        run on its workers and nowhere else, such as the rest of a broadcast, fails.

        Raises:
            PilotError: It was stopped.
        """
        self._call("pilot_drain", name=self.name)
        self._statuses()

    def replace(self, **changes: Any) -> int:
        """Give up what has not brought up a worker yet, such as jobs that wait, and ask anew.

        Args:
            **changes: Keys of the description that are to be different from now on, such as
                `queue`; to change how many nodes it has, use `scale`.

        Returns:
            How many jobs were given up.

        Raises:
            DescriptionError: A key is wrong.
        """
        given_up: int = self._call("pilot_replace", name=self.name, changes=changes)
        self._statuses()
        return given_up

    def job_script(self) -> str:
        """The batch script of its first job, exactly as it is submitted; no secret is in it.

        Raises:
            DescriptionError: It has no batch jobs.
        """
        script: str = self._call("pilot_script", name=self.name)
        return script

    def stop(self) -> None:
        """End it. Its results move to other pilots, and its unfinished tasks run there."""
        self._call("pilot_stop", name=self.name)
        self._statuses()  # nothing more may be sent to it

    def __repr__(self) -> str:
        return f"<Pilot {self.name} {self.state}>"


def _count(key: str, value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise PilotError(f"{key}={value!r}: a whole number of at least {least}")
    if value > _MOST_WORKERS:
        raise PilotError(f"{key}={value!r}: a pilot has {_MOST_WORKERS:,} workers at most")
    return value
