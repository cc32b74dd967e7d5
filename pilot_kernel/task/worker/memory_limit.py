"""How much memory a task may take on its worker, and why one that takes more is ended."""

from collections.abc import Callable
from typing import Any

import psutil

from pilot_kernel.resource import allowance
from pilot_kernel.resource.neighbours import MEMORY_SHARE

__all__ = ["Excess", "MemoryLimit"]

Excess = Callable[[int], str]
"""Says why so many bytes are too many, in words that end a sentence; empty if they are not."""

_SHORT = 8  # where less than this part of the memory is free, a task may fill it between two looks


class MemoryLimit:
    """The memory of a worker's tasks.

    What the worker was started with is the most that a task takes. Where the machine has other
    sessions, the agent tells what a task may count on: one that has more is ended only when the
    machine runs short, so that it may go on while others do not use what they may.
    """

    def __init__(self, worker: Any) -> None:
        """Heed from now on what the agent tells this Dask worker."""
        self._most: int | None = worker.memory_manager.memory_limit
        self._share = self._most
        worker.stream_handlers[MEMORY_SHARE] = self._heed

    def _heed(self, memory_bytes: int) -> None:
        self._share = memory_bytes

    def most(self, span: int) -> int | None:
        """Bytes that a task may take at most, with the cores and memory of so many workers."""
        return self._most and span * self._most

    def excess(self, span: int) -> Excess | None:
        """What judges the bytes of such a task while it runs; None if there is no limit."""
        if not self._most:
            return None

        def why(taken: int) -> str:
            most, share = span * (self._most or 0), span * (self._share or 0)
            if taken > most:
                return (
                    f"its worker may use {most / 1e9:.2f} GB; give workers more memory, or fewer "
                    "workers to a machine"
                )
            if taken > share and _short():
                return (
                    f"this machine has hardly any left; with other sessions there, its worker may "
                    f"count on {share / 1e9:.2f} GB. Close a session that is not needed (%pilot "
                    "list), or give the pilot what it needs (memory_per_node_bytes=)"
                )
            return ""

        return why


def _short() -> bool:
    """Whether the machine, or this process's control group, is about to run out of memory."""
    free, left = psutil.virtual_memory().available, allowance.memory_left_bytes()
    return min(free, free if left is None else left) < allowance.memory_bytes() / _SHORT
