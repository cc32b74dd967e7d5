"""One worker of somebody's Dask cluster, in the agent's hands: a task holds it for our workers.

Credentials reach it through that cluster if it is encrypted. On this machine they are read from the
session's own files instead, so they are never on a line that others can listen to.
"""

import asyncio
import contextlib
import dataclasses
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from pilot_kernel.resource import versions
from pilot_kernel.resource.host import report
from pilot_kernel.resource.host.protocol import Order
from pilot_kernel.resource.reach import guest_task
from pilot_kernel.resource.reach.dask_place import DaskPlace, is_loopback
from pilot_kernel.resource.reach.far_start import FarStart, WorkPlan
from pilot_kernel.resource.reach.host_error import HostError

__all__ = ["DaskGuest", "GuestPlan", "connected", "look"]

_CONNECT_S = 10.0
_LOOK_S = 0.5
_LOOKS = 10  # from one question to their scheduler to the next
_ENDING_S = 5.0


@dataclass(frozen=True, kw_only=True)
class GuestPlan:
    """How a pilot's workers get into a cluster.

    Attributes:
        place: The cluster.
        scheduler: Where our scheduler is for workers there.
        host: Where workers on this machine listen.
        taken: Which of its workers hold which start, in the agent's hands.
    """

    place: DaskPlace
    scheduler: str
    host: str
    taken: dict[str, str] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def connected(place: DaskPlace) -> AsyncIterator[Any]:
    """A client of a cluster.

    Raises:
        HostError: It does not answer, or the line to it is cut while the client is in use.
    """
    from distributed import Client

    where = f"Dask cluster {place.address}"

    try:
        client = await Client(
            place.address,
            security=place.security(),
            asynchronous=True,
            set_as_default=False,
            timeout=_CONNECT_S,
        )
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        cause = error.__cause__ or error
        raise HostError(f"{where}: no connection ({type(cause).__name__}: {cause})") from None
    try:
        yield client
    except HostError:
        raise
    except Exception as error:
        # What Dask raises depends on how much of the line it has given up yet.
        if client.status == "running" and not isinstance(error, OSError):
            raise
        raise HostError(
            f"{where}: the connection was lost ({type(error).__name__}: {error})"
        ) from error
    finally:
        with contextlib.suppress(Exception):
            await client.close(timeout=2)


async def look(
    client: Any, place: DaskPlace, working_directory: str | None, workers: list[str] | None = None
) -> dict[str, dict[str, Any]]:
    """See whether workers of a cluster can be used.

    Args:
        client: A client of it.
        place: The cluster.
        working_directory: Where ours are to keep files.
        workers: Which of its workers; all if None.

    Returns:
        What each says of its host, by its address.

    Raises:
        HostError: There are none, or one cannot be used.
    """
    where = f"Dask cluster {place.address}"
    try:
        found = await client.run(guest_task.look, working_directory, workers=workers)
    except ModuleNotFoundError as error:
        raise HostError(
            f"{where}: its workers have no {error.name}; install qdreamer-lab there, in the "
            "version that you have here",
            final=True,
        ) from None
    except Exception as error:  # noqa: BLE001 whatever came of it on their side
        raise HostError(f"{where}: {type(error).__name__}: {error}") from None
    if not found:
        raise HostError(f"{where} has no workers")
    for address, told in found.items():
        if different := versions.differences(versions.here(), told["versions"]):
            words = f"{where}: versions on worker {address} differ from those here: {different}"
        elif told["unwritable"]:
            words = f"working_directory: worker {address} cannot write there, {told['unwritable']}"
        elif not address.startswith("tls://") and not is_loopback(address):
            words = f"{where}: its worker {address} is reached without encryption"
        elif is_loopback(address) and told["loopback"] != report.loopback():
            words = (
                f"{where}: its worker {address} is on another machine, or in a container with a "
                "network of its own, and listens there for that only"
            )
        else:
            continue
        raise HostError(words, final=True)
    return dict(found)


