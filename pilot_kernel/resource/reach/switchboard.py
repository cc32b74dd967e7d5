"""Which ports are forwarded where, so that a port of loopback means the same on all hosts.

Workers listen on loopback only. One on another host has a port that the agent's side listens on as
well, and all other hosts, so `tls://127.0.0.1:PORT` is that worker for everybody. Each connection
carries what its host needs; of several to one host, one does so.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from distributed.diagnostics.plugin import SchedulerPlugin

from pilot_kernel.resource.host.report import loopback
from pilot_kernel.resource.reach.host_error import HostError
from pilot_kernel.resource.reach.ssh_command import Forward
from pilot_kernel.resource.reach.ssh_line import SshLine

__all__ = ["Socket", "Switchboard", "free_ports", "in_use", "switchboard_of", "wanted"]

log = logging.getLogger("pilot_kernel.agent")

_NAME = "pilot-switchboard"
_FIRST, _LAST = 20_000, 32_000  # below those that systems give to connections of their own
_TRIES = 200
_AGAIN_S = 3.0
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Socket:
    """What a line is on the switchboard.

    Attributes:
        line: The line.
        loopback: The loopback interface at its other end, as `report.loopback` names it.
        ports: The ports of its own workers.
    """

    line: SshLine
    loopback: str
    ports: frozenset[int]


def wanted(
    sockets: Sequence[Socket], home: str, at_home: Iterable[int]
) -> dict[Socket, frozenset[Forward]]:
    """What each line is to forward.

    Args:
        sockets: The lines, the oldest first: that of a host which comes first carries the ports of
            all others to it.
        home: The agent's loopback interface.
        at_home: Ports of the workers that listen on it.
    """
    local = frozenset(at_home)
    there: dict[str, frozenset[int]] = {home: local}
    for each in sockets:
        there[each.loopback] = there.get(each.loopback, frozenset()) | each.ports
    served = {home}
    found = {}
    for each in sockets:
        mine: set[Forward] = set()
        if each.loopback != home:
            mine |= {("L", port, port) for port in each.ports}
        if each.loopback not in served:
            served.add(each.loopback)
            others = (ports for where, ports in there.items() if where != each.loopback)
            mine |= {("R", port, port) for ports in others for port in ports}
        found[each] = frozenset(mine)
    return found


def free_ports(count: int, taken: Iterable[int]) -> list[int]:
    """Ports of loopback on which nobody listens, chosen at random.

    Args:
        count: How many.
        taken: Ports that are spoken for.
    """
    found: list[int] = []
    avoided = set(taken)
    for _ in range(_TRIES * max(1, count)):
        if len(found) == count:
            return found
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if port not in avoided and _free(port):
            avoided.add(port)
            found.append(port)
    if len(found) == count:
        return found
    raise HostError(f"this machine has no {count} free ports from {_FIRST} to {_LAST}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


class Switchboard(SchedulerPlugin):  # type: ignore[misc]
    """The lines of one agent, and the ports that they forward.

    Args:
        scheduler: The agent's scheduler.

    Attributes:
        hosts: How many hosts have, or try to have, a line.
    """

    name = _NAME

    def __init__(self, scheduler: Any) -> None:
        self.hosts = 0
        self._scheduler = scheduler
        self._home = loopback()
        self._sockets: list[Socket] = []
        self._done: dict[SshLine, set[Forward]] = {}
        self._changing = asyncio.Lock()
        self._again: asyncio.TimerHandle | None = None
        self._work: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def host(self) -> Iterator[None]:
        """Know of a host that has, or tries to have, a line."""
        self.hosts += 1
        try:
            yield
        finally:
            self.hosts -= 1

    @property
    def ports(self) -> frozenset[int]:
        """All ports that are spoken for."""
        own = (port for each in self._sockets for port in each.ports)
        return frozenset([*own, *self._at_home()])

    def _at_home(self) -> list[int]:
        """Ports of workers on this machine."""
        others = {port for each in self._sockets for port in each.ports}
        parts = (urlsplit(address) for address in self._scheduler.workers)
        there = {each.port for each in parts if each.hostname == _LOOPBACK and each.port}
        return sorted(there - others)

    def shares_loopback(self, there: str) -> bool:
        """Whether a host is, in effect, this machine."""
        return there == self._home

    async def attach(self, line: SshLine, there: str, ports: Iterable[int]) -> None:
        """Take up a line, and see that its workers' ports are forwarded everywhere.

        Raises:
            HostError: They cannot be, on this line or on another.
        """
        mine = Socket(line, there, frozenset(ports))
        self._sockets.append(mine)
        self._done[line] = set()
        failed = await self._bring_about()
        own = [each for each in failed if each[0] is line or each[1][1] in mine.ports]
        if own:
            self.detach(line)
            raise own[0][2]

    def detach(self, line: SshLine) -> None:
        """Forget a line that has ended, or is about to; others do its work."""
        self._sockets = [each for each in self._sockets if each.line is not line]
        self._done.pop(line, None)
        self._soon()

    # ---- what the scheduler tells

    def add_worker(self, scheduler: Any, worker: str) -> None:
        """A worker came: others must be able to reach it."""
        self._soon()

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """A worker went: its port is given up, since it may be somebody else's next."""
        self._soon()

    def _soon(self) -> None:
        if self._sockets:
            task = asyncio.ensure_future(self._try())
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def _try(self) -> None:
        for line, forward, error in await self._bring_about():
            log.warning("%s cannot be forwarded for %s: %s", forward, line.target, error)
            if self._again is None:  # the port may be that of a connection which just ends
                self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._retry)

    def _retry(self) -> None:
        self._again = None
        self._soon()

    async def _bring_about(self) -> list[tuple[SshLine, Forward, HostError]]:
        """Have the lines forward what they are to.

        Returns:
            What they cannot.
        """
        async with self._changing:
            plan = wanted(self._sockets, self._home, self._at_home())
            changes = [self._change(each.line, forwards) for each, forwards in plan.items()]
            failures = await asyncio.gather(*changes)
        return [failure for each in failures for failure in each]

    async def _change(
        self, line: SshLine, forwards: frozenset[Forward]
    ) -> list[tuple[SshLine, Forward, HostError]]:
        done = self._done.get(line)
        if done is None or line.lost.is_set():
            return []
        if surplus := done - forwards:
            done -= surplus
            try:
                await line.forward(sorted(surplus), cancel=True)
            except HostError as error:
                log.info("%s", error)
        missing = sorted(forwards - done)
        try:
            await line.forward(missing)
        except HostError as error:
            if len(missing) == 1:
                return [(line, missing[0], error)]
            return await self._one_by_one(line, missing, done)
        done |= set(missing)
        return []

    async def _one_by_one(
        self, line: SshLine, missing: list[Forward], done: set[Forward]
    ) -> list[tuple[SshLine, Forward, HostError]]:
        """Forward what can be forwarded; what had been before the failure is so already."""
        failed = []
        for forward in missing:
            if line.lost.is_set():
                break
            try:
                await line.forward([forward])
                done.add(forward)
            except HostError as error:
                failed.append((line, forward, error))
        return failed


def switchboard_of(scheduler: Any) -> Switchboard:
    """The switchboard of an agent, which the first line makes."""
    found = scheduler.plugins.get(_NAME)
    if found is None:
        found = Switchboard(scheduler)
        scheduler.add_plugin(found)
    assert isinstance(found, Switchboard)
    return found


def in_use(scheduler: Any) -> bool:
    """Whether there are lines to other hosts, whose workers know loopback only."""
    found = scheduler.plugins.get(_NAME)
    return isinstance(found, Switchboard) and found.hosts > 0
