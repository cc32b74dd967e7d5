"""What all starts on far machines have in common: they are tried again until they are closed.

The cluster starts and closes one like a worker. Its life goes on in the background, so a machine
that does not answer holds nobody up.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from pilot_kernel.resource.host.protocol import Order, WorkerOrder
from pilot_kernel.resource.reach.host_error import HostError
from pilot_kernel.resource.reach.host_log import HostLog

__all__ = ["FarStart", "Fellows", "WorkPlan"]

log = logging.getLogger("pilot_kernel.agent")

_SHORTEST_S, _LONGEST_S = 1.0, 30.0
_CLOSING_S = 8.0


@dataclass
class Fellows:
    """The starts of one pilot, in the agent's hands.

    Attributes:
        count: How many there are.
        refused: Names of those that will not come, however often they are tried.
    """

    count: int
    refused: set[str] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class WorkPlan:
    """The workers of a start.

    Attributes:
        suffixes: What is added to the name of the start, to name them.
        resources: What each offers.
        memory_bytes: Memory limit of each.
        envs: Environment variables of each.
        working_directory: Where they keep files.
        security: The session's credentials, in files.
        directory: The agent's folder.
        fellows: The starts of the pilot.
    """

    suffixes: tuple[str, ...]
    resources: Mapping[str, float]
    memory_bytes: int
    envs: tuple[Mapping[str, str], ...]
    working_directory: str | None
    security: Any
    directory: Path
    fellows: Fellows

    def names(self, start: str) -> list[str]:
        """Names of the workers, given that of the start."""
        return [start + suffix for suffix in self.suffixes]

    def order(self, start: str, scheduler: str, address: str, ports: list[int]) -> Order:
        """What a supervisor is told; it has the session's key in it.

        Args:
            start: Name of the start.
            scheduler: Where workers find the scheduler.
            address: Where they listen.
            ports: On which ports.
        """
        workers = tuple(
            WorkerOrder(
                name=name,
                resources=self.resources,
                memory_bytes=self.memory_bytes,
                port=port,
                env=env,
            )
            for name, port, env in zip(self.names(start), ports, self.envs, strict=True)
        )
        return Order(
            scheduler=scheduler,
            address=address,
            certificate=Path(self.security.tls_worker_cert).read_text(),
            key=Path(self.security.tls_worker_key).read_text(),
            workers=workers,
            working_directory=self.working_directory,
        )


class FarStart(ProcessInterface):  # type: ignore[misc]
    """Brings up workers on a far machine; see `ProcessInterface`.

    Args:
        scheduler: The scheduler's address.
        name: What the cluster calls it.
        work: The workers.

    Attributes:
        note: A word on how it is doing; none when it is doing well.
    """

    def __init__(self, scheduler: str, name: str, work: WorkPlan) -> None:
        super().__init__(scheduler, name)
        self.name = name
        self.note = ""
        self.work = work
        self.log = HostLog(work.directory, name)
        self._life: asyncio.Task[None] | None = None
        self._closing = False  # Dask may turn a cancellation into an error of its own

    async def serve(self, scheduler: Any) -> None:
        """Bring the workers up, and wait until they are lost; what is there is ended then.

        Args:
            scheduler: The agent's scheduler.

        Raises:
            HostError: Why they were lost, or did not come up.
        """
        raise NotImplementedError

    def while_trying(self, scheduler: Any) -> AbstractContextManager[None]:
        """What holds for as long as it is brought up again and again."""
        return contextlib.nullcontext()

    async def check(self) -> None:
        """Give up at once what cannot be reached any more; it is about to be told to end."""

    @property
    def gave_up(self) -> bool:
        """Whether no start of its pilot will come, however often it is tried."""
        return len(self.work.fellows.refused) >= self.work.fellows.count

    async def start(self) -> None:
        """Begin to bring it up; that goes on in the background."""
        await super().start()
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        """End it, with all that it has started, whether it can be reached or not."""
        if self.status == Status.closed:
            return
        self._closing = True
        while self._life is not None and not self._life.done():
            self._life.cancel()
            await asyncio.wait({self._life}, timeout=_CLOSING_S)
        self.work.fellows.refused.discard(self.name)
        self.log.close()
        await super().close()

    def say(self, words: str) -> None:
        """Say how it is doing; nothing means well."""
        if words != self.note:
            log.info("%s: %s", self.name, words or "well")
        self.note = words

    async def _live(self) -> None:
        while not hasattr(self, "_cluster"):  # Dask says to which it belongs when it has started
            await asyncio.sleep(0.01)
        scheduler = self._cluster().scheduler
        try:
            with self.while_trying(scheduler):
                await self._keep_trying(scheduler)
        except HostError as error:
            if self._closing:
                return
            self.say(str(error))
            self.work.fellows.refused.add(self.name)
        except Exception as error:
            log.exception("%s", self.name)
            self.say(f"{type(error).__name__}: {error}")
            self.status = Status.failed

    async def _keep_trying(self, scheduler: Any) -> None:
        """Bring it up again and again.

        Raises:
            HostError: That will not help.
        """
        pause_s = _SHORTEST_S
        while True:
            begun = time.monotonic()
            try:
                await self._serve(scheduler)
            except HostError as error:
                if error.final or self._closing:
                    raise
                if time.monotonic() - begun > 2 * _LONGEST_S:  # it had been up
                    pause_s = _SHORTEST_S
                at = time.strftime("%H:%M:%S")
                self.say(f"{error}; since {at} tasks run elsewhere, and it is tried again")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_S)

    async def _serve(self, scheduler: Any) -> None:
        try:
            await self.serve(scheduler)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closing or task is None or task.cancelling():
                raise
            # What was waited for was cancelled, not this: a client of Dask's that lost its line.
            raise HostError("the connection was lost") from None

    async def let_workers_go(self, scheduler: Any) -> None:
        """Give its workers up: what they ran runs elsewhere, and no task is to blame."""
        mine = set(self.work.names(self.name))
        for address in [at for at, ws in scheduler.workers.items() if ws.name in mine]:
            await scheduler.remove_worker(
                address=address, stimulus_id=f"far-lost-{time.time()}", expected=True, close=False
            )
