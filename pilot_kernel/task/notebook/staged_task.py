"""A task that goes through several others, one after the other, seen as one future."""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.handle import Output
from pilot_kernel.task.notebook.task_like import TaskLike
from pilot_kernel.task.notebook.value_inside import ValueInside
from pilot_kernel.task.notebook.waiting import until_done
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["StagedTask"]

# One thread for all opens results and submits what follows. It lives as long as the process,
# because Qiskit crashes if it was first imported in a thread that has ended.
_courier = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="pilot-courier")


class StagedTask(ValueInside, concurrent.futures.Future[Any]):
    """Tasks that follow each other in the background; a `TaskLike`.

    Classes made of this one say what follows, in `_next`.

    Args:
        name: What the user calls it.
        first: The first task, which has been submitted.
    """

    def __init__(self, name: str, first: TaskLike) -> None:
        super().__init__()
        self.name = name
        self.key = first.key
        self.begun = time.time()
        self.stages: list[TaskLike] = [first]
        self.output: Output = _Joined(self.stages)
        self._moving = threading.Lock()
        self._canceling = threading.Lock()

    def _follow(self) -> None:
        """Go on in the background when the present stage has ended."""
        self.stages[-1].add_done_callback(lambda _: _courier.submit(self._step))

    def _step(self) -> None:
        with self._settling():
            following = self._next()
            if following is not None:
                self._add(following)
                self._follow()

    def _next(self) -> TaskLike | None:
        """The present stage has ended: the task that follows, or None with the result set."""
        raise NotImplementedError

    def _cleaned(self, error: BaseException) -> BaseException:
        """An error as it is kept."""
        return error

    @contextlib.contextmanager
    def _settling(self) -> Iterator[None]:
        """Whatever goes wrong becomes the task's error, unless it was canceled meanwhile."""
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            try:
                yield
            except concurrent.futures.InvalidStateError:
                raise
            except concurrent.futures.CancelledError:
                self.cancel()
            except BaseException as error:  # noqa: BLE001 whoever asks for the result gets it
                self.set_exception(self._cleaned(error))

    def _add(self, task: TaskLike) -> None:
        with self._moving:
            self.stages.append(task)
        if self.cancelled():
            task.cancel()

    @property
    def state(self) -> TaskState:
        """Its state; it never goes back when one task follows the other."""
        if self.cancelled():
            return TaskState.CANCELED
        if self.done():
            return TaskState.FAILED if self.exception() is not None else TaskState.DONE
        return TaskState.RUNNING if len(self.stages) > 1 else self._unfinished(self.stages[0])

    @staticmethod
    def _unfinished(task: TaskLike) -> TaskState:
        state = task.state
        return TaskState.RUNNING if state.final else state

    @property
    def record(self) -> TaskRecord:
        """When and where the present task ran."""
        return self.stages[-1].record

    @property
    def progress(self) -> tuple[int, int]:
        """How many parts of the present task are done, and how many there are."""
        done, parts = self.stages[-1].progress
        return (parts if self.done() else min(done, parts)), parts

    @property
    def deaths(self) -> int:
        """How many workers died running it."""
        return sum(task.deaths for task in self.stages)

    def running(self) -> bool:
        """Whether a worker is at it."""
        return self.state is TaskState.RUNNING

    def cancel(self) -> bool:
        """Cancel it, even while it runs; False if it was already done."""
        with self._canceling:  # the background thread may cancel it too; a future allows that once
            if self.cancelled():
                return True
            if not super().cancel():
                return False
            self.set_running_or_notify_cancel()
        with self._moving:
            stages = list(self.stages)
        for task in stages:
            task.cancel()
        return True

    def result(self, timeout: float | None = None) -> Any:
        """Wait for its value; raises what the last stage raised."""
        try:
            return super().result(timeout)
        except concurrent.futures.CancelledError:
            raise PilotError(f"task {self.name!r} was canceled") from None

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait without holding up the event loop."""
        return self._wait().__await__()

    async def _wait(self) -> Any:
        await until_done(self)
        return self.result()

    def __repr__(self) -> str:
        done, parts = self.progress
        return f"<Task {self.key} {self.state}{f' {done}/{parts}' if parts > 1 else ''}>"


class _Joined(Output):
    """The output of several tasks, in the order in which it arrived."""

    def __init__(self, stages: list[TaskLike]) -> None:
        super().__init__()
        self._stages = stages
        self._positions: dict[str, int] = {}
        self._lock = threading.Lock()

    def since(self, position: int) -> tuple[list[tuple[str, str]], int]:
        """The chunks from `position` on, and the position after them."""
        with self._lock:
            for task in list(self._stages):
                new, end = task.output.since(self._positions.get(task.key, 0))
                self._positions[task.key] = end
                self.extend(new)
        return super().since(position)
