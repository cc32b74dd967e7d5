"""What is done for pilots again and again: workers come back, are replaced, grow and shrink."""

import time
from typing import Any

from pilot_kernel.resource.agent.adaptive import IDLE_S, workers_needed
from pilot_kernel.resource.agent.held_pilot import HeldPilot
from pilot_kernel.resource.agent.joint_cores import in_use
from pilot_kernel.resource.agent.roster import Roster
from pilot_kernel.resource.agent.walltime import Stage, stage

__all__ = ["Upkeep"]

_LOOKED_AT = 100  # tasks that wait, for how long all of them will take
_RUNS_OUT = "its job is about to end"
_OVER = "what has reached its walltime, or was ended, is started again when there is work"


class Upkeep:
    """Looks after the pilots of an agent; `look` is called about once a second.

    Args:
        roster: The pilots.
        scheduler: The agent's scheduler.
    """

    def __init__(self, roster: Roster, scheduler: Any) -> None:
        self._roster = roster
        self._scheduler = scheduler
        self._lengths: dict[str, tuple[float, float]] = {}  # ends and lengths of workers' jobs
        self._replaced: set[str] = set()

    def look(self) -> None:
        """Do what is due."""
        scheduler = self._scheduler
        self._bring_back()
        self._lengths = {at: each for at, each in self._lengths.items() if at in scheduler.workers}
        for pilot in list(self._roster.pilots.values()):
            if not pilot.draining:
                self._watch_ends(pilot)
                self._adapt(pilot)
                self._fill_up(pilot)
        self._roster.leave()
        self._roster.empty()
        scheduler.deal()

    # ---- what has ended

    def _bring_back(self) -> None:
        """Bring back what has ended for good, if it is still wanted."""
        force = self._roster.force
        for pilot in self._roster.pilots.values():
            refused = bool(pilot.starts) and all(map(force.gave_up, pilot.starts))
            pilot.refused = refused or self._turned_away(pilot)
        if force.changing:
            return
        back = []
        for pilot in self._roster.pilots.values():
            for start in [start for start in pilot.starts if force.ended(start)]:
                if start in pilot.leaving or self._ran_out(pilot, start):
                    force.forget(start)
                    pilot.forget(start)
                elif not (force.gave_up(start) or pilot.failed) and pilot.may_come_back(start):
                    pilot.comes_back(start, pause=not force.is_here(start))
                    back.append(start)
        if back:
            force.again(back)

    def _turned_away(self, pilot: HeldPilot) -> bool:
        """Whether none of its workers was let in."""
        workers = set(pilot.workers)
        return bool(workers) and workers <= self._scheduler.refusals.keys()

    def _ran_out(self, pilot: HeldPilot, start: str) -> bool:
        """Whether what has ended had been at work, and nothing waits that needs it back."""
        if not pilot.was_up or self._roster.force.is_here(start):
            return False
        return not self._work_for(pilot)

    def _work_for(self, pilot: HeldPilot) -> bool:
        """Whether a pilot's workers have something to do, or would have."""
        if any(ws.processing for ws in self._roster.up(pilot.workers)):
            return True
        return bool(self._scheduler.could_run(pilot.could_run))

    def _fill_up(self, pilot: HeldPilot) -> None:
        """Ask for workers that ran out, when there is work for them again."""
        missing = pilot.goal - pilot.size
        if pilot.adaptive is not None or pilot.failed or missing <= 0:
            pilot.note = ""
        elif self._work_for(pilot):
            pilot.note = ""
            self._roster.force.start(pilot.grow(missing))
        else:
            pilot.note = _OVER

    # ---- what is about to end

    def _watch_ends(self, pilot: HeldPilot) -> None:
        """Replace, empty and remove the starts whose jobs are about to end."""
        over = []
        for start in list(pilot.starts):
            at = self._stage(pilot, start)
            if at >= Stage.REPLACE and start not in self._replaced and self._work_for(pilot):
                self._replaced.add(start)
                self._replace(pilot, start)
            if at >= Stage.LEAVES and start not in pilot.leaving:
                pilot.leaving[start] = _RUNS_OUT
            if at is Stage.OVER:
                over.append(start)
        self._replaced &= {start for each in self._roster.pilots.values() for start in each.starts}
        if over:
            self._roster.leave()
            self._roster.remove_soon(pilot, over)

    def _replace(self, pilot: HeldPilot, start: str) -> None:
        """Ask for what is to take over from a start; until then there is one more."""
        if pilot.adaptive is not None or start in pilot.leaving:
            return
        wanted = pilot.goal - pilot.size + len(pilot.starts[start])
        if wanted > 0:
            self._roster.force.start(pilot.grow(wanted))

    def _stage(self, pilot: HeldPilot, start: str) -> Stage:
        """The latest stage of a start's workers."""
        stages = [Stage.WORKS]
        for ws in self._roster.up(pilot.starts[start]):
            ends_at = self._scheduler.ends_at(ws)
            if ends_at is None:
                continue
            known = self._lengths.get(ws.address)
            if known is None or known[0] != ends_at:  # its first word, or its job was prolonged
                known = self._lengths[ws.address] = (ends_at, ends_at - time.time())
            stages.append(stage(ends_at, known[1], time.time()))
        return max(stages)

    # ---- as many as it takes

    def _adapt(self, pilot: HeldPilot) -> None:
        """Have an adaptive pilot grow while tasks wait, and shrink by what is idle for a while."""
        if pilot.adaptive is None or pilot.failed:
            return
        scheduler, roster = self._scheduler, self._roster
        fewest, most = pilot.adaptive
        some, waiting = scheduler.waiting.some(pilot.could_run, _LOOKED_AT)
        demands = [d for d, _ in scheduler.waiting.demands() if pilot.could_run(d)]
        widest = max((pilot.span(demand) or 0 for demand in demands), default=0)
        each_s = sum(map(scheduler.expected_s, some)) / max(1, len(some))
        busy = [ws for ws in roster.up(self._names(pilot)) if ws.processing]
        at_work_s = sum(ws.occupancy for ws in busy)
        lent = sum(map(in_use, busy))
        needed = workers_needed(waiting, waiting * each_s, lent, at_work_s)
        wanted = max(fewest, min(most, max(needed, widest)))
        if wanted > pilot.size:
            roster.resize(pilot, wanted)
        elif wanted < pilot.size:
            self._shrink(pilot, wanted, waiting)

    def _names(self, pilot: HeldPilot) -> list[str]:
        return [worker for names in pilot.staying.values() for worker in names]

    def _shrink(self, pilot: HeldPilot, wanted: int, waiting: int) -> None:
        """Let starts go whose workers have all been idle for a while, the latest first."""
        for start in reversed(list(pilot.staying)):
            names = pilot.starts[start]
            there = self._roster.up(names)
            idle = all(self._scheduler.idle_s(ws) >= IDLE_S for ws in there)
            if not there and waiting:  # it may be about to come up
                continue
            if idle and pilot.size - len(names) >= wanted:
                pilot.leaving[start] = "it has had nothing to do"
        pilot.goal = pilot.size
