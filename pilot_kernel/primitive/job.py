"""A task seen as Qiskit's primitive job."""

import warnings
from typing import Any

from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus

from pilot_kernel.task.notebook.task_like import TaskLike
from pilot_kernel.task.wire.record import TaskState

__all__ = ["PilotJob"]

_STATUS = {
    TaskState.NEW: JobStatus.INITIALIZING,
    TaskState.WAITING: JobStatus.QUEUED,
    TaskState.RUNNING: JobStatus.RUNNING,
    TaskState.DONE: JobStatus.DONE,
    TaskState.FAILED: JobStatus.ERROR,
    TaskState.CANCELED: JobStatus.CANCELLED,
}


class PilotJob(BasePrimitiveJob[Any, JobStatus]):  # type: ignore[misc]
    """What a pilot's primitives return from `run`; `task` is the task behind it."""

    def __init__(self, task: TaskLike) -> None:
        super().__init__(job_id=task.key)
        self.task = task

    def result(self) -> Any:
        """Wait for the `PrimitiveResult`; raises as `Task.result` does.

        A precision that a QPU did not meet is a warning, and `precision_met` in the metadata.
        """
        result = self.task.result()
        missed = [k for k, pub in enumerate(result) if not pub.metadata.get("precision_met", True)]
        if missed:
            worst = max(float(result[k].data.stds.max()) for k in missed)
            asked = min(result[k].metadata["target_precision"] for k in missed)
            warnings.warn(
                f"PUB {', '.join(map(str, missed))}: precision {asked:.3g} is not met, the largest "
                f"standard error is {worst:.3g}; ask for a smaller precision",
                stacklevel=2,
            )
        return result

    def status(self) -> JobStatus:
        """The job's status."""
        return _STATUS[self.task.state]

    def done(self) -> bool:
        """Whether it has finished well."""
        return self.task.state is TaskState.DONE

    def running(self) -> bool:
        """Whether workers are at it."""
        return self.task.state is TaskState.RUNNING

    def cancelled(self) -> bool:
        """Whether it was canceled."""
        return self.task.cancelled()

    def in_final_state(self) -> bool:
        """Whether nothing more will happen."""
        return self.task.done()

    def cancel(self) -> bool:
        """Cancel it; False if it had ended."""
        return self.task.cancel()
