"""Linear algebra on one thread, where products are small and other processes want the cores.

Several threads would wait for each other: on a busy machine that takes ten times as long.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["one_thread"]


@cache
def _controller() -> ThreadpoolController:
    """Looking for the libraries takes milliseconds, so it is done once."""
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """While this is open, BLAS uses one thread in this process."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limit
