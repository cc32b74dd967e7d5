"""A worker's task process, kept ready: a fresh one is started as soon as the last has ended."""

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from pilot_kernel.errors import TaskFailedError
from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.start_nursery import start
from pilot_kernel.task.worker.task_process import Printed, TaskProcess

if TYPE_CHECKING:
    import subprocess

__all__ = ["Supply"]

_PATIENCE_S = 120.0  # a nursery imports large libraries from what may be a slow disk
_NURSERIES = 3  # one may be killed just as it is asked, by whatever killed the one before it


class Supply:
    """Keeps a task process ready.

    Args:
        folder: Where a nursery of the worker's own may have its socket.
        printed: Called with (stream, text) for what tasks write.
    """

    def __init__(self, folder: str, printed: Printed) -> None:
        self._folder = folder
        self._printed = printed
        self._loop = asyncio.get_running_loop()
        self._current: TaskProcess | None = None
        self._coming: asyncio.Task[TaskProcess] | None = None
        self._nursery: subprocess.Popen[bytes] | None = None  # of its own

    @property
    def current(self) -> TaskProcess | None:
        """The process that is up, if one is."""
        return self._current if self._current is not None and self._current.alive else None

    def prepare(self) -> "asyncio.Task[TaskProcess]":
        """Begin to bring up a process."""
        if self._coming is None or self._coming.done():
            self._coming = self._loop.create_task(self._bring_up())
            self._coming.add_done_callback(_heard)
        return self._coming

    async def take(self) -> TaskProcess:
        """The process, once it is up.

        Raises:
            TaskFailedError: None comes up.
        """
        if (current := self.current) is not None:
            return current
        try:
            return await asyncio.shield(self.prepare())
        except (OSError, TimeoutError) as error:
            raise TaskFailedError(
                f"no process to run tasks in could be started: {type(error).__name__}: {error}"
            ) from None

    async def replace(self) -> None:
        """End the process with all that its tasks have started, and begin to bring up another."""
        if self._current is not None:
            await self._current.kill()
        self._current = None
        self.prepare()

    def close(self) -> None:
        """End the process, and the nursery if it is the worker's own."""
        if self._coming is not None:
            self._coming.cancel()
        if self._current is not None:
            self._current.close()
        if self._nursery is not None and self._nursery.stdin is not None:
            self._nursery.stdin.close()

    async def _bring_up(self) -> TaskProcess:
        if self._current is not None:
            self._current.close()
        self._current = None
        path = worker_environment.nursery()
        if path is not None and self._nursery is None:
            with contextlib.suppress(OSError):  # nobody listens there any more
                return await self._start(path)
        for _ in range(_NURSERIES - 1):
            with contextlib.suppress(ConnectionError):  # it has died, whether it is known or not
                return await self._start(self._own_nursery())
            await self._end_nursery()
        return await self._start(self._own_nursery())

    def _own_nursery(self) -> str:
        """Where the worker's own nursery listens, which is started if there is none."""
        path = os.path.join(self._folder, "nursery")
        if self._nursery is None or self._nursery.poll() is not None:
            self._nursery = start(path)
        return path

    async def _end_nursery(self) -> None:
        """Be done with a nursery that does not answer: it may be dying, and still be listed."""
        nursery = self._nursery
        if nursery is not None:
            nursery.kill()
            await asyncio.to_thread(nursery.communicate)

    async def _start(self, path: str) -> TaskProcess:
        process = TaskProcess(self._printed)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await process.start(path)
        except BaseException:
            process.close()
            raise
        self._current = process
        return process


def _heard(task: "asyncio.Task[TaskProcess]") -> None:
    """Keep asyncio from reporting a failure that whoever takes the process will hear of."""
    if not task.cancelled():
        task.exception()
