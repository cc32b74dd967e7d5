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
        name: of the pilot.
        count: workers.
        memory_bytes: what each of them may use.
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
        return sum(one.count for one in self.pilots)

    def __str__(self) -> str:
        return " and ".join(f"{one.name} ({one.count})" for one in self.pilots) or "none"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work that a run has at hand but has not got back.

    Attributes:
        queued: not handed out yet: how many items, and the work of each.
        flying: handed out: the work of a task, and for how many seconds it has been running.
    """

    queued: tuple[tuple[int, float], ...]
    flying: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands when its workers have changed.

    Work is in the unit of `Chunk.work`, roughly floating-point operations.

    Attributes:
        at_s: seconds since the run began.
        before: its workers so far.
        after: its workers now.
        on: kind of worker or pilot that it asked for.
        mode: "exact" or "sampled".
        backlog: work at hand.
        later: work that comes after it, as far as it is known.
        done_work: work of the tasks that are over.
        done_s: what those took, in seconds of one worker.
        shots_done: shots that have come back.
        shots_asked: shots of all rounds so far, the present one included.
        bindings: sets of parameter values.
        bindings_done: those whose values are known for good.
        switches: how often the run was planned anew already.
        stranded: the pilot that an earlier decision chose has no worker left and will have none, so
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
        max_qubits: greatest width of a fragment.
        mode: "exact" or "sampled".
        on: kind of worker or pilot.
    """

    max_qubits: int
    mode: str
    on: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided when workers came or went.

    Attributes:
        at_s: seconds since the run began.
        workers_before: workers that the run had.
        workers_after: workers that it has now.
        reason: what happened, what was weighed and what follows, in words.
        continue_s: what the rest would take with the present plan; None if that was not asked.
        anew_s: what the best new plan would take from its beginning; None if there is none.
        course: the new way to go on; None if the plan stays.
        dropped_s: seconds of one worker spent on tasks whose results are given up.
        dropped_shots: shots among them.
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
        decision: why, and how to go on.
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
