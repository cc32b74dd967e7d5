"""The agent itself: the scheduler, its pilots, and the watch over whether anyone needs them."""

import asyncio
import contextlib
import dataclasses
import importlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import cloudpickle

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import credentials, registry
from pilot_kernel.resource.agent.chronicle import Chronicle
from pilot_kernel.resource.agent.monitor import PERIOD_S, Monitor
from pilot_kernel.resource.agent.network import LOOPBACK, Network
from pilot_kernel.resource.agent.own_job import Deserted
from pilot_kernel.resource.agent.roster import Roster
from pilot_kernel.resource.agent.upkeep import Upkeep
from pilot_kernel.resource.kind.kind import Site
from pilot_kernel.resource.neighbours import crowding, fair_share, neighbours

__all__ = ["Agent"]

log = logging.getLogger("pilot_kernel.agent")

_Owner = tuple[int, float]  # process and when it began, as `registry.runs` takes them
_LEAVING_S = 10.0  # closing all workers takes well under a second each
_COMING_S = 60.0  # a busy machine may need long to import Dask


class Agent:
    """The scheduler, its pilots, and the watch over whether anyone still needs them."""

    def __init__(
        self,
        entry: registry.AgentEntry,
        owner: _Owner,
        plugins: Sequence[str],
        interface: str | None = None,
    ) -> None:
        self.entry = entry
        self.deserted = Deserted(entry, owner)
        self.plugins = plugins
        self.interface = interface
        self.leave = asyncio.Event()
        self.why = ""
        self.cluster: Any = None
        self.roster: Roster
        self.upkeep: Upkeep
        self.chronicle: Chronicle
        self.monitor = Monitor()
        self.dashboard_port: int | None = None

    @property
    def scheduler(self) -> Any:
        """The live scheduler."""
        return self.cluster.scheduler

    async def run(self) -> None:
        """Serve until told to leave, or until nobody has needed the agent for a while."""
        from distributed import SpecCluster

        from pilot_kernel.resource.agent.scheduler import AgentScheduler

        security = credentials.create(self.entry.directory)
        options = {
            "host": "127.0.0.1",
            "port": 0,
            "protocol": "tls://",
            "security": security,
            "dashboard": False,
        }
        self.cluster = SpecCluster(
            scheduler={"cls": AgentScheduler, "options": options},
            workers={},
            asynchronous=True,
            security=security,
            name=self.entry.id,
        )
        async with self.cluster:
            network = Network(self.scheduler, security)
            if self.interface is not None:  # the notebook is on another machine
                await network.open(self.interface)
            self.roster = roster = Roster(self.cluster, network, self._site(security, network))
            self.upkeep = Upkeep(roster, self.scheduler)
            self.chronicle = Chronicle(self.entry, roster.statuses, self._working_directories)
            watched = self.chronicle.looking
            for handler in (
                *(watched(self.pilot_add), watched(roster.pilot_scale)),
                *(watched(roster.pilot_adapt), watched(roster.pilot_drain)),
                *(watched(roster.pilot_replace), watched(roster.pilot_stop)),
                *(roster.pilot_list, roster.pilot_script),
                *(self.scheduler.orphans, self.scheduler.hand_over, self.scheduler.people),
                *(self.pilot_activity, self.welcome, self.agent_leave, self.dashboard),
            ):
                self.scheduler.handlers[handler.__name__] = handler
            await self.scheduler.register_scheduler_plugin(self.chronicle, idempotent=False)
            await self._plug_in()
            self._publish("open", network.scheduler)
            watches = [asyncio.create_task(watch()) for watch in (self._watch, self._sample)]
            for watch in watches:
                watch.add_done_callback(self._ended)
            await self.leave.wait()
            for watch in watches:
                watch.cancel()
            asyncio.get_running_loop().call_later(_LEAVING_S, self._break_off)
            for name in list(roster.pilots):
                await roster.pilot_stop(name, graceful=False)
            self.chronicle.leave(self.why)

    def _working_directories(self) -> set[str]:
        """Where pilots' workers keep their files, as far as users have said so."""
        told = (pilot.description.working_directory for pilot in self.roster.pilots.values())
        return {folder for folder in told if folder is not None}

    def _site(self, security: Any, network: Network) -> Site:
        return Site(
            agent=self.entry.id,
            pilot="",
            security=security,
            scheduler=network.scheduler,
            host=network.host,
            directory=self.entry.directory,
        )

    async def _plug_in(self) -> None:
        """Add the plugins before anybody can call; who started the agent may be dead by then."""
        from distributed import WorkerPlugin

        for path in self.plugins:
            module, _, name = path.partition(":")
            plugin = getattr(importlib.import_module(module), name)()
            if isinstance(plugin, WorkerPlugin):
                await self.scheduler.register_worker_plugin(
                    None, cloudpickle.dumps(plugin), name=plugin.name, idempotent=False
                )
            else:
                await self.scheduler.register_scheduler_plugin(plugin, idempotent=False)

    def _publish(self, phase: registry.Phase, address: str) -> None:
        self.entry = dataclasses.replace(self.entry, phase=phase, address=address)
        with contextlib.suppress(FileNotFoundError):  # somebody removed the folder: so be it
            registry.write(self.entry)

    def depart(self, why: str) -> None:
        """Begin to leave: nobody new is let in from now on."""
        if not self.leave.is_set():
            log.info("leaving: %s", why)
            self.why = why
            self._publish("leaving", self.entry.address)
            self.leave.set()

    def _break_off(self) -> None:
        """Leave at once, since leaving in good order takes too long."""
        log.error("workers did not close within %s s; they are killed", _LEAVING_S)
        registry.kill_children()
        self.chronicle.leave(f"{self.why}; workers had to be killed")
        registry.forget(self.entry)
        os._exit(1)

    def _ended(self, watch: "asyncio.Task[None]") -> None:
        """Leave if a watch has failed: without it the agent would stay for ever."""
        if not watch.cancelled() and (error := watch.exception()) is not None:
            log.error("a watch of the agent failed", exc_info=error)
            self.depart(f"a watch of the agent failed: {error!r}")

    async def _sample(self) -> None:
        while True:
            _undisturbed(lambda: self.monitor.sample(self.scheduler, self.roster.workers()))
            _undisturbed(self.chronicle.look)
            _undisturbed(self._look_around)
            await asyncio.sleep(PERIOD_S)

    def _look_around(self) -> None:
        """Tell other sessions what is taken here, and share this machine with them."""
        if self.entry.batch:  # what a job was given is its own
            return
        pilots = [pilot for pilot in self.roster.pilots.values() if pilot.local_cores]
        cores = sum(pilot.local_cores for pilot in pilots)
        given = [pilot.description.memory_per_node_bytes for pilot in pilots]
        memory = None if None in given else sum(filter(None, given))
        if (cores, memory) != (self.entry.local_cores, self.entry.local_memory_bytes):
            self.entry = dataclasses.replace(
                self.entry, local_cores=cores, local_memory_bytes=memory
            )
            self._publish(self.entry.phase, self.entry.address)
        others = neighbours(registry.entries(), {self.entry.id}) if cores else []
        for pilot in self.roster.pilots.values():
            if not pilot.local_cores:
                pilot.crowding, pilot.memory_share = "", 1.0
                continue
            shares = pilot.description.memory_per_node_bytes is None
            pilot.memory_share = fair_share(others) if shares else 1.0
            promised = pilot.local_memory_bytes if shares else None
            pilot.crowding = crowding(cores, others, promised_bytes=promised)
            self.scheduler.promise_memory(pilot.memory_of_workers())

    async def _watch(self) -> None:
        """Leave when nobody needs the agent.

        That is after `idle_timeout_s` without a client and without work that can go on. If the
        session has no name, it is also when its process has ended: nobody can come back to it, so
        its work is nobody's. Whoever has started it is given time to come.
        """
        limit_s = self.entry.idle_timeout_s
        needed = began = time.monotonic()
        while time.monotonic() - needed < limit_s:
            await asyncio.sleep(min(1.0, limit_s / 4))
            _undisturbed(self.upkeep.look)
            people = self.scheduler.people()
            if self.deserted.now(people):
                return self.depart("the process of this session without a name has ended")
            coming = self.deserted.expects() and time.monotonic() - began < _COMING_S
            if people or coming or self.roster.has_work():
                needed = time.monotonic()
        return self.depart(f"no client and no work for {limit_s} s")

    async def pilot_add(self, description: dict[str, Any], unless_any: bool = False) -> str:
        """Start a pilot's workers in the background and return its name; see `Roster`."""
        name = await self.roster.pilot_add(description, unless_any)
        _undisturbed(self._look_around)  # what is told of it next counts on its share
        return name

    async def pilot_activity(self) -> dict[str, Any]:
        """What every worker does and did, as plain dicts; `Activity.read` reads it."""
        roster = self.roster
        return self.monitor.activity(self.scheduler, roster.statuses(), roster.workers())

    async def welcome(self) -> bool:
        """Whether a client that has just come may stay; if not, the agent is about to end."""
        self.deserted.met()
        return not self.leave.is_set()

    async def agent_leave(self) -> None:
        """Close everything and end the process."""
        self.depart("a client asked for it")

    async def dashboard(self) -> int:
        """Open Dask's dashboard on the loopback interface and return its port."""
        if self.dashboard_port is None:
            try:
                import distributed.dashboard.scheduler as pages
            except ModuleNotFoundError as error:
                raise PilotError(
                    f"Dask's dashboard needs the package {str(error.name).partition('.')[0]!r}, "
                    "which is not installed: "
                    "pip install bokeh jinja2, then begin a new session"
                ) from None
            server = self.scheduler.http_server
            pages.connect(self.scheduler.http_application, server, self.scheduler, prefix="")
            server.listen(0, address=LOOPBACK)
            self.dashboard_port = next(iter(server._sockets.values())).getsockname()[1]
        return self.dashboard_port


def _undisturbed(work: Callable[[], object]) -> None:
    """Do what is done again and again; a fault in it is told, and must not end the watch."""
    try:
        work()
    except Exception:
        log.exception("a part of the agent's work failed; it is tried again")
