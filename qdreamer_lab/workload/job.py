"""A running estimation as a Qiskit primitive job.

Unlike Qiskit's own `PrimitiveJob` it can be given up while it runs: interrupting `result()`, or
`cancel()`, sets an event that the work watches.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import CancelledError, Future, wait
from typing import TYPE_CHECKING, Any

from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CutJob"]


class CutJob(BasePrimitiveJob):  # type: ignore[misc]  # Qiskit has no types
    """Runs `work(stop)` in a thread of its own.

    Args:
        work: Does the job; it should raise `CancelledError` soon after `stop` is set.
    """

    def __init__(self, work: Callable[[threading.Event], Any]) -> None:
        super().__init__(str(uuid.uuid4()))
        self._stop = threading.Event()
        self._future: Future[Any] = Future()
        threading.Thread(
            target=_do, args=(self._future, work, self._stop), name="cut-estimator"
        ).start()

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
        """Whether it was cancelled and has stopped."""
        return bool(self.status() == JobStatus.CANCELLED)

    def in_final_state(self) -> bool:
        """Whether it is over, one way or another."""
        return self._future.done()


def _do(future: Future[Any], work: Callable[[threading.Event], Any], stop: threading.Event) -> None:
    """Do the work of a job, unless it was cancelled before, and keep what comes of it."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work(stop)
    except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
        future.set_exception(error)
        del future  # the error's traceback refers to this frame
    else:
        future.set_result(result)
