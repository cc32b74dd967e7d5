"""The errors a user of `qdreamer_lab` can meet.

Each says what was wrong with the input and what would work instead. They derive from `ValueError`
too, so that code written against Qiskit's own checks keeps catching them. No error is raised here.
"""

from linecache import getline
from traceback import walk_tb

__all__ = [
    "CircuitError",
    "DeviceError",
    "GpuError",
    "InfeasiblePlanError",
    "LongRunWarning",
    "MemoryLimitError",
    "MethodError",
    "MotifError",
    "ObservableError",
    "PlanError",
    "PrecisionError",
    "PubError",
    "QDreamerError",
    "QasmError",
    "StepError",
    "WorkersLostError",
]


class QDreamerError(ValueError):
    """Base of every error that `qdreamer_lab` raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, and the user's own line that led to it."""
        shown = [f"\x1b[31m{type(self).__name__}\x1b[39m: {self}"]
        mine = [
            (frame.f_code.co_filename, line)
            for frame, line in walk_tb(self.__traceback__)
            if frame.f_globals.get("__name__") == "__main__"
        ]
        if mine and (source := getline(*mine[-1]).strip()):
            shown.append(f"    line {mine[-1][1]}: {source}")
        return shown


class CircuitError(QDreamerError):
    """The circuit holds something that cannot be cut or simulated as a unitary."""


class ObservableError(QDreamerError):
    """The observable does not belong to the circuit, the plan, or the accepted syntax."""


class PlanError(QDreamerError):
    """No such plan can exist, or the plan contradicts itself."""


class InfeasiblePlanError(PlanError):
    """No plan keeps the limits; `smallest_max_qubits` is the smallest width for which one does."""

    def __init__(self, message: str, smallest_max_qubits: int) -> None:
        # Both are kept as arguments, so that the error survives its way back from a worker.
        super().__init__(message, smallest_max_qubits)
        self.message = message
        self.smallest_max_qubits = smallest_max_qubits

    def __str__(self) -> str:
        return self.message


class PubError(QDreamerError):
    """A PUB whose circuit, observables and parameter values do not fit together."""


class MemoryLimitError(QDreamerError):
    """A fragment's batch of states is larger than the memory it may use."""


class MethodError(QDreamerError):
    """A method of simulation that does not apply to a circuit, or would take far too long."""


class MotifError(QDreamerError):
    """A motif that there is not, a parameter out of range, or a place where it cannot run."""


class StepError(QDreamerError):
    """Steps that wait for each other, or a store of theirs that cannot be used."""


class QasmError(QDreamerError):
    """An OpenQASM file that cannot be read; the message carries file, line and column."""


class DeviceError(QDreamerError):
    """A device cannot run, or did not run, what it was given; another one might.

    Attributes:
        device: Name of the device.
        reason: What was in the way, in words.
    """

    def __init__(self, device: str, reason: str) -> None:
        # Both are kept as arguments, so that the error survives its way back from a worker.
        super().__init__(device, reason)
        self.device = device
        self.reason = reason

    def __str__(self) -> str:
        return f"device {self.device}: {self.reason}"


class GpuError(QDreamerError):
    """A GPU was asked for and none can be used; no CPU takes its place."""


class PrecisionError(QDreamerError):
    """A standard error that the shots allowed cannot reach."""


class WorkersLostError(QDreamerError):
    """No pilot is left that could run the rest of a run."""


class LongRunWarning(UserWarning):
    """A run that is about to start will take hours."""
