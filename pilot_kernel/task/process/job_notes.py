"""Jobs that a task has sent to a QPU's provider, noted down so that none is sent twice.

The notes lie beside the task's result, on the agent's machine, and outlive its process and worker.
When the task is run again, it finds there what an attempt before it had sent. They go with the
result.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pilot_kernel.errors import PilotError
from pilot_kernel.task.process.streams import emit
from pilot_kernel.task.wire.record import JOB
from pilot_kernel.task.wire.results import file_name

__all__ = ["earlier", "note", "of_task"]

_path: Path | None = None
_earlier: list[tuple[str, str]] = []


@contextlib.contextmanager
def of_task(keep: Mapping[str, str] | None) -> Iterator[None]:
    """Note down the jobs of a task as long as this lasts.

    Args:
        keep: Where the task leaves its result, and its key; without it nothing is noted.
    """
    global _path, _earlier
    _path = None if keep is None else Path(keep["folder"], f"{file_name(keep['key'])}.jobs")
    _earlier = [] if _path is None else _read(_path)
    try:
        yield
    finally:
        _path, _earlier = None, []


def earlier(what: str) -> str | None:
    """The id of a job that an earlier attempt at this task has sent; each is told once.

    Args:
        what: What was sent, and where, as `note` was told it.
    """
    for at, (sent, job_id) in enumerate(_earlier):
        if sent == what:
            del _earlier[at]
            return job_id
    return None


def note(what: str, job_id: str, device: str) -> None:
    """Note down that a job was sent, for later attempts and for the task's record.

    Args:
        what: What was sent, and where.
        job_id: The job.
        device: Name of the device.
    """
    if _path is not None:
        with contextlib.suppress(OSError), _path.open("a") as file:  # the session is ending
            file.write(f"\n{json.dumps([what, job_id])}\n")  # what is before it may be torn
    with contextlib.suppress(PilotError):  # outside of tasks there is nobody to tell
        emit(JOB, f"{device} {job_id}")


def _read(path: Path) -> list[tuple[str, str]]:
    """What is written there, the latest first; a line may be torn."""
    found: list[tuple[str, str]] = []
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            with contextlib.suppress(ValueError):
                what, job_id = json.loads(line)
                found.append((what, job_id))
    return found[::-1]