class DaskGuest(FarStart):
    """A worker of a cluster that holds ours; see `FarStart`.

    Args:
        scheduler: What the cluster takes for our scheduler's address; the plan knows better.
        name: What the cluster calls it.
        work: The workers that it is to bring up.
        plan: How they get there.
    """

    def __init__(
        self, scheduler: str = "", name: str = "", *, work: WorkPlan, plan: GuestPlan
    ) -> None:
        super().__init__(scheduler, name, work)
        self._plan = plan

    async def serve(self, scheduler: Any) -> None:
        """Have a worker of theirs hold ours, until it does not any more.

        Args:
            scheduler: Our scheduler.

        Raises:
            HostError: Why it does not.
        """
        place = self._plan.place
        self.say(self.note or f"connecting to Dask cluster {place.address}")
        try:
            async with connected(place) as client:
                theirs = await self._choose(client)
                seen = await look(client, place, self.work.working_directory, [theirs])
                await self._hold(client, theirs, seen[theirs])
        finally:
            self._plan.taken.pop(self.name, None)
            await self.let_workers_go(scheduler)

    async def _choose(self, client: Any) -> str:
        """One of their workers that holds none of ours."""
        taken = self._plan.taken
        for address in sorted(await client.ncores()):
            if address not in taken.values():
                taken[self.name] = str(address)
                return str(address)
        raise HostError(f"Dask cluster {self._plan.place.address} has no further worker")

    async def _hold(self, client: Any, theirs: str, seen: dict[str, Any]) -> None:
        key = f"pilot-{self.name}-{secrets.token_hex(6)}"
        order, credentials = self._order(theirs)
        client.subscribe_topic(guest_task.TOPIC + key, self._heard)
        future = client.submit(
            guest_task.hold,
            order,
            credentials,
            key=key,
            workers=[theirs],
            allow_other_workers=False,
            retries=0,
            pure=False,
        )
        try:
            self.say("")
            await self._watch(client, future, theirs)
        finally:
            await self._end(client, future, key, theirs)

    def _order(self, theirs: str) -> tuple[Order, str | None]:
        """What the task is told, and where it reads the credentials if that is here."""
        from distributed.comm import get_address_host

        plan = self._plan
        at_home = is_loopback(theirs)
        address = plan.host if at_home else get_address_host(theirs)
        ports = [0] * len(self.work.suffixes)
        order = self.work.order(self.name, plan.scheduler, address, ports)
        if not at_home:
            return order, None
        return dataclasses.replace(order, certificate="", key=""), str(self.work.directory)

    def _heard(self, event: tuple[float, Any]) -> None:
        words = str(json.loads(event[1]).get("note", ""))
        self.say(words and f"Dask cluster {self._plan.place.address}: {words}")

    async def _watch(self, client: Any, future: Any, theirs: str) -> None:
        """Wait until the task has ended, or whoever ran it is gone.

        Raises:
            HostError: In any case.
        """
        where = f"Dask cluster {self._plan.place.address}"
        looks = 0
        while future.status == "pending":
            await asyncio.sleep(_LOOK_S)
            looks += 1
            there = looks % _LOOKS or theirs in await client.ncores()
            if client.status != "running":
                raise HostError(f"{where}: the connection was lost")
            if not there:
                raise HostError(f"{where}: its worker {theirs} is gone")
        if future.status == "finished":
            told = await future
            for line in told["tail"]:
                self.log.write(line)
            raise HostError(f"{where}: the task that held worker {theirs} ended: {told['why']}")
        if future.status == "error":
            error = await future.exception()
            raise HostError(f"{where}: {type(error).__name__}: {error}")
        raise HostError(f"{where}: the task that held worker {theirs} was canceled there")

    async def _end(self, client: Any, future: Any, key: str, theirs: str) -> None:
        """Have the task end, and wait for it: nothing of ours is to stay there."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_ENDING_S):
                waits = future.status == "pending" and client.status == "running"
                # Their scheduler would go on asking a worker that is gone, for half a minute.
                if waits and theirs in await client.ncores():
                    await client.run(guest_task.end, key, workers=[theirs])
                    while future.status == "pending":
                        await asyncio.sleep(0.05)
        with contextlib.suppress(Exception):
            await future.cancel()
            client.unsubscribe_topic(guest_task.TOPIC + key)
