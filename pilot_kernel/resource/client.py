"""The Dask client of a session: it speaks at once, and it does not call again.

An agent that hangs up has ended, and its tasks with it; trying to reach it for a while would only
keep the bad news back.
"""

import dask
from distributed import Client

__all__ = ["AgentClient"]

_BATCH_S = 0.002  # Dask's client gathers messages for 10 ms, which is most of a round trip


# What is sent is packed by us, and advice on how to use Dask better is none to our users.
dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})


class AgentClient(Client):  # type: ignore[misc]
    """A client for the life of one connection."""

    async def _ensure_connected(self, timeout: float | None = None) -> None:
        await super()._ensure_connected(timeout)
        self.scheduler_comm.interval = _BATCH_S

    async def _reconnect(self) -> None:
        self._timeout = 0  # the base class cancels all futures, then tries for so long
        await super()._reconnect()
