"""A task as the notebook holds it: a future with state, times, output and progress."""

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

from pilot_kernel.errors import AgentLostError, PilotError, ShipError, WorkerDiedError
from pilot_kernel.task.notebook.value_inside import ValueInside
from pilot_kernel.task.notebook.waiting import until_done
from pilot_kernel.task.wire.failure import RemoteError
from pilot_kernel.task.wire.packing import Packed, reason, unpack
from pilot_kernel.task.wire.record import TaskRecord, TaskState, task_name
from pilot_kernel.task.wire.results import Kept, is_here, read

__all__ = ["Output", "Task"]

_ON_WORKER = object()  # stands for a result that was not fetched yet


class Output:
    """What a task has printed so far, growing while it runs."""

    def __init__(self) -> None:
        self._chunks: list[tuple[str, str]] = []

    def extend(self, chunks: list[tuple[str, str]]) -> None:
        """Append chunks of (stream, text)."""
        self._chunks.extend((stream, text) for stream, text in chunks)

    def since(self, position: int) -> tuple[list[tuple[str, str]], int]:
        """The chunks from `position` on, and the position after them."""
        end = len(self._chunks)
        return self._chunks[position:end], end

    def text(self, stream: str | None = None) -> str:
        """All that was printed, or all of one stream, such as `stdout`; displays are no text."""
        wanted = ("stdout", "stderr") if stream is None else (stream,)
        chunks, _ = self.since(0)
        return "".join(text for name, text in chunks if name in wanted)


