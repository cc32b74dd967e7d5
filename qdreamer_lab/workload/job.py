"""A running estimation as a Qiskit primitive job.

Unlike Qiskit's own `PrimitiveJob` it can be given up while it runs: interrupting `result()`, or
`cancel()`, sets an event that the work watches.
"""

from __future__ import annotations

import os
import threading
import uuid
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus

from pilot_kernel.task.notebook.value_inside import ValueInside

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CutJob"]


_MOST_AT_ONCE = 1024
"""Jobs beyond wait for others to end."""


class _Threads:
    """Threads that jobs take turns in: starting one takes as long as planning a small circuit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[[threading.Event], Any], stop: threading.Event) -> Future[Any]:
        """Have a thread do a job, one of its own as long as it lasts."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="cut-estimator")
            return self._pool.submit(work, stop)


_threads = _Threads()
# A process that was forked has the object but not its threads, and maybe a lock that nobody opens.
os.register_at_fork(after_in_child=_threads.__init__)  # type: ignore[misc]


def _done_at_once(work: Callable[[threading.Event], Any], stop: threading.Event) -> Future[Any]:
    """Do a job here and now; what it raises is for who asks for its result."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    try:
        future.set_result(work(stop))
    except Exception as error:  # noqa: BLE001  not swallowed: the result raises it
        future.set_exception(error)
    return future


class CutJob(ValueInside, BasePrimitiveJob):  # type: ignore[misc]  # Qiskit has no types
    """Runs `work(stop)` in a thread that no other job has meanwhile.

    Args:
        work: Does the job; it should raise `CancelledError` soon after `stop` is set.
        at_once: Do it in this thread, before there is a job: for what is over before another
            thread would have woken up, and its core have got hold of the data.
    """

    def __init__(self, work: Callable[[threading.Event], Any], *, at_once: bool = False) -> None:
        super().__init__(str(uuid.uuid4()))
        self._stop = threading.Event()
        begin = _done_at_once if at_once else _threads.submit
        self._future = begin(work, self._stop)

    def result(self) -> Any:
        """Wait for the `PrimitiveResult`; an interrupt meanwhile cancels the job."""
        try:
            return self._future.result()
        except KeyboardInterrupt:
            self.cancel()
            raise

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over, one way or another, or the time is; say whether it is over."""
        return bool(wait([self._future], timeout=timeout_s).done)

    def cancel(self) -> bool:
        """Ask the job to stop, with all tasks it submitted. False if it is over already."""
        if self._future.done():
            return False
        self._stop.set()
        self._future.cancel()
        return True

    def status(self) -> JobStatus:
        """Where the job stands."""
        if not self._future.done():
            return JobStatus.RUNNING if self._future.running() else JobStatus.QUEUED
        if self._future.cancelled():
            return JobStatus.CANCELLED
        error = self._future.exception()
        if isinstance(error, CancelledError):
            return JobStatus.CANCELLED
        return JobStatus.DONE if error is None else JobStatus.ERROR

    def done(self) -> bool:
        """Whether it finished without error."""
        return bool(self.status() == JobStatus.DONE)

    def running(self) -> bool:
        """Whether it is at work."""
        return bool(self.status() == JobStatus.RUNNING)

    def cancelled(self) -> bool:
        """Whether it was canceled and has stopped."""
        return bool(self.status() == JobStatus.CANCELLED)

    def in_final_state(self) -> bool:
        """Whether it is over, one way or another."""
        return self._future.done()
