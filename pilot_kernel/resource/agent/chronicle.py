"""What the agent writes into the session's event log of workers, pilots and clients.

What happens to tasks the ledger adds to the same log. Workers and clients are told of by the
scheduler; pilots are looked at again and again, and what has changed is written down.

- `worker-up`, `worker-gone`: a worker with an address came, with what it offers, or went.
- `worker-leaving`, `worker-stays`: it is to take no more tasks, or may again.
- `client-came`, `client-went`: a notebook or a script.
- `pilot-added`, `pilot-stopped`; `pilot-state`, `pilot-scaled`, `pilot-adaptive`, `pilot-draining`,
  `pilot-note`, `pilot-ends`: what has changed of its status.
- `agent-left`: the last one, and why.
"""

import functools
import importlib.metadata
import platform
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

from pilot_kernel.resource import event_log, log_files
from pilot_kernel.resource.event_log import EventLog
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["Chronicle", "pilot_events"]

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
_PILOT = "pilot:"


class Chronicle(SchedulerPlugin):  # type: ignore[misc]
    """Keeps the event log of one agent.

    Args:
        entry: The agent.
        statuses: How its pilots stand now.
        folders: The working directories of its pilots, those that have one.
    """

    name = "pilot-chronicle"

    def __init__(
        self,
        entry: AgentEntry,
        statuses: Callable[[], Sequence[PilotStatus]],
        folders: Callable[[], Iterable[str]],
    ) -> None:
        event_log.prune()
        self._entry = entry
        self._statuses = statuses
        self._folders = folders
        self._pilots: dict[str, PilotStatus] = {}
        self._up: dict[str, dict[str, Any]] = {}  # the events of workers that are up
        self._leaving: set[str] = set()  # addresses of those that are given nothing more
        self._scheduler: Any = None
        self.log = EventLog(event_log.log_path(entry.id), _about(entry), self._so_far)

    def _so_far(self) -> Iterator[dict[str, Any]]:
        """Which pilots and workers there are, in a log that begins anew."""
        for status in list(self._pilots.values()):
            yield from pilot_events({}, {status.name: status})
        yield from list(self._up.values())

    async def start(self, scheduler: Any) -> None:
        """Take up work beside the scheduler, which has the log from now on."""
        self._scheduler = scheduler
        scheduler.event_log = self.log
        scheduler.handlers["event_log_path"] = self.event_log_path
        scheduler.handlers["agent_logs"] = self.agent_logs

    async def close(self) -> None:
        """The scheduler closes, and with it the log."""
        self.leave("the scheduler closed")

    def leave(self, why: str) -> None:
        """Write down that the agent ends, and why; nothing is written after that."""
        if not self.log.closed:
            self.look()
            self.log.add("agent-left", why=why)
            self.log.close()

    async def event_log_path(self) -> str:
        """Write what waits, and tell where the log lies."""
        self.look()
        self.log.flush()
        return str(self.log.path)

    async def agent_logs(self, name: str | None = None) -> list[dict[str, Any]]:
        """The ends of the log files of the agent and its workers; see `log_files.gather`."""
        return log_files.gather(self._entry.directory, self._folders(), name)

    # ---- workers and clients

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """A worker came."""
        state = scheduler.workers[worker]
        offers = dict(state.resources)
        event = {
            "at": time.time(),
            "event": "worker-up",
            "worker": str(state.name),
            "pilot": next((word[6:] for word in offers if word.startswith(_PILOT)), None),
            "address": worker,
            "offers": offers,
            "memory_bytes": state.memory_limit,
        }
        self._up[worker] = event
        self.log.add(event["event"], event["at"], **event_log.facts(event))

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """A worker went."""
        came = self._up.pop(worker, None)
        if came is not None:
            why = _words(str(kwargs.get("stimulus_id", "")))
            self.log.add("worker-gone", worker=came["worker"], address=worker, why=why)
            self._leaving.discard(worker)

    def add_client(self, scheduler: Any, client: str) -> None:
        """A client came."""
        self.log.add("client-came", client=client)

    def remove_client(self, scheduler: Any, client: str) -> None:
        """A client went."""
        self.log.add("client-went", client=client)

    def _look_who_leaves(self) -> None:
        """Write down which workers take no more tasks, or do again."""
        names = set(map(str, self._scheduler.leaving))
        leaving = {address for address, came in self._up.items() if came["worker"] in names}
        for address in leaving ^ self._leaving:
            kind = "worker-leaving" if address in leaving else "worker-stays"
            self.log.add(kind, worker=self._up[address]["worker"], address=address)
        self._leaving = leaving

    # ---- pilots

    def look(self) -> None:
        """Write down what has changed of pilots and workers since the last look."""
        if self._scheduler is not None:
            self._look_who_leaves()
        now = {status.name: status for status in self._statuses()}
        events = list(pilot_events(self._pilots, now))
        self._pilots = now
        for event in events:
            self.log.add(event["event"], event["at"], **event_log.facts(event))

    def looking(self, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """A handler of the agent that changes pilots, with a look before and after it."""

        @functools.wraps(handler)
        async def watched(**arguments: Any) -> Any:
            self.look()
            try:
                return await handler(**arguments)
            finally:
                self.look()

        return watched


def pilot_events(
    before: Mapping[str, PilotStatus], now: Mapping[str, PilotStatus]
) -> Iterator[dict[str, Any]]:
    """What happened to pilots between two looks at them.

    Args:
        before: The pilots then, by name.
        now: The pilots now, by name.
    """
    at = time.time()
    for name in before:
        if name not in now:
            yield {"at": at, "event": "pilot-stopped", "pilot": name}
    for name, status in now.items():
        if name not in before:
            yield {
                "at": at,
                "event": "pilot-added",
                "pilot": name,
                "resource": _PASSWORD.sub(r"\1:***@", status.resource),
                "kinds": list(status.offers),
                "cores": status.cores_per_worker,
                "memory_bytes": status.memory_per_worker_bytes,
                "wanted": status.wanted,
            }
        for event in _changes(before.get(name), status):
            yield {"at": at, "pilot": name, **event}


def _changes(before: PilotStatus | None, now: PilotStatus) -> Iterator[dict[str, Any]]:
    """What has changed of one pilot; of one that is new, what is not as usual."""
    if now.state is not (before.state if before else PilotState.PENDING):
        yield {"event": "pilot-state", "state": str(now.state)}
    if before is not None and now.wanted != before.wanted:
        yield {"event": "pilot-scaled", "wanted": now.wanted, "was": before.wanted}
    if now.adaptive != (before.adaptive if before else None):
        yield {"event": "pilot-adaptive", "between": now.adaptive}
    if now.draining is not (before.draining if before else False):
        yield {"event": "pilot-draining", "draining": now.draining}
    if now.note != (before.note if before else ""):
        yield {"event": "pilot-note", "note": now.note}
    if now.ends_at != (before.ends_at if before else None):
        yield {"event": "pilot-ends", "ends_at": now.ends_at}


def _words(stimulus: str) -> str:
    """What Dask calls the cause of something, without the time in its name."""
    return re.sub(r"[-_]?\d+(\.\d+)?$", "", stimulus)


def _about(entry: AgentEntry) -> dict[str, Any]:
    return {
        "agent": entry.id,
        "session": entry.name,
        "host": entry.host,
        "pid": entry.pid,
        "python": platform.python_version(),
        "distributed": importlib.metadata.version("distributed"),
    }
