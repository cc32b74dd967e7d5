"""The agent's book of shared values: which of them somebody still needs.

A client holds a value until it says otherwise or goes; every task that takes one names it in its
annotations, and needs it until it is done.
"""

import time
from collections.abc import Iterable
from typing import Any

from pilot_kernel.task.wire.record import SHARES

__all__ = ["SharedValues"]

_GRACE_S = 60.0  # tasks that take a value may be on their way when its client lets go of it


class SharedValues:
    """Who holds which value."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._let_go: dict[str, float] = {}

    def begin(self, key: str, client: str) -> None:
        """A client has sent a value."""
        self._holders[key] = client

    async def end(self, key: str) -> None:
        """Its client submits no more tasks that take it."""
        if self._holders.pop(key, None) is not None:
            self._let_go[key] = time.monotonic()

    def client_went(self, client: str) -> None:
        """A client is gone; what it has sent before is here."""
        for key in [key for key, holder in self._holders.items() if holder == client]:
            del self._holders[key]

    def wanted(self, tasks: Iterable[Any]) -> set[str]:
        """The keys of the values that are needed.

        Args:
            tasks: All tasks of Dask's scheduler.
        """
        now = time.monotonic()
        self._let_go = {k: at for k, at in self._let_go.items() if now - at < _GRACE_S}
        wanted = {*self._holders, *self._let_go}
        for ts in tasks:
            if ts.annotations:
                wanted.update(ts.annotations.get(SHARES, ()))
        return wanted
