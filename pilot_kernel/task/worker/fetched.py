"""What a worker that is not on the agent's machine has fetched from there, once for all its tasks.

It lies in the worker's own folder, which goes with the worker.
"""

import asyncio
import os
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.transfer import fetch, fetch_packed
from pilot_kernel.task.wire.packing import Bytes, Packed
from pilot_kernel.task.wire.results import Kept, file_name

__all__ = ["Fetched"]

_MOST_BYTES = 4 << 30  # and never more than half of what is free
_TRIES = 3
_PAUSE_S = 1.0


class Fetched:
    """Copies of results that lie on the agent's machine.

    Args:
        worker: The Dask worker.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._folder = Path(worker.local_directory, "fetched")
        self._copies: OrderedDict[str, Kept] = OrderedDict()  # the latest used last

    async def here(self, kept: Kept, needed: set[str]) -> Kept | Packed:
        """A result as a task process of this worker can take it.

        Args:
            kept: Where it lies there.
            needed: Names of all that the task needs, which stay.

        Raises:
            PilotError: It is gone, or the agent is out of reach.
        """
        copy = self._copies.get(kept.name)
        if copy is None or not os.path.exists(copy.path):
            if not self._make_room(kept.size, needed):
                return await self._in_memory(kept)
            try:
                copy = await self._fetch(kept)
            except OSError:  # the disk has filled up, or the line broke for good
                return await self._in_memory(kept)
            self._copies[kept.name] = copy
        self._copies.move_to_end(kept.name)
        return copy

    def forget(self, key: str) -> None:
        """The scheduler needs a result here no more."""
        if self._copies:
            self._drop(file_name(key))

    async def _fetch(self, kept: Kept) -> Kept:
        path = self._folder / kept.name
        for tries_left in reversed(range(_TRIES)):
            try:
                return await self._write(kept, path)
            except OSError:
                path.unlink(missing_ok=True)
                if not tries_left:
                    raise
                await asyncio.sleep(_PAUSE_S)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        raise AssertionError

    async def _write(self, kept: Kept, path: Path) -> Kept:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0) as file:

            async def take(stretch: Bytes) -> None:
                await asyncio.to_thread(_write_all, file, stretch)

            await fetch(self._worker, kept, take)
        return Kept(str(path), kept.size)

    async def _in_memory(self, kept: Kept) -> Packed:
        try:
            return await fetch_packed(self._worker, kept)
        except OSError as error:
            raise PilotError(
                f"an input of {kept.size / 1e6:,.1f} MB could not be had from the agent: {error}"
            ) from None

    def _make_room(self, size: int, needed: set[str]) -> bool:
        """Drop what was not used for longest, until there is room; False if there will be none."""
        held = sum(copy.size for copy in self._copies.values())
        free = shutil.disk_usage(self._worker.local_directory).free
        most = min(_MOST_BYTES, (held + free) // 2)
        for name in [name for name in self._copies if name not in needed]:
            if held + size <= most:
                break
            held -= self._copies[name].size
            self._drop(name)
        return held + size <= most

    def _drop(self, name: str) -> None:
        if (copy := self._copies.pop(name, None)) is not None:
            Path(copy.path).unlink(missing_ok=True)


def _write_all(file: Any, stretch: Bytes) -> None:
    view = memoryview(stretch).cast("B")
    while view:
        view = view[file.write(view) :]
