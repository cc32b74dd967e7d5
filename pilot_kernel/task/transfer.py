"""Results on their way to the agent's machine and from it, for who cannot open its files.

Both go over a connection of their own, stretch by stretch: the agent says when the next may come,
so it never holds more than a few, however many workers there are.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from distributed.comm.core import CommClosedError

from pilot_kernel.task.wire.filed import Assembly, filed_size, stretches
from pilot_kernel.task.wire.packing import Bytes, Packed
from pilot_kernel.task.wire.results import Kept, gone

__all__ = ["GET", "NEXT", "PUT", "UNWANTED", "fetch", "fetch_packed", "put"]

PUT = "result_put"
"""The agent's handler that takes a result."""

GET = "result_get"
"""The agent's handler that gives one."""

NEXT = "next"
"""What the side says that is ready for the next stretch."""

UNWANTED = "nobody wants it"
"""What the agent says of a result whose task was canceled, or sent elsewhere."""

_T = TypeVar("_T")

_TRIES = 3
_PAUSE_S = 1.0


async def put(node: Any, key: str, packed: Packed) -> Kept | str:
    """Have the agent keep a value.

    Args:
        node: A Dask worker or client, connected to the agent.
        key: The task whose result it is, or the key of a shared value.
        packed: The value.

    Returns:
        Where it is now, or why it is not there.

    Raises:
        OSError: The agent is out of reach.
    """

    async def once() -> Kept | str:
        async with _Line(node) as line:
            sizes = {"size": packed.size, "filed": filed_size(packed)}
            sender = getattr(node, "contact_address", None) or node.id  # a worker, or a client
            await line.comm.write({"op": PUT, "key": key, "sender": sender, **sizes})
            for stretch in stretches(packed):
                if (answer := await line.read()) != NEXT:
                    return str(answer)
                await line.comm.write(bytes(stretch))
            answer = await line.read()
            return answer if isinstance(answer, str) else Kept(**answer)

    return await _patiently(once)


async def fetch(node: Any, kept: Kept, take: Callable[[Bytes], Awaitable[None]]) -> None:
    """Get a result from the agent.

    Args:
        node: A Dask worker or client, connected to the agent.
        kept: The result.
        take: Awaited with one stretch after the other.

    Raises:
        PilotError: The result is gone.
        OSError: The agent is out of reach.
    """
    async with _Line(node) as line:
        async for stretch in line.stretches(kept.name):
            await take(stretch)


async def fetch_packed(node: Any, kept: Kept) -> Packed:
    """Get a result from the agent into this process; as `fetch`."""

    async def once() -> Packed:
        whole = Assembly()

        async def take(stretch: Bytes) -> None:
            whole.add(stretch)

        await fetch(node, kept, take)
        return whole.packed()

    return await _patiently(once)


async def _patiently(once: Callable[[], Awaitable[_T]]) -> _T:
    """Do something over a connection; once more over another one if it breaks."""
    for _ in range(_TRIES - 1):
        try:
            return await once()
        except OSError:
            await asyncio.sleep(_PAUSE_S)
    return await once()


class _Line:
    """A connection to the agent for one result; it is dropped unless all went well."""

    def __init__(self, node: Any) -> None:
        self._pool = node.rpc
        self._address = node.scheduler.address
        self.comm: Any = None

    async def __aenter__(self) -> "_Line":
        self.comm = await self._pool.connect(self._address)
        return self

    async def __aexit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self._pool.reuse(self._address, self.comm)
        else:
            self.comm.abort()
            self._pool.reuse(self._address, self.comm)  # which forgets it

    async def read(self) -> Any:
        """What the agent says.

        Raises:
            CommClosedError: It failed to serve.
        """
        answer = await self.comm.read()
        if isinstance(answer, dict) and answer.get("status") in ("error", "uncaught-error"):
            raise CommClosedError(f"the agent could not serve: {answer.get('text')}")
        return answer

    async def stretches(self, name: str) -> AsyncIterator[Bytes]:
        """The bytes of a result's file."""
        await self.comm.write({"op": GET, "name": name})
        while True:
            stretch = await self.read()
            if stretch is None:
                raise gone()
            if not stretch:
                return
            yield stretch
            await self.comm.write(NEXT)
