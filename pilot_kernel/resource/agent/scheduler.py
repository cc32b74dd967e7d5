"""Dask's scheduler with the habits a pilot needs.

It keeps the tasks of a client that vanished, so that a restarted kernel can take them up again,
gives a task to a worker when that is free (`late_binding.py`), and when a worker dies it blames the
task that ran there, if any (`blame.py`), not those that waited behind it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from typing import Any, Literal

from pilot_kernel.resource.agent.blame import DEATHS_ALLOWED, Blame
from pilot_kernel.resource.agent.gatekeeper import Gatekeeper
from pilot_kernel.resource.agent.late_binding import LateBinding
from pilot_kernel.resource.agent.unread import hung_up, unread, write_to_the_living
from pilot_kernel.resource.no_web import NoWeb

__all__ = ["IDLE_HEARTBEAT_S", "ORPHANAGE", "AgentScheduler"]

ORPHANAGE = "orphanage"
"""The client on whose behalf the scheduler holds tasks whose own client is gone."""

IDLE_HEARTBEAT_S = 2.0
"""How often a worker calls when there is nothing to do; every half second when there is."""

_RESULTS = frozenset({"result", "kept"})  # what news of a task have in them if it is done
_NO_PEOPLE = frozenset({ORPHANAGE, "fire-and-forget"})
_LOOK_S = 0.01
_LOOKS = 5  # after which a client that has sent no more is taken to be there
_LATE_S = 5.0  # others may go on sending
_DRAIN_S = 60.0  # what one has left unread is read at last, in chunks of a thousand tasks


class AgentScheduler(NoWeb, Gatekeeper, LateBinding):
    """The scheduler inside an agent.

    Attributes:
        event_log: The session's `EventLog`, once the agent has one.
    """

    event_log: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for needless in ("idle-timeout", "no-workers-timeout"):  # neither is set; the agent watches
            self.periodic_callbacks.pop(needless)
        self.blame = Blame(self)
        self.add_plugin(self.blame)
        self._arriving: Counter[str] = Counter()  # messages with tasks of each client, being read

    def finish(self, key: str, recipe: Any) -> None:
        """See that a finished task never runs again.

        Dask makes a result anew, from its task, when the worker that holds it dies. From now on
        that means to follow `recipe`, on any worker, and needs no result of any other task.

        Args:
            key: The task's key.
            recipe: Dask's `Task` that gives the result back, or says that it is lost.
        """
        ts = self.tasks[key]
        ts.run_spec = recipe
        ts.resource_restrictions, ts.annotations = None, self._blameless()
        for needed in ts.dependencies:
            needed.dependents.discard(ts)
        if ts.dependencies:  # not from within a transition
            asyncio.get_running_loop().call_soon(self._forget, [d.key for d in ts.dependencies])
        ts.dependencies.clear()

    def settle(self, key: str, recipe: Any) -> None:
        """See that a task that has a result is not run again, should its worker die right now.

        Args:
            key: The task's key.
            recipe: As for `finish`.
        """
        ts = self.tasks.get(key)
        if ts is not None and ts.state == "processing":
            ts.run_spec = recipe  # it keeps what it depends on until Dask hears that it is done
            ts.annotations = self._blameless()

    def _blameless(self) -> dict[str, Any]:
        """Annotations of a task that only gives a result back: no worker dies of that."""
        return {DEATHS_ALLOWED: self.allowed_failures}

    def log_worker_event(self, worker: str, topic: str | Any, msg: Any) -> None:
        """Pass on what a worker tells, unless it is the result of a task that is no longer its own.

        A worker that is being removed may finish its task when that has been sent elsewhere, and
        is bound to run there: the task is done when it is done there, and not before.
        """
        if isinstance(msg, dict) and not _RESULTS.isdisjoint(msg):
            ts = self.tasks.get(msg["key"])
            owners = set() if ts is None else {ts.processing_on, *(ts.who_has or ())}
            if ts is not None and self.workers.get(worker) not in owners - {None}:
                return
        super().log_worker_event(worker, topic, msg)

    def _forget(self, keys: list[str]) -> None:
        """Forget what nobody wants and nothing needs."""
        known = (ts for key in keys if (ts := self.tasks.get(key)) is not None)
        gone = [ts.key for ts in known if not ts.who_wants and not ts.dependents]
        self.transitions(dict.fromkeys(gone, "forgotten"), stimulus_id=f"forget-{time.time()}")

    def heartbeat_worker(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Hear from a worker, and tell it when to call again: seldom when there is no work."""
        answer: dict[str, Any] = super().heartbeat_worker(*args, **kwargs)
        if "heartbeat-interval" in answer and not self._busy():
            answer["heartbeat-interval"] = max(answer["heartbeat-interval"], IDLE_HEARTBEAT_S)
        return answer

    def _busy(self) -> bool:
        return bool(
            self.queued or self.unrunnable or any(ws.processing for ws in self.workers.values())
        )

    async def add_client(self, comm: Any, client: str, versions: dict[str, Any]) -> None:
        """Take a client; what it sent last is read even if it dies meanwhile."""
        write_to_the_living(comm)
        await super().add_client(comm, client, versions)

    def remove_client(self, client: str, stimulus_id: str | None = None) -> None:
        """Let a client go, but keep what it was waiting for."""
        state = self.clients.get(client)
        if state is not None and client not in _NO_PEOPLE:
            self.client_desires_keys([ts.key for ts in state.wants_what], ORPHANAGE)
        super().remove_client(client, stimulus_id)

    async def update_graph(self, client: str, **graph: Any) -> None:
        """Take tasks; until they are read, nobody hears that their client has gone."""
        self._arriving[client] += 1
        try:
            await super().update_graph(client=client, **graph)
        finally:
            self._arriving[client] -= 1
            if not self._arriving[client]:
                del self._arriving[client]

    def stimulus_cancel(
        self, keys: Collection[str], client: str, force: bool, reason: str, msg: str
    ) -> None:
        """Cancel tasks of a client, with those of it that need their results.

        Dask's own way fails if one of these is between two tasks and held by nobody, or if they
        make a long chain, and the client's connection ends with that.
        """
        state = self.clients.get(client)
        if state is None:
            return
        gone: dict[str, None] = {}
        waiting = [self.tasks[key] for key in keys if key in self.tasks]
        while waiting:
            ts = waiting.pop()
            if ts.key not in gone and (force or (ts.who_wants or set()) <= {state}):
                gone[ts.key] = None
                waiting.extend(ts.dependents)
        if not gone:
            return
        stimulus = f"cancel-{time.time()}"
        wanting = set().union(*(self.tasks[key].who_wants or () for key in gone))
        for each in wanting:
            self.client_releases_keys(list(gone), each.client_key, stimulus)
        self.report({"op": "cancelled-keys", "keys": list(gone), "reason": reason, "msg": msg})

    async def remove_worker(
        self, address: str, *, stimulus_id: str, expected: bool = False, close: bool = True
    ) -> Literal["OK", "already-removed"]:
        """Remove a worker; a task that ran on it when it died may be to blame."""
        worker = self.workers.get(self.coerce_address(address))
        if worker is not None and not expected:
            self.blame.charge(worker)
        return await super().remove_worker(
            address, stimulus_id=stimulus_id, expected=expected, close=close
        )

    def people(self) -> list[str]:
        """The clients that belong to users: notebooks and scripts."""
        return [client for client in self.clients if client not in _NO_PEOPLE]

    def unfinished(self) -> list[Any]:
        """The tasks that wait or run."""
        return [ts for ts in self.tasks.values() if ts.state not in ("memory", "erred")]

    async def orphans(self) -> list[str]:
        """The keys of the tasks whose client is gone, those that it sent last included.

        A client is seen to have gone when all is read that it has sent: until then this waits.
        """
        await asyncio.gather(*(self._drained(client) for client in self.people()))
        state = self.clients.get(ORPHANAGE)
        return [] if state is None else [ts.key for ts in state.wants_what]

    async def _drained(self, client: str) -> None:
        """Wait until all is read that a client has sent, and it is let go if it has hung up."""
        began = time.monotonic()
        quiet = _LOOKS  # nothing is awaited of one that is there and has sent nothing
        while client in self.clients and (sender := self.client_comms.get(client)) is not None:
            gone = hung_up(sender.comm)
            quiet = 0 if client in self._arriving or unread(sender.comm) else quiet + 1
            late = time.monotonic() - began > (_DRAIN_S if gone else _LATE_S)
            if late or (quiet > _LOOKS and not gone):
                return
            await asyncio.sleep(_LOOK_S)

    def hand_over(self, keys: list[str], client: str) -> None:
        """Give orphaned tasks to `client`."""
        self.client_desires_keys(keys, client)
        self.client_releases_keys(keys, ORPHANAGE, f"hand-over-{time.time()}")
