"""Linear algebra on one thread, where products are small and other processes want the cores.

Several threads would wait for each other: on a busy machine that takes ten times as long.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["one_thread"]


class _Limit:
    """One limit for all threads of this process that want it at the same time.

    The number of threads is the process's, so who came first must not restore it while others are
    still inside, and who came last must not take one thread for what it was.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.limiter: AbstractContextManager[object] | None = None

    def enter(self) -> None:
        """Set the limit, if it is not set."""
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.limiter = _controller().limit(limits=1, user_api="blas")

    def leave(self) -> None:
        """Restore what was, if nobody is inside any more."""
        with self.lock:
            self.inside -= 1
            if not self.inside and self.limiter is not None:
                self.limiter.__exit__(None, None, None)
                self.limiter = None


_limit = _Limit()


@cache
def _controller() -> ThreadpoolController:
    """Looking for the libraries takes milliseconds, so it is done once."""
    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """While this is open, BLAS uses one thread in this process."""
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()
