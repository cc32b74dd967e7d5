"""The symbols beside the names of states, which say the same; so does their colour."""

from collections.abc import Mapping
from dataclasses import dataclass

from pilot_kernel.resource.pilot import PilotState
from pilot_kernel.task.wire.record import TaskState

__all__ = ["BUSY", "DOWN", "IDLE", "PILOT_MARKS", "SILENT", "TASK_MARKS", "Mark"]


@dataclass(frozen=True)
class Mark:
    """A symbol and its tone: quiet, active, good, warn or bad."""

    symbol: str
    tone: str = "quiet"


IDLE = Mark("○")
BUSY = Mark("●", "active")
DOWN = Mark("✗", "bad")
SILENT = Mark("!", "warn")

TASK_MARKS: Mapping[TaskState, Mark] = {
    TaskState.NEW: Mark("○"),
    TaskState.WAITING: Mark("○"),
    TaskState.RUNNING: Mark("●", "active"),
    TaskState.DONE: Mark("✓", "good"),
    TaskState.FAILED: Mark("✗", "bad"),
    TaskState.CANCELED: Mark("⊘", "warn"),
}

PILOT_MARKS: Mapping[PilotState, Mark] = {
    PilotState.NEW: Mark("○"),
    PilotState.PENDING: Mark("…"),
    PilotState.ACTIVE: Mark("▶", "active"),
    PilotState.DONE: Mark("✓", "good"),
    PilotState.FAILED: Mark("✗", "bad"),
    PilotState.CANCELED: Mark("⊘", "warn"),
}
