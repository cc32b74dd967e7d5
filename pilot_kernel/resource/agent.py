"""The agent: one process per session that outlives the notebook's kernel.

It hosts the scheduler and the pilots' workers, and leaves by itself when nobody needs it. It is
started by `launch.py` as `python -m pilot_kernel.resource.agent` and knows nothing of what tasks
are about.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import gc
import importlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import psutil

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import credentials, kinds, nursery, registry
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.monitor import PERIOD_S, Monitor
from pilot_kernel.resource.pilot import PilotState, PilotStatus

log = logging.getLogger("pilot_kernel.agent")

_PRELOAD = ("distributed", "pilot_kernel.task.worker")
_Owner = tuple[int, float]  # process and when it began, as `registry.runs` takes them
_NEVER = 10**9
_CLOSING_S = 8.0  # Dask kills a worker that does not close within 4 s
_LEAVING_S = 10.0  # closing all workers takes well under a second each
_REVIVALS = 5  # a worker that ended so often before any was up will not come


def _configure(scratch: str) -> None:
    import dask

    dask.config.set(
        {
            "distributed.worker.multiprocessing-method": "forkserver",
            "distributed.worker.daemon": False,  # a task may start processes of its own
            "distributed.worker.profile.enabled": False,
            "distributed.scheduler.allowed-failures": _NEVER,  # AgentScheduler decides
            "distributed.scheduler.http.routes": [],  # pages that anyone on the node could read
            "distributed.worker.http.routes": [],
            "distributed.nanny.http.routes": [],
            "distributed.admin.low-level-log-length": 100,  # events carry small results
            # Agents wait behind every open notebook, on shared login nodes too: what Dask looks
            # at again and again is looked at as often as somebody can make use of it.
            "distributed.admin.tick.interval": "1s",
            "distributed.admin.tick.cycle": "10s",
            "distributed.admin.system-monitor.interval": f"{PERIOD_S}s",
            "distributed.worker.memory.monitor-interval": "1s",
            "temporary-directory": scratch,
        }
    )


def _start_nursery(scratch: str) -> "subprocess.Popen[bytes]":
    """Start what task processes are forked from, and tell workers where it and results are."""
    for variable in nursery.ONE_THREAD:
        os.environ.setdefault(variable, "1")
    results = os.path.join(scratch, "results")
    os.mkdir(results, mode=0o700)
    os.environ[nursery.RESULTS_VARIABLE] = results
    path = os.environ[nursery.VARIABLE] = os.path.join(scratch, "nursery")
    return nursery.start(path)


def _start_forkserver(entry: registry.AgentEntry) -> None:
    """Import Dask once, in the process that workers are forked from.

    A worker that must be replaced is then up in a fraction of a second.
    """
    import multiprocessing.forkserver
    import multiprocessing.process

    # Dask's nannies share queues with their workers, whose semaphores have names; the server has a
    # socket. Those of an agent that was killed stay: whoever comes next must see whose they were.
    config = multiprocessing.process.current_process()._config  # type: ignore[attr-defined]
    config["semprefix"] = registry.semaphore_prefix(entry.id)
    config["tempdir"] = entry.scratch
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(_PRELOAD))
    multiprocessing.forkserver.ensure_running()


def _kill_process(nanny: Any) -> None:
    """Kill a nanny's worker, whatever state that is in."""
    process = getattr(nanny, "process", None)
    if process is not None and process.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


