"""Waiting for a `concurrent.futures` future in an event loop; the waiting can be canceled."""

import asyncio
import contextlib
from concurrent.futures import Future
from typing import Any

__all__ = ["until_done"]


async def until_done(future: Future[Any]) -> None:
    """Wait until `future` is done, without holding up the loop.

    Unlike with `asyncio.wrap_future`, giving up waiting leaves the future alone, and a loop that is
    closed meanwhile is not called.
    """
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def wake() -> None:
        if not done.done():
            done.set_result(None)

    def tell(_: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits
            loop.call_soon_threadsafe(wake)

    future.add_done_callback(tell)
    await done
