"""Follows the workers of a run: how many there are, and whether the plan still suits them.

A change must last for a while before it counts, so that a worker that dies and is restarted at
once changes nothing. This module decides nothing itself; it asks an `Adviser`.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import WorkersLostError
from qdreamer_lab.workload.execution.decisions import (
    Decision,
    PilotWorkers,
    PlanDropped,
    Standing,
    Workers,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.execution.chunk import Chunk
    from qdreamer_lab.workload.execution.decisions import Adviser, Backlog
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["Watch"]

log = logging.getLogger("qdreamer_lab")

_SETTLE_S = 0.5
"""How long a change of workers must last before it counts; doubled with every decision, so that
workers that come and go all the time do not keep a run busy with deciding."""

_MOST_SETTLE_S = 60.0
_STARTING_S = 5.0
"""For so long workers of a pilot that is starting count as if they were up: they are coming."""


@dataclass(slots=True)
class _Place:
    """What was seen of the workers that one `on=` stands for."""

    wanted: dict[str, int]  # when the run began
    settled: Workers
    whole: set[str]  # pilots that have had all their workers
    candidate: Workers | None = None
    since: float = 0.0
    lost: Workers = Workers()  # noqa: RUF009 frozen

    def workers(self, pilots: list[Any], *, starting: bool) -> Workers:
        """The workers that are up, or will be in a moment."""
        self.whole |= {pilot.name for pilot in pilots if pilot.workers >= pilot.wanted}
        counts = {}
        for pilot in pilots:
            coming = starting and pilot.name not in self.whole
            coming = coming and pilot.wanted == self.wanted.get(pilot.name)
            counts[pilot.name] = pilot.wanted if coming else pilot.workers
        return _workers(pilots, counts)


class Watch:
    """The workers of one run, from its beginning to its end.

    Args:
        adviser: Asked whether to plan anew when workers have come or gone; None keeps the plan.
        patience_s: How long to wait for a worker when no pilot is left that could bring one.
        clock: Seconds, from any origin.

    Attributes:
        decisions: What was decided so far.
    """

    def __init__(
        self,
        adviser: Adviser | None = None,
        *,
        patience_s: float = 60.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.decisions: tuple[Decision, ...] = ()
        self._adviser = adviser
        self._patience_s = patience_s
        self._clock = clock
        self._began = clock()
        self._decided = float("-inf")
        self._alone_since: float | None = None
        self._places: dict[str | None, _Place] = {}
        self._homes: dict[str | None, str | None] = {}  # what `on=` was before a decision
        self.begin("exact", 1)

    def begin(self, mode: str, bindings: int) -> None:
        """A plan begins to run; what was counted for an earlier one is forgotten."""
        self._mode = mode
        self._bindings = bindings
        self._done_work = self._done_s = 0.0
        self._shots_done = self._shots_planned = 0
        self._work_ahead = 0.0
        self._bindings_done = 0

    def saw(self, chunk: Chunk, seconds: float) -> None:
        """A task is over."""
        self._done_work += chunk.work
        self._done_s += seconds
        self._shots_done += chunk.shots

    def work_ahead(self, work: float) -> None:
        """So much work of the present plan comes after what is being run now."""
        self._work_ahead = max(0.0, work)

    def binding_done(self) -> None:
        """The values of one more set of parameter values are final."""
        self._bindings_done += 1

    def shots_planned(self, shots: int) -> None:
        """So many more shots are to be taken."""
        self._shots_planned += shots

    def workers(self, session: SessionLike, on: str | None, backlog: Callable[[], Backlog]) -> int:
        """How many workers there are now; asks for a decision if that has changed for good.

        Raises:
            PlanDropped: If the rest is to be planned anew.
            WorkersLostError: If no pilot is left, and none came for a while.
        """
        now = self._clock()
        place = self._places.get(on)
        if place is None:
            place = self._places[on] = _place(session.candidates(on))
        pilots = session.pilots_for(on)
        current = place.workers(pilots, starting=now - self._began < _STARTING_S)
        if not current.count:
            coming = sum(pilot.wanted for pilot in pilots)
            self._wait(place, coming, now, on)
            if not coming and on in self._homes:
                self._rescue(place, session, self._homes[on], backlog)
            return 0
        self._alone_since = None
        if current == place.settled:
            place.candidate = None
        elif current != place.candidate:
            place.candidate, place.since = current, now
        elif now - place.since >= _SETTLE_S and self._may_decide(now):
            before, place.settled, place.candidate = place.settled, current, None
            self._decide(self._standing(before, current, on, backlog()))
        return current.count

    def _may_decide(self, now: float) -> bool:
        return now - self._decided >= min(
            _MOST_SETTLE_S, math.ldexp(_SETTLE_S, min(len(self.decisions), 10))
        )

    def _wait(self, place: _Place, coming: int, now: float, on: str | None) -> None:
        """Nobody can work: say so once, and give up if nobody will come."""
        if self._alone_since is None:
            self._alone_since = now
        alone_s = now - self._alone_since
        if place.settled.count and alone_s >= _SETTLE_S and self._may_decide(now):
            before, place.settled = place.settled, Workers()
            place.lost = before
            limit = "" if coming else f" for up to {self._patience_s:g} s; add a pilot"
            at_s = now - self._began
            reason = (
                f"worker count went from {before.count} to 0 at {at_s:.1f} s: nothing is lost, "
                f"unfinished tasks wait for a worker{limit}"
            )
            self._record(Decision(at_s, before.count, 0, reason), logging.WARNING)
        if not coming and alone_s >= self._patience_s:
            which = f"on={on!r}" if on else "its tasks"
            raise WorkersLostError(
                f"no pilot is left that could run {which}, and none came for "
                f"{self._patience_s:g} s: the run was stopped. Add one with session.add_pilot() "
                "and run again"
            )

    def _rescue(
        self,
        place: _Place,
        session: SessionLike,
        home: str | None,
        backlog: Callable[[], Backlog],
    ) -> None:
        """Go back to the place before the last decision, if there are workers."""
        pilots = session.pilots_for(home)
        after = _workers(pilots, {pilot.name: pilot.workers for pilot in pilots})
        if after.count and not place.settled.count and self._may_decide(self._clock()):
            standing = self._standing(place.lost, after, home, backlog())
            self._decide(replace(standing, stranded=True))

    def _standing(
        self, before: Workers, after: Workers, on: str | None, backlog: Backlog
    ) -> Standing:
        return Standing(
            at_s=self._clock() - self._began,
            before=before,
            after=after,
            on=on,
            mode=self._mode,
            backlog=backlog,
            later=self._work_ahead,
            done_work=self._done_work,
            done_s=self._done_s,
            shots_done=self._shots_done,
            shots_asked=self._shots_planned,
            bindings=self._bindings,
            bindings_done=self._bindings_done,
            switches=sum(decision.replanned for decision in self.decisions),
        )

    def _decide(self, standing: Standing) -> None:
        if self._adviser is None or not standing.before.count:
            many = "one worker" if standing.after.count == 1 else f"{standing.after.count} workers"
            reason = f"{standing.change}: the rest is dealt out to {many}"
            counts = standing.before.count, standing.after.count
            self._record(Decision(standing.at_s, *counts, reason), logging.INFO)
            return
        decision = self._adviser.changed(standing)
        if decision.replanned:
            decision = replace(decision, dropped_s=self._done_s, dropped_shots=self._shots_done)
        self._record(decision, logging.INFO)
        if decision.course is not None:
            self._places.clear()
            on, home = decision.course.on, self._homes.get(standing.on, standing.on)
            self._homes = {} if on == home else {on: home}
            raise PlanDropped(decision)

    def _record(self, decision: Decision, level: int) -> None:
        self.decisions += (decision,)
        self._decided = self._clock()
        log.log(level, "%s", decision.reason)


def _place(pilots: list[Any]) -> _Place:
    """What is expected when a run begins: all the workers that its pilots will have."""
    wanted = {pilot.name: pilot.wanted for pilot in pilots}
    return _Place(wanted, _workers(pilots, wanted), set())


def _workers(pilots: list[Any], counts: dict[str, int]) -> Workers:
    found = (
        PilotWorkers(pilot.name, counts[pilot.name], pilot.memory_per_worker_bytes)
        for pilot in pilots
        if counts[pilot.name]
    )
    return Workers(tuple(sorted(found, key=lambda workers: workers.name)))
