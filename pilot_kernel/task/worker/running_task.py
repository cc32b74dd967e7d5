"""One task under way, as its worker watches over it: its limits, and how it is ended."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psutil

from pilot_kernel.errors import TaskFailedError, TaskMemoryError, TaskTimeoutError
from pilot_kernel.task.wire.messages import STOP, TIME_UP, Message
from pilot_kernel.task.wire.packing import Bytes
from pilot_kernel.task.wire.record import task_name
from pilot_kernel.task.worker.memory_limit import Excess
from pilot_kernel.task.worker.task_process import TaskProcess, resident

__all__ = ["Run"]

_T = TypeVar("_T")

_GRACE_S = 1.0
_LOOK_S = 0.1  # memory fills by some gigabytes a second
_WHOLE_FAMILY = 10  # every so many looks: finding it takes milliseconds


class Run:
    """A task on a worker.

    Attributes:
        verdict: Why it was ended, if it was.
        phase: What is run for it, in words, if that is not the task itself yet.
    """

    def __init__(self, key: str, timeout_s: float | None, excess: Excess | None) -> None:
        self.name = task_name(key)
        self.verdict: Exception | None = None
        self.phase = ""
        self.stopped: asyncio.Event = asyncio.Event()
        self._timeout_s = timeout_s
        self._excess = excess
        self._loop = asyncio.get_running_loop()
        self._process: TaskProcess | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._looks = 0

    async def ask(
        self, process: TaskProcess, parts: list[Bytes], *, limited: bool = True
    ) -> Message | None:
        """Have `process` run the task; None if it ended instead.

        Args:
            process: The task's process.
            parts: As `Kind.CALL` wants them.
            limited: Whether the task's time limit counts for it.
        """
        self._process = process
        if limited and self._timeout_s is not None:
            self._later("limit", self._timeout_s, self._time_out)
        if self._excess is not None:
            self._later("memory", _LOOK_S, self._look)
        try:
            return await process.ask(parts)
        finally:
            self._process = None
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    async def unless_stopped(self, work: Awaitable[_T]) -> _T | None:
        """Wait for what the task needs; None, and the work is given up, if the task is ended."""
        coming = asyncio.ensure_future(work)
        ended = asyncio.ensure_future(self.stopped.wait())
        try:
            await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else None
        finally:
            coming.cancel()
            ended.cancel()

    def cancel(self) -> None:
        """End it because it was canceled."""
        self._stop(TaskFailedError("the task was canceled"), STOP)

    def move(self, why: Exception) -> None:
        """End it at once, since its worker cannot go on with it: it is to run elsewhere."""
        self._stop(why, signal.SIGKILL)

    def _time_out(self) -> None:
        error = TaskTimeoutError(f"the task ran longer than its {self._timeout_s:g} s")
        self._stop(error, TIME_UP)

    def _stop(self, verdict: Exception, number: int) -> None:
        """Ask the task to end, so that it can clean up; a second later it is ended."""
        if self.verdict is not None:
            return
        self.verdict = verdict
        self.stopped.set()
        if self._process is not None:
            self._process.signal(number)
            if number != signal.SIGKILL:
                self._later("grace", _GRACE_S, self._process.end)

    def _later(self, what: str, delay_s: float, then: Callable[[], None]) -> None:
        self._timers[what] = self._loop.call_later(delay_s, then)

    def _look(self) -> None:
        """See how much memory the task takes; the system would look too late, and kill anything."""
        process, excess = self._process, self._excess
        if process is None or excess is None:
            return
        taken = _memory(process, family=self._looks % _WHOLE_FAMILY == 0)
        self._looks += 1
        if why := excess(taken):
            told = f"task {self.name!r} was ended: it had {taken / 1e9:.2f} GB of memory, and {why}"
            self._stop(TaskMemoryError(told), signal.SIGKILL)
        else:
            self._later("memory", _LOOK_S, self._look)


def _memory(process: TaskProcess, *, family: bool) -> int:
    """Bytes of memory that a process has taken, and with `family` all that it has started too."""
    try:
        root = psutil.Process(process.pid)
        others = root.children(recursive=True) if family else ()
    except psutil.NoSuchProcess:
        return 0
    return resident(root) - process.inherited + sum(map(resident, others))
