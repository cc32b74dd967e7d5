"""Sharing a value between tasks: it goes to the agent as a result would, and is kept as one."""

import contextlib
from typing import Any

from pilot_kernel.errors import ShipError
from pilot_kernel.resource.connection.link import Link
from pilot_kernel.task.notebook.shared import Shared
from pilot_kernel.task.wire.packing import Packed, pack, reason
from pilot_kernel.task.wire.results import SMALL_BYTES, Kept

__all__ = ["share"]


def share(link: Link, value: Any, stamp: str) -> Shared:
    """See `Session.share`.

    Args:
        link: The line to the agent.
        value: The value.
        stamp: What no other shared value or task of any session has in its key.
    """
    from pilot_kernel.task.transfer import put

    what, key = type(value).__name__, f"shared-{stamp}"
    try:
        packed = pack(value)
    except Exception as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
        raise ShipError(f"the value ({what}) cannot be shared: {reason(error)}") from None
    if packed.size <= SMALL_BYTES:
        small = Packed(packed.header, tuple(bytes(part) for part in packed.buffers))
        return Shared(key, what, small, lambda: None)
    client = link.client
    try:
        kept = client.sync(put, client, key, packed)
    except OSError:
        raise link.lost() from None
    if not isinstance(kept, Kept):
        raise ShipError(f"the value ({what}, {packed.size / 1e6:,.1f} MB) is not shared: {kept}")
    return Shared(key, what, kept, lambda: client.loop.add_callback(_end, client, key))


async def _end(client: Any, key: str) -> None:
    """Tell the agent that no more tasks will take a value."""
    with contextlib.suppress(OSError):
        await client.scheduler.share_end(key=key)