class Task(ValueInside, concurrent.futures.Future[Any]):
    """One unit of work on a pilot; a `concurrent.futures.Future` that can also be awaited.

    Sessions make tasks; users do not. In addition to what a future offers there are `state`,
    `record` (times, worker and pilot), `output`, and `progress` for work in several parts.
    """

    def __init__(
        self,
        key: str,
        future: Any,
        *,
        records: Callable[[list[str]], list[TaskRecord]],
        lost: Callable[[], AgentLostError],
        parts: tuple["Task", ...] = (),
        part: bool = False,
    ) -> None:
        """Follow a Dask future.

        Args:
            key: The task's key.
            future: The Dask future; None if `tell` will bring the result.
            records: Looks up records by key.
            lost: Makes the error for when the agent is gone.
            parts: The tasks whose results this one joins.
            part: It is one of those.
        """
        super().__init__()
        self.key = key
        self.name = task_name(self.key)
        self.begun = time.time()
        self.output = Output()
        self.parts = parts
        self.deaths = 0
        self._future = future
        self._records = records
        self._lost = lost
        self._begun = False
        self._fetching = threading.Lock()
        self._fetched: Any = _ON_WORKER
        self._packed: Packed | Kept | None = None
        self._released = False
        self._part_count = len(parts)
        self.about: Any = None  # for who shows the result: the PUBs it is of
        self._part = part
        if future is not None:
            future.client.soon(self._follow, future._state)

    async def _follow(self, state: Any) -> None:
        # FutureState is what Dask itself waits on; a done callback would cost a thread a task.
        await state.wait()
        if self.done():  # canceled from here
            return
        if state.status == "error":
            self.set_exception(_told(state.exception, state.traceback, self))
        elif state.status == "cancelled":
            if "connection-lost" in str(getattr(state.exception, "reason", "")):
                self.set_exception(self._lost())
            elif super().cancel():
                self.set_running_or_notify_cancel()
        elif self._at_hand():
            self.set_result(_ON_WORKER)
        else:
            await self._finish_aside()

    def _at_hand(self) -> bool:
        """Whether the result can be had without the agent."""
        packed = self._packed
        return is_here(packed) if isinstance(packed, Kept) else packed is not None

    async def _finish_aside(self) -> None:
        """Finish in a thread: callbacks may want the result, which this loop has to fetch."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.set_result, _ON_WORKER)

    def set_exception(self, exception: BaseException | None) -> None:
        """Fail, unless it was canceled meanwhile."""
        if not self.done():
            self.parts = ()  # whose results only took up memory
            super().set_exception(exception)

    def set_result(self, result: Any) -> None:
        """Finish, unless it was canceled meanwhile."""
        if not self.done():
            self.parts = ()
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # told twice at once
                super().set_result(result)

    def tell(self, news: dict[str, Any]) -> None:
        """Take news from the worker or the agent: see `record.TOPIC`."""
        if "started" in news:
            self._begun = True
        elif "output" in news:
            self._begun = True
            self.output.extend(news["output"])
        elif "kept" in news:
            self._packed = Kept(**news["kept"])
            if self._at_hand():
                self.set_result(_ON_WORKER)  # with its Dask future, or the file would be removed
            else:
                self._future.client.soon(self._finish_aside)
        elif "crashed" in news:
            self.deaths += 1
        elif "result" in news:
            self._packed = Packed(news["result"])
            self.set_result(_ON_WORKER)
            if not self._part:
                # Dask would run the task again if the worker that holds its result died.
                self._future = None
        elif "died" in news:
            self._begun = False
            self.deaths = news["deaths"]
            note = f"[worker {news['died']} died; the task waits for another]\n"
            self.output.extend([("stderr", note)])
        elif "left" in news:
            self._begun = False
            note = f"[worker {news['left']} has gone; the task waits for another]\n"
            self.output.extend([("stderr", note)])

    @property
    def state(self) -> TaskState:
        """Its state."""
        if self.cancelled():
            return TaskState.CANCELED
        if self.done():
            return TaskState.FAILED if super().exception() is not None else TaskState.DONE
        running = self._begun or any(part.state != TaskState.WAITING for part in self.parts)
        return TaskState.RUNNING if running else TaskState.WAITING

    @property
    def record(self) -> TaskRecord:
        """When it was queued, started and finished, and where: asked from the agent."""
        return self._records([self.key])[0]

    @property
    def progress(self) -> tuple[int, int]:
        """How many of its parts are done, and how many there are."""
        if self.done() or not self._part_count:
            count = max(1, self._part_count)
            return (count if self.done() else 0), count
        return sum(part.done() for part in self.parts), self._part_count

    @property
    def stages(self) -> tuple["Task", ...]:
        """The tasks that it goes through: itself alone."""
        return (self,)

    def running(self) -> bool:
        """Whether a worker is at it."""
        return self.state is TaskState.RUNNING

    def cancel(self) -> bool:
        """Give the task up, even while it runs; its worker is free again within seconds.

        Returns:
            False if it was already done.
        """
        if self.cancelled():
            return True
        parts = self.parts  # let go of as soon as this is canceled
        future = self._future
        if not super().cancel():
            return False
        self.set_running_or_notify_cancel()
        self.parts = ()
        for part in parts:
            part.cancel()
        future.cancel()
        return True

    @property
    def reference(self) -> Any:
        """What stands for the result among another task's inputs: a Dask future, or itself."""
        future = self._future
        if future is not None:
            return future
        self.result()  # raises, if there is none
        return self._packed

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the value the task returned.

        Args:
            timeout: Seconds to wait at most; the task goes on when they are over.

        Raises:
            TimeoutError: It is not done yet.
            concurrent.futures.CancelledError: It was canceled.
            AgentLostError: The agent is gone.
            WorkerDiedError: Too many workers died running it.
            PilotError: The value was released.
            Exception: Whatever the task raised, with the traceback from its worker.
        """
        super().result(timeout)
        with self._fetching:
            if self._fetched is _ON_WORKER:
                self._fetched = self._fetch()
        return self._fetched

    def holds(self, value: object) -> bool:
        """Whether `value` is the very result that was asked for here."""
        return self._fetched is value

    def release(self) -> None:
        """Let go of the value, here and on the worker; where and when it ran is still known.

        A session lists the tasks that finished last, and with them their values, however large.
        """
        with self._fetching:
            self._fetched = _ON_WORKER
            self._packed = None
            self._future = None
            self._released = True
        self.about = None

    def _fetch(self) -> Any:
        if self._released:
            raise PilotError(f"the value of task {self.name!r} was released; submit it again")
        packed = self._packed or self._fetch_packed()
        if isinstance(packed, Kept) and not is_here(packed):
            packed = self._fetch_kept(packed)
        try:
            return read(packed) if isinstance(packed, Kept) else unpack(packed)
        except PilotError:
            raise
        except Exception as error:
            raise ShipError(
                f"the result of task {self.name!r} cannot be rebuilt here: {reason(error)}"
            ) from error

    def _fetch_kept(self, kept: Kept) -> Packed:
        """A result on the disk of another machine, from the agent."""
        from pilot_kernel.task.transfer import fetch_packed

        client = self._off_the_loop()
        try:
            packed: Packed = client.sync(fetch_packed, client, kept)
        except OSError:
            raise self._lost() from None
        return packed

    def _off_the_loop(self) -> Any:
        """The client, if this thread may wait for it."""
        client = self._future.client
        if asyncio._get_running_loop() is client.loop.asyncio_loop:
            raise PilotError(
                f"the result of task {self.name!r} is still on its worker and cannot be waited "
                "for in the callback of another task; call result() in a thread of your own"
            )
        return client

    def _fetch_packed(self) -> Packed | Kept:
        self._off_the_loop()
        try:
            packed: Packed | Kept = self._future.result()
        except concurrent.futures.CancelledError:
            raise self._lost() from None
        except Exception as error:  # noqa: BLE001 lost with its worker: told as when it runs
            raise _told(error, error.__traceback__, self) from None
        return packed

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait without holding up the event loop."""
        return self._wait().__await__()

    async def _wait(self) -> Any:
        await until_done(self)
        return await asyncio.get_running_loop().run_in_executor(None, self.result)

    def __reduce__(self) -> Any:
        raise TypeError("a task stands for its result as an argument or in a list of them only")

    def __repr__(self) -> str:
        done, parts = self.progress
        counted = f" {done}/{parts}" if parts > 1 else ""
        return f"<Task {self.key} {self.state}{counted}>"


def _told(error: BaseException, trace: Any, task: Task) -> BaseException:
    """The error as the notebook shows it: remote frames only, ours and Dask's left out."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return WorkerDiedError(
            f"task {task.name!r} was given up: its worker died {task.deaths + 1} time(s) running "
            "it. Pass retries= to try more."
        )
    if isinstance(error, RemoteError):
        error = error.open()
        trace = error.__traceback__
    while trace is not None and _ours(trace):
        trace = trace.tb_next
    return error.with_traceback(trace)


def _ours(trace: Any) -> bool:
    path = trace.tb_frame.f_code.co_filename.replace("\\", "/")
    return "/distributed/" in path or "/dask/" in path or "/pilot_kernel/task/" in path