class _Pilot:
    """The specs of one pilot, numbered on as it grows."""

    def __init__(self, name: str, description: PilotDescription, security: Any) -> None:
        self.name = name
        self.description = description
        self.specs = kinds.worker_specs(description, name, security)
        self.workers: list[str] = []
        self.numbered = 0
        self.was_up = False
        self.revived = 0

    def grow(self, count: int) -> dict[str, Any]:
        new: dict[str, Any] = {}
        for _ in range(count):
            spec = self.specs[self.numbered % len(self.specs)]
            worker = f"{self.name}-{self.numbered}"
            new[worker] = {**spec, "options": {**spec["options"], "name": worker}}
            self.numbered += 1
        self.workers.extend(new)
        return new

    @property
    def failed(self) -> bool:
        """Whether its workers keep ending before they are up."""
        return self.revived > _REVIVALS * max(1, len(self.workers))

    def state(self, up: int) -> PilotState:
        """Its state, with so many workers up now."""
        if up:
            self.was_up, self.revived = True, 0
        if self.failed:
            return PilotState.FAILED
        return PilotState.ACTIVE if self.was_up else PilotState.PENDING

    def status(self, scheduler: Any) -> PilotStatus:
        """How it stands, by what the scheduler sees."""
        up = [ws for ws in scheduler.workers.values() if ws.name in self.workers]
        options = [spec["options"] for spec in self.specs]
        return PilotStatus(
            name=self.name,
            resource=self.description.resource,
            state=self.state(len(up)),
            workers=len(up),
            wanted=len(self.workers),
            running=sum(len(ws.processing) for ws in up),
            cores_per_worker=self.description.cores_per_worker,
            offers=tuple(sorted({k for o in options for k in o["resources"] if ":" not in k})),
            memory_per_worker_bytes=min(int(o["memory_limit"]) for o in options),
            backend=kinds.backend_name(self.description),
        )


