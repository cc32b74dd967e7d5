"""Work that runs in a thread of this process, followed like a task on a worker."""

import concurrent.futures
import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import TaskTimeoutError
from pilot_kernel.task.notebook.handle import Output
from pilot_kernel.task.notebook.value_inside import ValueInside
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["LocalTask"]


class LocalTask(ValueInside, concurrent.futures.Future[Any]):
    """A function that runs in a thread of this process; a `TaskLike`.

    Args:
        name: What the user calls it.
        work: Called with the task. It should raise `CancelledError` soon after `stop` is set;
            with `say` and `tell` it reports its progress.
        timeout_s: Seconds that it may run.

    Attributes:
        stop: Set when it is canceled or its time is up.
    """

    def __init__(
        self, name: str, work: Callable[["LocalTask"], Any], *, timeout_s: float | None = None
    ) -> None:
        super().__init__()
        self.name = name
        self.key = f"{name}-{secrets.token_hex(4)}"
        self.output = Output()
        self.stop = threading.Event()
        self.progress = (0, 1)
        self.deaths = 0
        self._work = work
        self.begun = time.time()
        self._ended: float | None = None
        self._canceling = threading.Lock()
        self.add_done_callback(lambda _: self._note_end())
        if timeout_s is not None:
            self._expire_after(timeout_s)
        threading.Thread(target=self._run, name=f"pilot-{name}", daemon=True).start()

    def say(self, text: str) -> None:
        """Print a line in the cell."""
        self.output.extend([("stdout", f"{text}\n")])

    def tell(self, done: int, parts: int) -> None:
        """Say how many parts are done, and how many there are."""
        self.progress = (done, max(1, parts))

    def _run(self) -> None:
        # Whatever ends it first counts; it may be canceled, or time out, in another thread.
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            try:
                value = self._work(self)
            except concurrent.futures.CancelledError:
                self.cancel()
            except BaseException as error:  # noqa: BLE001 whoever asks for the result gets it
                self.set_exception(error)
            else:
                self.set_result(value)

    def _expire_after(self, seconds: float) -> None:
        def expire() -> None:
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                self.set_exception(TaskTimeoutError(f"the task ran longer than its {seconds:g} s"))
            self.stop.set()

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        self.add_done_callback(lambda _: timer.cancel())

    def _note_end(self) -> None:
        self._ended = time.time()
        self.progress = (self.progress[1], self.progress[1])

    @property
    def state(self) -> TaskState:
        """Its state."""
        if self.cancelled():
            return TaskState.CANCELED
        if self.done():
            return TaskState.FAILED if self.exception() is not None else TaskState.DONE
        return TaskState.RUNNING

    @property
    def record(self) -> TaskRecord:
        """When it began and ended; it runs on no pilot."""
        begun = self.begun
        return TaskRecord(
            key=self.key,
            name=self.name,
            state=self.state,
            queued=begun,
            started=begun,
            finished=self._ended,
        )

    @property
    def stages(self) -> tuple["LocalTask", ...]:
        """The tasks that it goes through: itself alone."""
        return (self,)

    def running(self) -> bool:
        """Whether it is under way."""
        return not self.done()

    def cancel(self) -> bool:
        """Cancel it, even while it runs; False if it was already done."""
        with self._canceling:  # a future allows that only once
            if self.cancelled():
                return True
            if not super().cancel():
                return False
            self.set_running_or_notify_cancel()
        self.stop.set()
        return True
