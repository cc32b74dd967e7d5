"""What a worker was given: its cores, memory and device, in environment variables.

The agent and the kinds of pilot set them, and tasks inherit them. Outside a worker each is None.
"""

import os

from pilot_kernel.resource import allowance

__all__ = [
    "CORES",
    "DEVICE",
    "DEVICE_TEST",
    "ENDS_AT",
    "FOLDER",
    "LOGS",
    "MEMORY",
    "NURSERY",
    "RESULTS",
    "cores",
    "device",
    "device_test",
    "ends_at",
    "memory_bytes",
    "nursery",
    "results_folder",
    "sizes",
    "usable_cores",
    "worker_folder",
]

CORES = "PILOT_CORES_PER_WORKER"
"""The variable with the number of cores that one task may use."""

MEMORY = "PILOT_MEMORY_PER_WORKER_BYTES"
"""The variable with the limit of a worker's memory."""

DEVICE = "PILOT_QPU"
"""The variable with the name of the QPU that the worker stands for."""

DEVICE_TEST = "PILOT_QPU_TEST"
"""The variable with what the workers of a QPU call its self-test, which one of them makes."""

ENDS_AT = "PILOT_ENDS_AT"
"""The variable with the moment at which the batch system ends the worker's job, unix seconds."""

NURSERY = "PILOT_NURSERY"
"""The variable with the path of the socket of the nursery on the worker's host."""

RESULTS = "PILOT_RESULTS"
"""The variable with the folder for results of tasks."""

LOGS = "PILOT_LOGS"
"""The variable with the folder for log files of workers; without it they write where they did."""

FOLDER = "PILOT_WORKER_FOLDER"
"""The variable with the folder for files of this worker and its tasks, which goes with it."""


def sizes(cores: int, memory_bytes: int) -> dict[str, str]:
    """The variables that tell a worker how large it is."""
    return {CORES: str(cores), MEMORY: str(memory_bytes)}


def cores() -> int | None:
    """Cores that one task of this worker may use; `cores() or 0` is what Aer takes for threads."""
    return _number(CORES)


def usable_cores() -> int:
    """Cores that this process may use: those of its task, or outside of one all it can have.

    That is what its affinity and its container allow, which may be less than the machine has.
    """
    return cores() or allowance.cores()


def memory_bytes() -> int | None:
    """Memory that this worker may use, with its task process."""
    return _number(MEMORY)


def device() -> str | None:
    """The name of the QPU that this worker stands for; None on any other worker too."""
    return os.environ.get(DEVICE) or None


def device_test() -> str:
    """What the self-test of that QPU is called, unlike those of other pilots."""
    return os.environ.get(DEVICE_TEST, "")


def ends_at() -> float | None:
    """When the batch system ends this worker's job, unix seconds, if it will."""
    text = os.environ.get(ENDS_AT)
    return float(text) if text else None


def nursery() -> str | None:
    """The path of the socket of the nursery that the agent has started."""
    return os.environ.get(NURSERY)


def results_folder() -> str | None:
    """The folder that results of tasks are written to."""
    return os.environ.get(RESULTS)


def logs_folder() -> str | None:
    """The folder that a worker writes its log file to."""
    return os.environ.get(LOGS)


def worker_folder() -> str | None:
    """The folder for files of this worker and its tasks, which is removed with it."""
    return os.environ.get(FOLDER)


def _number(variable: str) -> int | None:
    text = os.environ.get(variable)
    return int(text) if text else None