class Agent:
    """The scheduler, its pilots, and the watch over whether anyone still needs them."""

    def __init__(self, entry: registry.AgentEntry, owner: _Owner, plugins: Sequence[str]) -> None:
        self.entry = entry
        self.owner = owner
        self.plugins = plugins
        self.pilots: dict[str, _Pilot] = {}
        self.leave = asyncio.Event()
        self.changing = asyncio.Lock()
        self.background: set[asyncio.Future[Any]] = set()
        self.without_process: frozenset[str] = frozenset()
        self.security: Any = None
        self.cluster: Any = None
        self.monitor = Monitor()
        self.dashboard_port: int | None = None

    @property
    def scheduler(self) -> Any:
        """The live scheduler."""
        return self.cluster.scheduler

    async def run(self) -> None:
        """Serve until told to leave, or until nobody has needed the agent for a while."""
        from distributed import SpecCluster

        from pilot_kernel.resource.scheduler import AgentScheduler

        self.security = credentials.create(self.entry.directory)
        options = {
            "host": "127.0.0.1",
            "port": 0,
            "protocol": "tls://",
            "security": self.security,
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
        }
        self.cluster = SpecCluster(
            scheduler={"cls": AgentScheduler, "options": options},
            workers={},
            asynchronous=True,
            security=self.security,
            name=self.entry.id,
        )
        async with self.cluster:
            for handler in (
                *(self.pilot_add, self.pilot_scale, self.pilot_stop, self.pilot_list),
                *(self.scheduler.orphans, self.scheduler.hand_over, self.scheduler.people),
                *(self.pilot_activity, self.welcome, self.agent_leave, self.dashboard),
            ):
                self.scheduler.handlers[handler.__name__] = handler
            await self._plug_in()
            self._publish("open", self.scheduler.address)
            watches = [asyncio.create_task(watch()) for watch in (self._watch, self._sample)]
            await self.leave.wait()
            for watch in watches:
                watch.cancel()
            asyncio.get_running_loop().call_later(_LEAVING_S, self._break_off)
            for name in list(self.pilots):
                await self.pilot_stop(name, graceful=False)

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
            self._publish("leaving", self.entry.address)
            self.leave.set()

    def _break_off(self) -> None:
        """Leave at once, since leaving in good order takes too long."""
        log.error("workers did not close within %s s; they are killed", _LEAVING_S)
        registry.kill_children()
        registry.forget(self.entry)
        os._exit(1)

    async def _sample(self) -> None:
        while True:
            self.monitor.sample(self.scheduler, self._workers())
            await asyncio.sleep(PERIOD_S)

    def _workers(self) -> dict[str, list[str]]:
        return {name: pilot.workers for name, pilot in self.pilots.items()}

    async def _watch(self) -> None:
        """Leave when nobody needs the agent.

        That is after `idle_timeout_s` without a client and without work that can go on. If the
        session has no name, it is also when its process has ended: nobody can come back to it, so
        its work is nobody's.
        """
        limit_s = self.entry.idle_timeout_s
        needed = time.monotonic()
        while time.monotonic() - needed < limit_s:
            await asyncio.sleep(min(1.0, limit_s / 4))
            self._revive()
            people = self.scheduler.people()
            if not people and not self.entry.name and not registry.runs(*self.owner):
                return self.depart("the process of this session without a name has ended")
            if people or self._has_work():
                needed = time.monotonic()
        return self.depart(f"no client and no work for {limit_s} s")

    def _revive(self) -> None:
        """Bring back workers that ended for good: one that died while it started, or was cut off.

        A nanny restarts a worker that dies later by itself.
        """
        if self.changing.locked():
            return
        dead = [
            (pilot, name)
            for pilot in self.pilots.values()
            for name in pilot.workers
            if not pilot.failed and self._ended(name)
        ]
        for pilot, name in dead:
            log.info("worker %s ended; bringing it back", name)
            worker = self.cluster.workers.pop(name, None)
            if worker is not None:
                self._in_background(worker.close())
            pilot.revived += 1
        if dead:
            self._correct_soon()

    def _ended(self, name: str) -> bool:
        from distributed import Nanny
        from distributed.core import Status

        worker = self.cluster.workers.get(name)
        if worker is None or worker.status in (Status.closed, Status.failed):
            return True
        if isinstance(worker, Nanny) and not worker.is_alive():
            # It may be about to restart its process; twice in a row means that it failed to.
            seen, self.without_process = name in self.without_process, self.without_process | {name}
            return seen
        self.without_process -= {name}
        return False

    def _has_work(self) -> bool:
        unfinished = self.scheduler.unfinished()
        if not unfinished:
            return False
        pending = any(
            pilot.status(self.scheduler).state is PilotState.PENDING
            for pilot in self.pilots.values()
        )
        return pending or any(ts.state in ("processing", "queued") for ts in unfinished)

    async def pilot_add(self, description: dict[str, Any]) -> str:
        """Start a pilot's workers in the background and return its name."""
        described = PilotDescription.coerce(None, **description)
        name = described.name or self._free_name(kinds.usual_name(described))
        if name in self.pilots:
            from pilot_kernel.errors import DescriptionError

            raise DescriptionError(f"there is a pilot called {name!r} already")
        pilot = _Pilot(name, described, self.security)
        self.pilots[name] = pilot
        self.cluster.worker_spec.update(pilot.grow(len(pilot.specs)))
        self._correct_soon()
        log.info("pilot %s: %s", name, described)
        return name

    def _free_name(self, usual: str) -> str:
        names = (usual, *(f"{usual}{number}" for number in range(2, 1000)))
        return next(name for name in names if name not in self.pilots)

    def _correct_soon(self) -> None:
        self._in_background(self._correct())

    def _in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def _correct(self) -> None:
        async with self.changing:
            try:
                await self.cluster._correct_state()
            except Exception:  # the pilot stays PENDING and the log tells why
                log.exception("workers did not start")

    async def pilot_scale(self, name: str, workers: int) -> None:
        """Grow or shrink a pilot to so many workers; those that go hand their results on first."""
        pilot = self.pilots[name]
        surplus = len(pilot.workers) - workers
        if surplus < 0:
            self.cluster.worker_spec.update(pilot.grow(-surplus))
            self._correct_soon()
        elif surplus > 0:
            await self._remove(pilot, pilot.workers[-surplus:], graceful=True)

    async def pilot_stop(self, name: str, graceful: bool = True) -> None:
        """End a pilot; its results move to other workers, its unfinished tasks run elsewhere."""
        pilot = self.pilots.pop(name)
        await self._remove(pilot, list(pilot.workers), graceful=graceful)

    async def _remove(self, pilot: _Pilot, workers: list[str], *, graceful: bool) -> None:
        async with self._change(workers):
            if graceful:
                up = {ws.name for ws in self.scheduler.workers.values()}
                await self.scheduler.retire_workers(names=[w for w in workers if w in up])
            for worker in workers:
                pilot.workers.remove(worker)
                self.cluster.worker_spec.pop(worker, None)
            closing = asyncio.ensure_future(self.cluster._correct_state())
            await self._wait_or_kill(closing, workers)

    @contextlib.asynccontextmanager
    async def _change(self, doomed: list[str]) -> AsyncIterator[None]:
        """Change which workers there are, when the change that is under way is through."""
        await self._wait_or_kill(asyncio.ensure_future(self.changing.acquire()), doomed)
        try:
            yield
        finally:
            self.changing.release()

    async def _wait_or_kill(self, change: "asyncio.Future[Any]", doomed: list[str]) -> None:
        """Wait for a change; kill workers that are to go anyway if one may be holding it up.

        Dask waits for ever for a worker that does not come to start.
        """
        while not (await asyncio.wait({change}, timeout=_CLOSING_S))[0]:
            for nanny in self.cluster._created:
                if nanny.name in doomed:
                    _kill_process(nanny)
        await change

    async def pilot_list(self) -> list[dict[str, Any]]:
        """The status of every pilot, as plain dicts."""
        return [dataclasses.asdict(pilot.status(self.scheduler)) for pilot in self.pilots.values()]

    async def pilot_activity(self) -> dict[str, Any]:
        """What every worker does and did, as plain dicts; `Activity.read` reads it."""
        statuses = [pilot.status(self.scheduler) for pilot in self.pilots.values()]
        return self.monitor.activity(self.scheduler, statuses, self._workers())

    async def welcome(self) -> bool:
        """Whether a client that has just come may stay; if not, the agent is about to end."""
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
            scheduler = self.scheduler
            pages.connect(scheduler.http_application, scheduler.http_server, scheduler, prefix="")
            self.dashboard_port = next(iter(scheduler.http_server._sockets.values())).getsockname()[
                1
            ]
        return self.dashboard_port


