"""What is known when the workers of a run change, and what is decided then. Descriptions only.

A run tells an `Adviser` where it stands; the adviser answers with a `Decision`. Who advises, and
on what grounds, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Adviser", "Backlog", "Course", "Decision", "PilotWorkers", "PlanDropped", "Standing"]
__all__ += ["Workers"]


@dataclass(frozen=True, slots=True)
class PilotWorkers:
    """Workers of one pilot.

    Attributes:
        name: Of the pilot.
        count: Workers.
        memory_bytes: What each of them may use.
    """

    name: str
    count: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers that can run a task at one moment, by pilot."""

    pilots: tuple[PilotWorkers, ...] = ()

    @property
    def count(self) -> int:
        """How many."""
        return sum(pilot.count for pilot in self.pilots)

    def __str__(self) -> str:
        return " and ".join(f"{pilot.name} ({pilot.count})" for pilot in self.pilots) or "none"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work that a run has at hand but has not got back.

    Attributes:
        queued: Not handed out yet: how many items, and the work of each.
        flying: Handed out: the work of a task, and for how many seconds it has been running.
    """

    queued: tuple[tuple[int, float], ...]
    flying: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands when its workers have changed.

    Work is in the unit of `Chunk.work`, roughly floating-point operations.

    Attributes:
        at_s: Seconds since the run began.
        before: Its workers so far.
        after: Its workers now.
        on: Kind of worker or pilot that it asked for.
        mode: "exact" or "sampled".
        backlog: Work at hand.
        later: Work that comes after it, as far as it is known.
        done_work: Work of the tasks that are over.
        done_s: What those took, in seconds of one worker.
        shots_done: Shots that have come back.
        shots_asked: Shots of all rounds so far, the present one included.
        bindings: Sets of parameter values.
        bindings_done: Those whose values are known for good.
        switches: How often the run was planned anew already.
        stranded: The pilot that an earlier decision chose has no worker left and will have none, so
            that the present plan cannot go on; `on` and `after` are of the place before that.
    """

    at_s: float
    before: Workers
    after: Workers
    on: str | None
    mode: str
    backlog: Backlog
    later: float = 0.0
    done_work: float = 0.0
    done_s: float = 0.0
    shots_done: int = 0
    shots_asked: int = 0
    bindings: int = 1
    bindings_done: int = 0
    switches: int = 0
    stranded: bool = False

    @property
    def change(self) -> str:
        """What happened, in words."""
        before, after = self.before, self.after
        at = f"at {self.at_s:.1f} s"
        if before.count == after.count:
            return f"workers went from {before} to {after} {at}"
        return f"worker count went from {before.count} to {after.count} {at}"

    @property
    def left_work(self) -> float:
        """Work that has not come back, as far as it is known."""
        queued = sum(items * each for items, each in self.backlog.queued)
        return queued + sum(work for work, _ in self.backlog.flying) + self.later


@dataclass(frozen=True, slots=True)
class Course:
    """A new way to go on.

    Attributes:
        max_qubits: Greatest width of a fragment.
        mode: "exact" or "sampled".
        on: Kind of worker or pilot.
    """

    max_qubits: int
    mode: str
    on: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided when workers came or went.

    Attributes:
        at_s: Seconds since the run began.
        workers_before: Workers that the run had.
        workers_after: Workers that it has now.
        reason: What happened, what was weighed and what follows, in words.
        continue_s: What the rest would take with the present plan; None if that was not asked.
        anew_s: What the best new plan would take from its beginning; None if there is none.
        course: The new way to go on; None if the plan stays.
        dropped_s: Seconds of one worker spent on tasks whose results are given up.
        dropped_shots: Shots among them.
    """

    at_s: float
    workers_before: int
    workers_after: int
    reason: str
    continue_s: float | None = None
    anew_s: float | None = None
    course: Course | None = None
    dropped_s: float = 0.0
    dropped_shots: int = 0

    @property
    def replanned(self) -> bool:
        """Whether the rest of the work was planned anew."""
        return self.course is not None

    def __str__(self) -> str:
        return self.reason


class Adviser(Protocol):
    """Who is asked whether the plan should stay when workers have come or gone."""

    def changed(self, standing: Standing) -> Decision:
        """Decide; called in the thread of the run, while the tasks under way go on."""


class PlanDropped(Exception):  # noqa: N818 an event rather than an error
    """The present plan is given up; raised and caught inside a run, users never see it.

    Attributes:
        decision: Why, and how to go on.
        evs: (values,) what is known of the values so far; NaN where nothing is.
        stds: (values,) their standard errors.
        complete: (values,) bool; which of them are final.
    """

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason)
        self.decision = decision
        self.evs: NDArray[np.float64] | None = None
        self.stds: NDArray[np.float64] | None = None
        self.complete: NDArray[np.bool_] | None = None

    def keep(
        self,
        evs: NDArray[np.float64],
        stds: NDArray[np.float64],
        complete: NDArray[np.bool_],
    ) -> None:
        """Hand on what is not lost."""
        self.evs, self.stds, self.complete = evs, stds, complete
