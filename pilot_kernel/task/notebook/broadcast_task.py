"""A call on every worker, as the notebook holds it: one future over a task for each worker."""

import concurrent.futures
import contextlib
import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.handle import Output, Task
from pilot_kernel.task.notebook.value_inside import ValueInside
from pilot_kernel.task.notebook.waiting import until_done
from pilot_kernel.task.wire.marked_lines import MarkedLines
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["BroadcastTask", "in_order"]

_TEXT = ("stdout", "stderr")


class BroadcastTask(ValueInside, concurrent.futures.Future[Any]):
    """One call on several workers; a `TaskLike`, whose result is the list of their results.

    It is done when all of them are. If one failed, its error is raised; what the others returned
    is in `parts`.

    Args:
        name: What the user calls it.
        workers: Names of the workers.
        parts: The task of each.
        records: Looks up records by key.
    """

    def __init__(
        self,
        name: str,
        workers: Sequence[str],
        parts: Sequence[Task],
        records: Callable[[list[str]], list[TaskRecord]],
    ) -> None:
        super().__init__()
        self.name = name
        self.key = f"{name}-all-{parts[0].key.rpartition('-')[2]}"
        self.begun = time.time()
        self.workers = tuple(workers)
        self.parts = tuple(parts)
        self.output: Output = _Marked(self.workers, self.parts)
        self.about: Any = None
        self._records = records
        self._settling = threading.Lock()
        self._left = len(self.parts)
        for part in self.parts:
            part.add_done_callback(self._heard)

    def _heard(self, _: Any) -> None:
        with self._settling:
            self._left -= 1
            if self._left:
                return
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # canceled meanwhile
            if any(part.cancelled() for part in self.parts):
                self.cancel()
                return
            errors = zip(self.workers, (part.exception() for part in self.parts), strict=True)
            failed = [(worker, error) for worker, error in errors if error is not None]
            if failed:
                self.set_exception(_named(*failed[0], others=len(failed) - 1))
            else:
                self.set_result(None)  # what workers returned is fetched when it is asked for

    @property
    def state(self) -> TaskState:
        """Its state."""
        if self.cancelled():
            return TaskState.CANCELED
        if self.done():
            return TaskState.FAILED if self.exception() is not None else TaskState.DONE
        waiting = all(part.state is TaskState.WAITING for part in self.parts)
        return TaskState.WAITING if waiting else TaskState.RUNNING

    @property
    def record(self) -> TaskRecord:
        """When the first was begun and the last had ended: asked from the agent."""
        rows = self._records([part.key for part in self.parts])
        begun = [row.started for row in rows if row.started is not None]
        ended = [row.finished for row in rows if row.finished is not None]
        pilots = {row.pilot for row in rows}
        return TaskRecord(
            key=self.key,
            name=self.name,
            state=self.state,
            queued=min((row.queued for row in rows), default=self.begun),
            started=min(begun, default=None),
            finished=max(ended) if ended and self.done() else None,
            worker=None,
            pilot=pilots.pop() if len(pilots) == 1 else None,
            deaths=sum(row.deaths for row in rows),
            output_bytes=sum(row.output_bytes for row in rows),
        )

    @property
    def progress(self) -> tuple[int, int]:
        """On how many workers it is done, and how many there are."""
        return sum(part.done() for part in self.parts), len(self.parts)

    @property
    def deaths(self) -> int:
        """How many workers died running it."""
        return sum(part.deaths for part in self.parts)

    @property
    def stages(self) -> tuple["BroadcastTask", ...]:
        """The tasks that it goes through: itself alone."""
        return (self,)

    def running(self) -> bool:
        """Whether a worker is at it."""
        return self.state is TaskState.RUNNING

    def cancel(self) -> bool:
        """Cancel it on all workers; False if it was already done."""
        if self.cancelled():
            return True
        if not super().cancel():
            return False
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # both sides may cancel
            self.set_running_or_notify_cancel()
        for part in self.parts:
            part.cancel()
        return True

    def result(self, timeout: float | None = None) -> list[Any]:
        """Wait for what the workers returned, in their order; raises what one raised."""
        super().result(timeout)
        return [part.result() for part in self.parts]

    def holds(self, value: object) -> bool:
        """Whether `value` is the very result that was asked for here; a list is made each time."""
        return False

    def release(self) -> None:
        """Let go of the values, here and on the workers."""
        for part in self.parts:
            part.release()

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait without holding up the event loop."""
        return self._wait().__await__()

    async def _wait(self) -> Any:
        import asyncio

        await until_done(self)
        return await asyncio.get_running_loop().run_in_executor(None, self.result)

    def __reduce__(self) -> Any:
        raise TypeError("a broadcast is no argument; its parts are tasks: pass list(task.parts)")

    def __repr__(self) -> str:
        done, parts = self.progress
        return f"<Task {self.key} {self.state} {done}/{parts}>"


def in_order(worker: str) -> list[Any]:
    """By what workers are sorted: `local-10` comes after `local-2`."""
    words = re.split(r"([0-9]+)", worker)
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in words]


def _named(worker: str, error: BaseException, others: int) -> BaseException:
    """An error that says on which worker it was raised."""
    more = f", and on {others} more" if others else ""
    if isinstance(error, PilotError) and error.args == (str(error),):
        error.args = (f"on worker {worker}{more}: {error}",)  # all that a notebook shows of it
    else:
        error.add_note(f"raised on worker {worker}{more}")
    return error


class _Marked(Output):
    """What all of them have printed, each line marked with its worker."""

    def __init__(self, workers: Sequence[str], parts: Sequence[Task]) -> None:
        super().__init__()
        self._parts = parts
        self._positions = [0] * len(parts)
        self._lines = [
            {stream: MarkedLines(f"[{worker}] ") for stream in _TEXT} for worker in workers
        ]
        self._lock = threading.Lock()

    def since(self, position: int) -> tuple[list[tuple[str, str]], int]:
        """The chunks from `position` on, and the position after them."""
        with self._lock:
            for at, part in enumerate(self._parts):
                over = part.done()
                new, self._positions[at] = part.output.since(self._positions[at])
                for stream, text in new:
                    self._take(at, stream, text)
                if over:
                    for stream, lines in self._lines[at].items():
                        self._append(stream, lines.finish())
        return super().since(position)

    def _take(self, at: int, stream: str, text: str) -> None:
        lines = self._lines[at].get(stream)
        self._append(stream, text if lines is None else lines.add(text))

    def _append(self, stream: str, text: str) -> None:
        if text:
            self.extend([(stream, text)])
