"""One host that is reached over SSH, in the agent's hands: brought up, lost, and found again.

The cluster starts and closes it like a worker. It keeps trying by itself: the workers of a host
that was cut off work again when it can be reached again.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from pilot_kernel.resource.host.protocol import Order, WorkerOrder
from pilot_kernel.resource.reach.host_log import HostLog
from pilot_kernel.resource.reach.ssh_command import script
from pilot_kernel.resource.reach.ssh_errors import HostError
from pilot_kernel.resource.reach.ssh_line import SshLine
from pilot_kernel.resource.reach.ssh_target import SshTarget
from pilot_kernel.resource.reach.switchboard import Switchboard, free_ports, switchboard_of

__all__ = ["HostPlan", "SshHost"]

log = logging.getLogger("pilot_kernel.agent")

_LOOPBACK = "127.0.0.1"
_SHORTEST_S, _LONGEST_S = 1.0, 30.0
_ENDING_S = 5.0
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """What a host is to bring up.

    Attributes:
        target: The host.
        python: The Python to use there, if one is named.
        lines: Set-up lines.
        working_directory: Where workers keep files there.
        suffixes: What is added to the name of the host's start, to name its workers.
        resources: What each worker offers.
        memory_bytes: Memory limit of each.
        envs: Environment variables of each.
        security: The session's credentials, in files.
        directory: The agent's folder.
        scratch: A folder of the agent's with a short name.
        refused: The starts of this pilot that will not come, by name, in the agent's hands.
        hosts: How many hosts the pilot has.
    """

    target: SshTarget
    python: str | None
    lines: tuple[str, ...]
    working_directory: str | None
    suffixes: tuple[str, ...]
    resources: Mapping[str, float]
    memory_bytes: int
    envs: tuple[Mapping[str, str], ...]
    security: Any
    directory: Path
    scratch: Path
    refused: set[str] = field(default_factory=set)
    hosts: int = 1


class SshHost(ProcessInterface):  # type: ignore[misc]
    """A host; see `ProcessInterface`.

    Args:
        scheduler: The scheduler's address.
        name: What the cluster calls it.
        plan: What it is to bring up.

    Attributes:
        note: A word on how it is doing; none when it is doing well.
    """

    def __init__(self, scheduler: str = "", name: str = "", *, plan: HostPlan) -> None:
        super().__init__(scheduler, name)
        self.name = name
        self.note = ""
        self._plan = plan
        self._scheduler_port = urlsplit(scheduler).port or 0
        self._life: asyncio.Task[None] | None = None
        self._line: SshLine | None = None
        self._board: Switchboard | None = None
        self._log = HostLog(plan.directory, name)

    @property
    def gave_up(self) -> bool:
        """Whether no host of its pilot will come, however often it is tried."""
        return len(self._plan.refused) >= self._plan.hosts

    @property
    def _workers(self) -> list[str]:
        return [self.name + suffix for suffix in self._plan.suffixes]

    async def start(self) -> None:
        """Begin to bring it up; that goes on in the background."""
        await super().start()
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        """End it, with all that it has started, whether it can be reached or not."""
        if self.status == Status.closed:
            return
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
        self._plan.refused.discard(self.name)
        self._log.close()
        await super().close()

    def _say(self, words: str) -> None:
        if words != self.note:
            log.info("%s: %s", self.name, words or "well")
        self.note = words

    # ---- its life

    async def _live(self) -> None:
        while not hasattr(self, "_cluster"):  # Dask says to which it belongs when it has started
            await asyncio.sleep(0.01)
        scheduler = self._cluster().scheduler
        board = self._board = switchboard_of(scheduler)
        board.hosts += 1
        try:
            await self._keep_trying(scheduler, board)
        except HostError as error:
            self._say(str(error))
            self._plan.refused.add(self.name)
        except Exception as error:
            log.exception("host of %s", self.name)
            self._say(f"host {self._plan.target}: {type(error).__name__}: {error}")
            self.status = Status.failed
        finally:
            board.hosts -= 1

    async def _keep_trying(self, scheduler: Any, board: Switchboard) -> None:
        """Bring the host up again and again.

        Raises:
            HostError: That will not help.
        """
        pause_s = _SHORTEST_S
        while True:
            begun = time.monotonic()
            try:
                await self._serve(scheduler, board)
            except HostError as error:
                if error.final:
                    raise
                if time.monotonic() - begun > 2 * _LONGEST_S:  # it had been up
                    pause_s = _SHORTEST_S
                at = time.strftime("%H:%M:%S")
                self._say(f"{error}; since {at}, tasks run elsewhere and it is tried again")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_S)

    async def _serve(self, scheduler: Any, board: Switchboard) -> None:
        """Bring the host up, and wait until it is lost.

        Raises:
            HostError: Why it was lost, or did not come up.
        """
        plan = self._plan
        control = plan.scratch / f"ssh-{secrets.token_hex(3)}"
        line = SshLine(plan.target, control, self._log.write, self._noted)
        patience_s = _ENDING_S
        try:
            self._say(self.note or f"connecting to host {plan.target}")
            hello = await line.open(script(plan.python, plan.lines))
            await self._order(line, board, hello)
            self._say("")
            await line.lost.wait()
            raise await line.why()
        except HostError:
            patience_s = 0.0
            raise
        finally:
            await self._let_go(scheduler, board, line, patience_s)
            with contextlib.suppress(OSError):
                os.unlink(control)

    async def _let_go(
        self, scheduler: Any, board: Switchboard, line: SshLine, patience_s: float
    ) -> None:
        """End the line; tasks that run over there run elsewhere, and no task is to blame."""
        mine = set(self._workers)
        for address in [at for at, ws in scheduler.workers.items() if ws.name in mine]:
            await scheduler.remove_worker(
                address=address, stimulus_id=f"host-lost-{time.time()}", expected=True, close=False
            )
        board.detach(line)
        await line.close(patience_s)

    def _noted(self, words: str) -> None:
        self._say(words and f"host {self._plan.target}: {words}")

    # ---- its workers

    async def _order(self, line: SshLine, board: Switchboard, hello: Mapping[str, Any]) -> None:
        """Have the supervisor bring up the workers, on ports that are free everywhere."""
        there = hello["loopback"]
        port = self._scheduler_port
        if not board.shares_loopback(there):
            (port,) = await line.forward([("R", 0, port)])
        last: HostError | None = None
        for _ in range(_TRIES):
            ports = free_ports(len(self._plan.suffixes), board.ports)
            try:
                await board.attach(line, there, ports)
            except HostError as error:  # a port is taken on one of the hosts
                if line.lost.is_set():
                    raise
                last = error
                continue
            answer = await line.ask("taken", "busy", order=self._as_ordered(port, ports).plain())
            if "taken" in answer:
                return
            last = HostError(f"host {line.target}: the ports {answer['busy']} are taken there")
            board.detach(line)
        assert last is not None
        raise last

    def _as_ordered(self, scheduler_port: int, ports: list[int]) -> Order:
        plan = self._plan
        workers = tuple(
            WorkerOrder(
                name=name,
                resources=plan.resources,
                memory_bytes=plan.memory_bytes,
                port=port,
                env=env,
            )
            for name, port, env in zip(self._workers, ports, plan.envs, strict=True)
        )
        return Order(
            scheduler=f"tls://{_LOOPBACK}:{scheduler_port}",
            address=_LOOPBACK,
            certificate=Path(plan.security.tls_worker_cert).read_text(),
            key=Path(plan.security.tls_worker_key).read_text(),
            workers=workers,
            working_directory=plan.working_directory,
        )
