"""Every error a user of the pilot can meet, each saying what is wrong and what to do."""

__all__ = [
    "AgentLostError",
    "AgentStartError",
    "CellError",
    "DescriptionError",
    "MpiError",
    "OnStartError",
    "PilotError",
    "PlacementError",
    "PubError",
    "QasmError",
    "QpuError",
    "ReadoutError",
    "ShipError",
    "TaskFailedError",
    "TaskMemoryError",
    "TaskTimeoutError",
    "WorkerDiedError",
]


class PilotError(Exception):
    """Base of all errors of the pilot."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, which says all that the user can act on."""
        return [f"\x1b[31m{type(self).__name__}\x1b[39m: {self}"]


class DescriptionError(PilotError, ValueError):
    """A pilot description is wrong: unknown key or resource, impossible size."""


class PlacementError(PilotError, ValueError):
    """`on=` names nothing that exists."""


class PubError(PilotError, ValueError):
    """A primitive unified bloc (PUB) cannot run as it is."""


class QasmError(PilotError, ValueError):
    """An OpenQASM program that cannot be read.

    Attributes:
        reason: What is wrong, and what would do.
        line: Where, from 1; None if nobody knows.
        column: Where in the line, from 1; None if nobody knows.
    """

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        # All are kept as arguments, so that the error survives its way back from a worker.
        super().__init__(reason, line, column)
        self.reason = reason
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = [] if self.line is None else [f"line {self.line}"]
        place += [] if self.column is None else [f"column {self.column}"]
        return f"{', '.join(place)}: {self.reason}" if place else self.reason


class QpuError(PilotError, RuntimeError):
    """A quantum device is offline, failed its self-test, or its provider refused or lost a job."""


class ReadoutError(PilotError, RuntimeError):
    """A quantum device answered, but not with what was measured."""


class ShipError(PilotError, ValueError):
    """A variable, an argument or a result cannot be sent between notebook and worker."""


class CellError(PilotError, ValueError):
    """A cell is not what its magic expects."""


class AgentStartError(PilotError, RuntimeError):
    """The agent process did not come up."""


class AgentLostError(PilotError, ConnectionError):
    """The agent is gone, and with it its workers and unfinished tasks."""


class MpiError(PilotError, RuntimeError):
    """The ranks of an MPI task cannot be started, or ended without a result."""


class OnStartError(PilotError, RuntimeError):
    """A function that is to run first in every task process failed, so no task can run there."""


class TaskFailedError(PilotError, RuntimeError):
    """A task raised something that cannot be sent back as it is; the text tells what it was."""


class TaskMemoryError(PilotError, RuntimeError):
    """A task took more memory than its worker may use."""


class TaskTimeoutError(PilotError, TimeoutError):
    """A task ran longer than its `timeout_s`."""


class WorkerDiedError(PilotError, RuntimeError):
    """The processes that ran a task died, more often than is tried; or the one with its result."""
