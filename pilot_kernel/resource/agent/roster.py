"""The agent's pilots: which workers each should have, and what it takes to change that."""

import asyncio
import dataclasses
import logging
from collections.abc import Iterable
from typing import Any

from pilot_kernel.errors import DescriptionError, PilotError
from pilot_kernel.resource.agent.held_pilot import SURPLUS, HeldPilot
from pilot_kernel.resource.agent.network import Network
from pilot_kernel.resource.agent.workforce import Workforce
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site
from pilot_kernel.resource.pilot import PilotState, PilotStatus

__all__ = ["Roster"]

log = logging.getLogger("pilot_kernel.agent")

_MOVED = "it listens where others cannot reach it"
_GOES = "it is being removed"
_COMING_S = 60.0
_POLL_S = 0.1


class Roster:
    """The pilots of one agent.

    Args:
        cluster: The `SpecCluster` that all workers belong to.
        network: Where the agent listens.
        site: The agent as kinds of pilot see it; of which pilot, and which addresses, changes.

    Attributes:
        pilots: The pilots, by name.
        force: What brings up their workers.
    """

    def __init__(self, cluster: Any, network: Network, site: Site) -> None:
        self.pilots: dict[str, HeldPilot] = {}
        self.force = Workforce(cluster)
        self._cluster = cluster
        self._network = network
        self._site = site
        self._promised: set[str] = set()  # names of pilots that are about to be added
        self._going: dict[str, tuple[str, ...]] = {}  # starts that are being removed
        self._ending: set[str] = set()  # names of pilots that are being stopped
        cluster.scheduler.blame.watched_here = self.force.is_here
        cluster.scheduler.joint.nodes = self._nodes

    # ---- how they stand

    def workers(self) -> dict[str, list[str]]:
        """Names of the workers that each pilot has or should have."""
        return {name: pilot.workers for name, pilot in self.pilots.items()}

    def statuses(self) -> list[PilotStatus]:
        """How every pilot stands."""
        return [pilot.status(self._cluster) for pilot in self.pilots.values()]

    async def pilot_list(self) -> list[dict[str, Any]]:
        """The status of every pilot, as plain dicts."""
        return [dataclasses.asdict(status) for status in self.statuses()]

    def up(self, names: Iterable[str]) -> list[Any]:
        """Dask's states of those of some workers that are up."""
        scheduler = self._cluster.scheduler
        addresses = (scheduler.aliases.get(name) for name in names)
        return [scheduler.workers[at] for at in addresses if at in scheduler.workers]

    def _nodes(self) -> dict[Any, str]:
        """What stands for the node on which each worker shares its pilot's cores with others."""
        return {name: node for pilot in self.pilots.values() for name, node in pilot.nodes()}

    def has_work(self) -> bool:
        """Whether there is work that can go on, now or when workers are up."""
        scheduler = self._cluster.scheduler
        unfinished = scheduler.unfinished()
        if not unfinished:
            return False
        if any(ts.state in ("processing", "queued") for ts in unfinished):
            return True
        if any(status.state is PilotState.PENDING for status in self.statuses()):
            return True
        able = [pilot for pilot in self.pilots.values() if not (pilot.failed or pilot.draining)]
        return any(scheduler.could_run(pilot.could_run) for pilot in able)

    # ---- adding

    async def pilot_add(self, description: dict[str, Any], unless_any: bool = False) -> str:
        """Start a pilot's workers in the background and return its name.

        Args:
            description: Keys of `PilotDescription`.
            unless_any: Whether nothing is to be done if there is a pilot, or one is just added.
        """
        if unless_any:
            while self._promised:
                await asyncio.sleep(_POLL_S)
            if self.pilots:
                return next(iter(self.pilots))
        described = PilotDescription.coerce(None, **description)
        name = described.name or self._free_name(by_scheme.usual_name(described))
        if name in self._ending:  # its workers would be called as those that go
            raise DescriptionError(f"pilot {name!r} is being stopped; try again when it is gone")
        if name in (*self.pilots, *self._promised):
            raise DescriptionError(
                f"there is a pilot called {name!r} already; give another name=, or stop that one"
            )
        self._promised.add(name)
        try:
            await self._listen(described)
            # In a thread: a kind may look at hosts that are far away.
            site = self._site_of(name)
            pilot = await asyncio.to_thread(HeldPilot, described, site)
            while site != (site := self._site_of(name)):  # another pilot has had addresses changed
                await asyncio.to_thread(pilot.describe, described, site)
        finally:
            self._promised.discard(name)
        self.pilots[name] = pilot
        self.force.start(pilot.grow(pilot.asked_for))
        log.info("pilot %s: %s", name, described)
        return name

    async def pilot_script(self, name: str = "", description: dict[str, Any] | None = None) -> str:
        """The batch script of a pilot's first job, or of that of one that is not added yet."""
        if description is None:
            return by_scheme.job_script(self._called(name).description, self._site_of(name))
        described = PilotDescription.coerce(None, **description)
        await self._listen(described)  # where the scheduler listens is part of the script
        name = described.name or self._free_name(by_scheme.usual_name(described))
        return by_scheme.job_script(described, self._site_of(name))

    def _site_of(self, pilot: str) -> Site:
        at = self._network
        return dataclasses.replace(self._site, pilot=pilot, host=at.host, scheduler=at.scheduler)

    def _free_name(self, usual: str) -> str:
        names = (usual, *(f"{usual}{number}" for number in range(2, 1000)))
        taken = {*self.pilots, *self._promised, *self._ending}
        return next(name for name in names if name not in taken)

    async def _listen(self, described: PilotDescription) -> None:
        """Listen where a pilot's workers can reach the agent, and each other.

        Those of this machine that listen on loopback are replaced.
        """
        if described.interface is None or not await self._network.open(described.interface):
            return
        for pilot in self.pilots.values():
            if any(self.force.is_here(start) for start in pilot.starts):
                self.force.in_background(self._move(pilot))

    async def _move(self, pilot: HeldPilot) -> None:
        """Replace a pilot's workers, which are processes of this machine, by others elsewhere."""
        old = list(pilot.staying)
        pilot.specs = by_scheme.worker_specs(pilot.description, self._site_of(pilot.name))
        before = set(pilot.starts)
        kept, pilot.leaving = pilot.leaving, {}  # none of those may be kept after all
        self.force.start(pilot.grow(sum(len(pilot.starts[start]) for start in old)))
        pilot.leaving = kept
        new = [start for start in pilot.starts if start not in before]
        heirs = [worker for start in new for worker in pilot.starts[start]]
        loop = asyncio.get_running_loop()
        patience = loop.time() + _COMING_S
        while len(self.up(heirs)) < len(heirs) and loop.time() < patience:
            await asyncio.sleep(_POLL_S)
        pilot.leaving.update({start: _MOVED for start in old if start in pilot.starts})
        self.leave()
        await self.force.hand_on([w for start in old for w in pilot.starts.get(start, ())], heirs)
        self.empty()

    # ---- changing

    def _called(self, name: str) -> HeldPilot:
        if name not in self.pilots:
            raise PilotError(f"pilot {name!r} was stopped")
        return self.pilots[name]

    async def pilot_scale(self, name: str, workers: int) -> None:
        """Grow or shrink a pilot to so many workers.

        Those with nothing to do go first, and at once; one that runs a task goes when that is done.
        """
        pilot = self._steady(name)
        pilot.adaptive = None
        await self._resize(pilot, workers)

    async def pilot_adapt(self, name: str, minimum: int, maximum: int) -> None:
        """Have a pilot grow and shrink by itself, between two numbers of workers."""
        pilot = self._steady(name)
        pilot.adaptive = (minimum, maximum)
        if not minimum <= pilot.size <= maximum:
            await self._resize(pilot, max(minimum, min(maximum, pilot.size)))

    def _steady(self, name: str) -> HeldPilot:
        pilot = self._called(name)
        if pilot.draining:
            raise PilotError(f"pilot {name!r} is draining and takes no more tasks; add another")
        return pilot

    async def _resize(self, pilot: HeldPilot, workers: int) -> None:
        self.resize(pilot, workers)
        idle = self._empty_starts(pilot)
        if idle:
            await self._remove(pilot, idle, graceful=True)

    def resize(self, pilot: HeldPilot, workers: int) -> None:
        """Ask for workers, or see that some leave."""
        surplus = pilot.size - workers
        if surplus < 0:
            self.force.start(pilot.grow(-surplus))
        elif surplus > 0:
            up = self.up(pilot.workers)
            busy = {ws.name: len(ws.processing) for ws in up}
            chosen = pilot.shrink(surplus, busy, {ws.name for ws in up})
            pilot.leaving.update(dict.fromkeys(chosen, SURPLUS))
        pilot.goal = workers if surplus < 0 else pilot.size
        self.leave()

    async def pilot_drain(self, name: str) -> None:
        """Give a pilot no more tasks; it ends when those that run there have ended."""
        pilot = self._called(name)
        pilot.draining, pilot.adaptive, pilot.goal = True, None, 0
        pilot.leaving.update(dict.fromkeys(pilot.starts, "its pilot is draining"))
        self.leave()
        self.empty()

    async def pilot_replace(self, name: str, changes: dict[str, Any]) -> int:
        """Give up what has not brought up a worker yet, and start as much anew, with changes.

        Returns:
            How many starts were given up.
        """
        pilot = self._steady(name)
        fixed = {"resource", "name", "number_of_nodes"} & set(changes)
        if fixed:
            raise DescriptionError(f"{', '.join(sorted(fixed))}: cannot be changed; add a pilot")
        described = PilotDescription.coerce(pilot.description, **changes)
        by_scheme.check_description(described)
        await self._listen(described)
        await asyncio.to_thread(pilot.describe, described, self._site_of(name))
        waiting = [start for start, names in pilot.staying.items() if not self.up(names)]
        missing = sum(len(pilot.starts[start]) for start in waiting)
        await self._remove(pilot, waiting, graceful=False)
        self.force.start(pilot.grow(missing))
        return len(waiting)

    async def pilot_stop(self, name: str, graceful: bool = True) -> None:
        """End a pilot; its results move to other workers, its unfinished tasks run elsewhere."""
        if not graceful and name not in self.pilots:  # it was draining, and is gone by now
            return
        pilot = self._called(name)
        pilot.draining = True
        del self.pilots[name]
        self._ending.add(name)
        try:
            await self._remove(pilot, list(pilot.starts), graceful=graceful)
        finally:
            self._ending.discard(name)

    # ---- leaving

    def leave(self) -> None:
        """Tell the scheduler which workers are given nothing more."""
        names = {
            worker
            for pilot in self.pilots.values()
            for start in pilot.leaving
            for worker in pilot.starts.get(start, ())
        }
        going = {worker for workers in self._going.values() for worker in workers}
        self._cluster.scheduler.let_leave(names | going)

    def empty(self) -> None:
        """Begin to remove what leaves and has nothing to do any more."""
        for pilot in list(self.pilots.values()):
            idle = self._empty_starts(pilot)
            if idle or (pilot.draining and not pilot.starts):
                self.force.in_background(self._remove(pilot, idle, graceful=True))

    def _empty_starts(self, pilot: HeldPilot) -> list[str]:
        """The starts of a pilot that leave and may be removed now."""
        return [
            start
            for start in pilot.leaving
            if start in pilot.starts
            and start not in self._going
            and not any(ws.processing for ws in self.up(pilot.starts[start]))
        ]

    async def _remove(self, pilot: HeldPilot, starts: list[str], *, graceful: bool) -> None:
        going = {start: pilot.starts[start] for start in starts if start in pilot.starts}
        moved = any(pilot.leaving.get(start) == _MOVED for start in starts)
        heirs = [w for names in pilot.staying.values() for w in names] if moved else []

        def gone() -> None:
            for start in starts:
                pilot.forget(start)

        self._going.update(going)
        pilot.leaving.update(dict.fromkeys(going, _GOES))  # none of them can be kept any more
        self.leave()
        try:
            await self.force.remove(going, graceful=graceful, gone=gone, heirs=heirs)
        finally:
            for start in going:
                self._going.pop(start, None)
        if pilot.draining and not pilot.starts and self.pilots.get(pilot.name) is pilot:
            del self.pilots[pilot.name]
            log.info("pilot %s is empty, and gone", pilot.name)
        self.leave()

    def remove_soon(self, pilot: HeldPilot, starts: list[str]) -> None:
        """Begin to remove starts, whatever they run; that runs elsewhere."""
        self.force.in_background(self._remove(pilot, starts, graceful=True))