def main() -> None:
    """Run an agent until it is no longer needed."""
    parser = argparse.ArgumentParser(prog="python -m pilot_kernel.resource.agent")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--plugin", action="append", default=[])
    args = parser.parse_args()
    claimed = registry.read(args.directory)
    if claimed is None:
        sys.exit("whoever started this agent is gone, and somebody has tidied up")
    owner = (claimed.pid, claimed.started)
    started = psutil.Process().create_time()
    entry = dataclasses.replace(claimed, pid=os.getpid(), started=started)
    registry.write(entry)
    os.mkdir(entry.scratch, 0o700)
    try:
        with _nursery(entry.scratch):
            _start_forkserver(entry)
            logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.INFO)
            _configure(entry.scratch)
            gc.freeze()  # searching the libraries for garbage would hold up every task in between
            asyncio.run(_serve(Agent(entry, owner, args.plugin)))
    except BaseException:  # the log is kept for whoever waits for the agent
        shutil.rmtree(entry.scratch, ignore_errors=True)
        raise
    _clear(entry)


@contextlib.contextmanager
def _nursery(scratch: str) -> Iterator[None]:
    """Have a nursery, which ends by itself as soon as its standard input does, if it can."""
    process = _start_nursery(scratch)
    try:
        yield
    finally:
        try:
            process.communicate(timeout=_LEAVING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _clear(entry: registry.AgentEntry) -> None:
    """Remove the agent's files, except semaphores: this process does that itself as it ends."""
    shutil.rmtree(entry.scratch, ignore_errors=True)
    registry.remove_directory(entry.directory)


async def _serve(agent: Agent) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            number, agent.depart, f"told to by signal {number}"
        )
    with contextlib.suppress(asyncio.CancelledError):
        await agent.run()


if __name__ == "__main__":
    main()
