"""A worker's GPU: what it is, and whether it is still there.

A GPU may fall off its bus, and everything that uses it fails from then on. Its worker then takes no
tasks until the GPU is back; what it was running is not to blame, and runs elsewhere.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from pilot_kernel.resource.gpus import Gpu, GpuLostError, look_at

__all__ = ["GpuWatch"]

_PERIOD_S = 5.0
_PATIENCE_S = 10.0
"""A driver that is in trouble may take long to answer, or not answer at all."""


class GpuWatch:
    """Looks at one GPU again and again, in a thread.

    Args:
        lost: Called when the GPU is seen to be gone.

    Attributes:
        trouble: How it shows that the GPU is gone; empty as long as it is not.
    """

    def __init__(self, lost: Callable[[], None]) -> None:
        self.trouble = ""
        self._lost = lost
        self._which = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        self._seen: Gpu | None = None
        self._look: asyncio.Future[Gpu | None] | None = None  # that is under way
        self._looking = asyncio.ensure_future(self._keep_looking())

    def told(self) -> dict[str, Any]:
        """What heartbeats carry of it."""
        seen = self._seen
        return {
            "name": "" if seen is None else seen.name,
            "memory_bytes": 0 if seen is None else seen.memory_bytes,
            "driver": "" if seen is None else seen.driver,
            "trouble": self.trouble,
        }

    async def gone(self) -> bool:
        """Look, and say whether it is gone.

        Who asks while a look is under way waits for that one: if the driver never answers, one
        thread hangs, and the worker's others stay free.
        """
        if self._look is None:
            self._look = asyncio.ensure_future(asyncio.to_thread(look_at, self._which, self._seen))
        look = self._look
        await asyncio.wait([look], timeout=_PATIENCE_S)
        if not look.done():  # nothing is known now
            return bool(self.trouble)
        if self._look is look:
            self._look = None
        before = self.trouble
        try:
            self._seen, self.trouble = look.result() or self._seen, ""
        except GpuLostError as error:
            self.trouble = str(error)
        if self.trouble and not before:
            self._lost()
        return bool(self.trouble)

    async def _keep_looking(self) -> None:
        while self._which:
            await self.gone()
            await asyncio.sleep(_PERIOD_S)

    def close(self) -> None:
        """Look no more."""
        self._looking.cancel()
