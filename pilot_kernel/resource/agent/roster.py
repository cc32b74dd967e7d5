"""The agent's pilots: which workers each should have, and what it takes to change that.

All of them are workers of one `SpecCluster`. It changes one thing at a time, so changes wait for
each other here.
"""

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.agent.held_pilot import HeldPilot
from pilot_kernel.resource.agent.network import Network
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["Roster"]

log = logging.getLogger("pilot_kernel.agent")

_CLOSING_S = 8.0  # Dask kills a worker that does not close within 4 s
_LOOK_S = 1.0
_SILENT_LOOKS = 10  # a worker calls every two seconds at least, whatever its task does


class Roster:
    """The pilots of one agent.

    Args:
        cluster: The `SpecCluster` that all workers belong to.
        network: Where the agent listens.
        site: The agent as kinds of pilot see it; of which pilot, and which addresses, changes.
    """

    def __init__(self, cluster: Any, network: Network, site: Site) -> None:
        self.pilots: dict[str, HeldPilot] = {}
        self._cluster = cluster
        self._network = network
        self._site = site
        self._promised: set[str] = set()  # names of pilots that are about to be added
        self._changing = asyncio.Lock()
        self._background: set[asyncio.Future[Any]] = set()
        self._without_process: frozenset[str] = frozenset()

    def workers(self) -> dict[str, list[str]]:
        """Names of the workers that each pilot should have."""
        return {name: pilot.workers for name, pilot in self.pilots.items()}

    def statuses(self) -> list[PilotStatus]:
        """How every pilot stands."""
        return [pilot.status(self._cluster) for pilot in self.pilots.values()]

    async def pilot_list(self) -> list[dict[str, Any]]:
        """The status of every pilot, as plain dicts."""
        return [dataclasses.asdict(status) for status in self.statuses()]

    def revive(self) -> None:
        """Bring back workers that ended for good: one that died while it started, or was cut off.

        A nanny restarts a worker that dies later by itself.
        """
        if self._changing.locked():
            return
        for pilot in self.pilots.values():
            pilot.refused = self._turned_away(pilot) or any(map(self._gave_up, pilot.starts))
        dead = [
            (pilot, name)
            for pilot in self.pilots.values()
            for name in pilot.starts
            if not pilot.failed and self._ended(name)
        ]
        for pilot, name in dead:
            log.info("worker %s ended; bringing it back", name)
            worker = self._cluster.workers.pop(name, None)
            if worker is not None:
                self._in_background(worker.close())
            pilot.revived += 1
        if dead:
            self._correct_soon()

    def _turned_away(self, pilot: HeldPilot) -> bool:
        """Whether none of its workers was let in."""
        refused = self._cluster.scheduler.refusals
        return bool(pilot.workers) and all(worker in refused for worker in pilot.workers)

    def _gave_up(self, name: str) -> bool:
        """Whether a worker, or what brings it up, says that another one would not come either."""
        return getattr(self._cluster.workers.get(name), "gave_up", False)

    def _ended(self, name: str) -> bool:
        from distributed import Nanny
        from distributed.core import Status

        worker = self._cluster.workers.get(name)
        if worker is None or worker.status in (Status.closed, Status.failed):
            return True
        if isinstance(worker, Nanny) and not worker.is_alive():
            # It may be about to restart its process; twice in a row means that it failed to.
            seen, self._without_process = (
                name in self._without_process,
                self._without_process | {name},
            )
            return seen
        self._without_process -= {name}
        return False

    async def pilot_add(self, description: dict[str, Any]) -> str:
        """Start a pilot's workers in the background and return its name."""
        described = PilotDescription.coerce(None, **description)
        name = described.name or self._free_name(by_scheme.usual_name(described))
        if name in (*self.pilots, *self._promised):
            raise DescriptionError(f"there is a pilot called {name!r} already")
        self._promised.add(name)
        try:
            if described.interface is not None:
                await self._network.open(described.interface)
            # In a thread: a kind may look at hosts that are far away.
            pilot = await asyncio.to_thread(HeldPilot, described, self._site_of(name))
        finally:
            self._promised.discard(name)
        self.pilots[name] = pilot
        self._cluster.worker_spec.update(pilot.grow(pilot.asked_for))
        self._correct_soon()
        log.info("pilot %s: %s", name, described)
        return name

    async def pilot_script(self, name: str = "", description: dict[str, Any] | None = None) -> str:
        """The batch script of a pilot's first job, or of that of one that is not added yet."""
        if description is None:
            return by_scheme.job_script(self.pilots[name].description, self._site_of(name))
        described = PilotDescription.coerce(None, **description)
        if described.interface is not None:  # where the scheduler listens is part of the script
            await self._network.open(described.interface)
        name = described.name or self._free_name(by_scheme.usual_name(described))
        return by_scheme.job_script(described, self._site_of(name))

    def _site_of(self, pilot: str) -> Site:
        at = self._network
        return dataclasses.replace(self._site, pilot=pilot, host=at.host, scheduler=at.scheduler)

    def _free_name(self, usual: str) -> str:
        names = (usual, *(f"{usual}{number}" for number in range(2, 1000)))
        taken = {*self.pilots, *self._promised}
        return next(name for name in names if name not in taken)

    def _correct_soon(self) -> None:
        self._in_background(self._correct())

    def _in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _correct(self) -> None:
        async with self._changing:
            try:
                await self._cluster._correct_state()
            except Exception:  # the pilot stays PENDING and the log tells why
                log.exception("workers did not start")

    async def pilot_scale(self, name: str, workers: int) -> None:
        """Grow or shrink a pilot to so many workers; those that go hand their results on first."""
        pilot = self.pilots[name]
        surplus = len(pilot.workers) - workers
        if surplus < 0:
            self._cluster.worker_spec.update(pilot.grow(-surplus))
            self._correct_soon()
        elif surplus > 0:
            await self._remove(pilot, _last(pilot, surplus), graceful=True)

    async def pilot_replace(self, name: str, changes: dict[str, Any]) -> int:
        """Give up what has not brought up a worker yet, and start as much anew, with changes.

        Returns:
            How many starts were given up.
        """
        pilot = self.pilots[name]
        fixed = {"resource", "name", "number_of_nodes"} & set(changes)
        if fixed:
            raise DescriptionError(f"{', '.join(sorted(fixed))}: cannot be changed; add a pilot")
        described = PilotDescription.coerce(pilot.description, **changes)
        by_scheme.check_description(described)
        if described.interface is not None:
            await self._network.open(described.interface)
        up = {ws.name for ws in self._cluster.scheduler.workers.values()}
        waiting = [start for start, workers in pilot.starts.items() if up.isdisjoint(workers)]
        missing = sum(len(pilot.starts[start]) for start in waiting)
        await asyncio.to_thread(pilot.describe, described, self._site_of(name))
        await self._remove(pilot, waiting, graceful=False)
        self._cluster.worker_spec.update(pilot.grow(missing))
        self._correct_soon()
        return len(waiting)

    async def pilot_stop(self, name: str, graceful: bool = True) -> None:
        """End a pilot; its results move to other workers, its unfinished tasks run elsewhere."""
        pilot = self.pilots.pop(name)
        await self._remove(pilot, list(pilot.starts), graceful=graceful)

    async def _remove(self, pilot: HeldPilot, starts: list[str], *, graceful: bool) -> None:
        workers = [worker for start in starts for worker in pilot.starts[start]]
        async with self._change(workers):
            if graceful:
                await self._retire(workers)
            for start in starts:
                del pilot.starts[start]
                self._cluster.worker_spec.pop(start, None)
            closing = asyncio.ensure_future(self._cluster._correct_state())
            await self._wait_or_kill(closing, workers)

    async def _retire(self, names: list[str]) -> None:
        """Have workers hand on what they hold; those that fall silent meanwhile are killed.

        Dask waits for minutes for a worker that is frozen.
        """
        scheduler = self._cluster.scheduler
        up = {ws.name for ws in scheduler.workers.values()}
        retiring = scheduler.retire_workers(names=[name for name in names if name in up])
        retired = asyncio.ensure_future(retiring)
        # Looks are counted, not seconds: the agent may have been frozen itself.
        looks: deque[dict[str, float]] = deque(maxlen=_SILENT_LOOKS)
        while not (await asyncio.wait({retired}, timeout=_LOOK_S))[0]:
            heard = {at: ws.last_seen for at, ws in scheduler.workers.items() if ws.name in names}
            if len(looks) == _SILENT_LOOKS:
                silent = (at for at, last in heard.items() if looks[0].get(at) == last)
                self._kill(scheduler.workers[at].name for at in silent)
            looks.append(heard)
        await retired

    @contextlib.asynccontextmanager
    async def _change(self, doomed: list[str]) -> AsyncIterator[None]:
        """Change which workers there are, when the change that is under way is through."""
        await self._wait_or_kill(asyncio.ensure_future(self._changing.acquire()), doomed)
        try:
            yield
        finally:
            self._changing.release()

    async def _wait_or_kill(self, change: "asyncio.Future[Any]", doomed: list[str]) -> None:
        """Wait for a change; kill workers that are to go anyway if one may be holding it up.

        Dask waits forever for a worker that does not come to start.
        """
        while not (await asyncio.wait({change}, timeout=_CLOSING_S))[0]:
            self._kill(doomed)
        await change

    def _kill(self, names: Iterable[str]) -> None:
        """Kill workers, whatever state they are in."""
        doomed = set(names)
        for nanny in self._cluster._created:
            process = getattr(nanny, "process", None)
            if nanny.name in doomed and process is not None and process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)


def _last(pilot: HeldPilot, count: int) -> list[str]:
    """The last starts of a pilot that bring up so many workers, or fewer: no others may go."""
    chosen: list[str] = []
    for start, workers in reversed(pilot.starts.items()):
        count -= len(workers)
        if count < 0:
            break
        chosen.append(start)
    return chosen
