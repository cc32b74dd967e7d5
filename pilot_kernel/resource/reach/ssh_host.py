"""One host that is reached over SSH, in the agent's hands: brought up, lost, and found again."""

import contextlib
import os
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pilot_kernel.resource.reach.far_start import FarStart, WorkPlan
from pilot_kernel.resource.reach.host_error import HostError
from pilot_kernel.resource.reach.ssh_command import script
from pilot_kernel.resource.reach.ssh_line import SshLine
from pilot_kernel.resource.reach.ssh_target import SshTarget
from pilot_kernel.resource.reach.switchboard import Switchboard, free_ports, switchboard_of

__all__ = ["HostPlan", "SshHost"]

_LOOPBACK = "127.0.0.1"
_ENDING_S = 5.0
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """How a host is reached.

    Attributes:
        target: The host.
        python: The Python to use there, if one is named.
        lines: Set-up lines.
        scratch: A folder of the agent's with a short name.
    """

    target: SshTarget
    python: str | None
    lines: tuple[str, ...]
    scratch: Path


class SshHost(FarStart):
    """A host; see `FarStart`.

    Args:
        scheduler: The scheduler's address.
        name: What the cluster calls it.
        work: The workers that it is to bring up.
        plan: How it is reached.
    """

    def __init__(
        self, scheduler: str = "", name: str = "", *, work: WorkPlan, plan: HostPlan
    ) -> None:
        super().__init__(scheduler, name, work)
        self._plan = plan
        self._scheduler_port = urlsplit(scheduler).port or 0
        self._line: SshLine | None = None  # while it is up

    def while_trying(self, scheduler: Any) -> AbstractContextManager[None]:
        """Have the switchboard know of the host."""
        return switchboard_of(scheduler).host()

    async def serve(self, scheduler: Any) -> None:
        """Bring the host up, and wait until it is lost.

        Args:
            scheduler: The agent's scheduler.

        Raises:
            HostError: Why it was lost, or did not come up.
        """
        plan, board = self._plan, switchboard_of(scheduler)
        control = plan.scratch / f"ssh-{secrets.token_hex(3)}"
        line = SshLine(plan.target, control, self.log.write, self._noted)
        patience_s = _ENDING_S
        try:
            self.say(self.note or f"connecting to host {plan.target}")
            hello = await line.open(script(plan.python, plan.lines))
            await self._order(line, board, hello)
            self.say("")
            self._line = line
            await line.lost.wait()
            raise await line.why()
        except HostError:
            patience_s = 0.0
            raise
        finally:
            self._line = None
            await self.let_workers_go(scheduler)
            board.detach(line)
            await line.close(patience_s)
            with contextlib.suppress(OSError):
                os.unlink(control)

    async def check(self) -> None:
        """Give up at once a host that cannot be reached any more."""
        if self._line is not None:
            await self._line.check()

    def _noted(self, words: str) -> None:
        self.say(words and f"host {self._plan.target}: {words}")

    async def _order(self, line: SshLine, board: Switchboard, hello: Mapping[str, Any]) -> None:
        """Have the supervisor bring up the workers, on ports that are free everywhere."""
        there = hello["loopback"]
        port = self._scheduler_port
        if not board.shares_loopback(there):
            (port,) = await line.forward([("R", 0, port)])
            if (await line.ask("exposed", listening=port))["exposed"]:
                raise HostError(
                    f"host {line.target}: its SSH server opens forwarded ports to the network "
                    "(GatewayPorts yes), and nothing of a session may listen there. Have it set to "
                    "clientspecified, or no",
                    final=True,
                )
        last: HostError | None = None
        for _ in range(_TRIES):
            ports = free_ports(len(self.work.suffixes), board.ports)
            try:
                await board.attach(line, there, ports)
            except HostError as error:  # a port is taken on one of the hosts
                if line.lost.is_set():
                    raise
                last = error
                continue
            order = self.work.order(self.name, f"tls://{_LOOPBACK}:{port}", _LOOPBACK, ports)
            answer = await line.ask("taken", "busy", order=order.plain())
            if "taken" in answer:
                return
            last = HostError(f"host {line.target}: the ports {answer['busy']} are taken there")
            board.detach(line)
        assert last is not None
        raise last
