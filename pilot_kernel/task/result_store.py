"""The agent's side of results that come from other machines, or are wanted there.

Files are written and read by threads, a stretch at a time and a few at once: neither the agent's
event loop nor its memory notices how large a result is, or how many workers have one.
"""

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any

from pilot_kernel.resource import worker_environment
from pilot_kernel.task.transfer import GET, NEXT, PUT, UNWANTED
from pilot_kernel.task.wire.results import Draft, Kept, has_room, stretch

__all__ = ["ResultStore"]

_AT_ONCE = 8  # stretches under way
_PATIENCE_S = 60.0  # for one stretch; then whoever sends or takes it is given up
_NAME = re.compile(r"[0-9a-f]{32}")

_NO_ROOM = "there is no room for it"


class ResultStore:
    """Takes results into the session's folder, and gives them out.

    Args:
        wanted: Whether a result is still wanted from who sends it, by key and sender; asked before
            anything is taken, and again before it is kept.
        kept: Told of a result that is on disk now: its key, the sender, and where it is.

    Attributes:
        coming: Keys of the results that are being taken.
        given: Stretches that were given so far.
    """

    def __init__(
        self, wanted: Callable[[str, str], bool], kept: Callable[[str, str, Kept], None]
    ) -> None:
        self._wanted = wanted
        self._kept = kept
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.coming: set[str] = set()
        self.given = 0

    def handlers(self) -> dict[str, Any]:
        """What the agent answers to, by name."""
        return {PUT: self.put, GET: self.get}

    async def put(
        self, comm: Any, key: str, size: int, filed: int, sender: str
    ) -> dict[str, Any] | str:
        """Take a result.

        Args:
            comm: The connection on which it comes, stretch by stretch.
            key: Key of its task, or of the shared value.
            size: Bytes of the result.
            filed: Bytes of its file.
            sender: Who has it: a worker's address, or the id of a client that shares a value.

        Returns:
            Where it is, as `Kept` takes it; or why it was not taken.
        """
        folder = worker_environment.results_folder()
        if folder is None or not self._wanted(key, sender):
            return UNWANTED
        if not await asyncio.to_thread(has_room, folder, size):
            return _NO_ROOM
        try:
            draft = Draft(folder, key, uuid.uuid4().hex, filed)
        except OSError:
            return _NO_ROOM
        done = False
        self.coming.add(key)
        try:
            while filed > 0:
                async with self._slots:
                    await comm.write(NEXT)
                    part = await _soon(comm)
                    await asyncio.to_thread(draft.write, part)
                filed -= len(part)
            if filed or not self._wanted(key, sender):  # as it may have been sent elsewhere
                return UNWANTED
            where = Kept(draft.finish(), size)
            done = True
        except OSError as error:
            if comm.closed():
                raise
            return f"{_NO_ROOM}: {error.strerror}"
        finally:
            self.coming.discard(key)
            if not done:
                draft.discard()
        self._kept(key, sender, where)
        return {"path": where.path, "size": where.size}

    async def get(self, comm: Any, name: str) -> bytes | None:
        """Give a result.

        Args:
            comm: The connection on which it goes, stretch by stretch.
            name: What its file is called.

        Returns:
            What follows the last stretch: nothing; or None if the result is not there.
        """
        folder = worker_environment.results_folder()
        if folder is None or _NAME.fullmatch(name) is None:
            return None
        begin = 0
        while True:
            async with self._slots:
                part = await asyncio.to_thread(stretch, folder, name, begin)
                if not part:
                    return part
                self.given += 1
                await comm.write(part)
                await _soon(comm)
            begin += len(part)


async def _soon(comm: Any) -> Any:
    """What comes next on a connection; who does not send it in time is dropped."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await comm.read()
    except TimeoutError:
        comm.abort()
        raise OSError("a worker that was to send or take a result is silent") from None
