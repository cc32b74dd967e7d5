"""The batch job that an agent runs in, as SLURM tells of it; its name has the agent's id in it.

By that name it is found from the moment it is submitted, whoever did that and whatever became of
them. Agents, notebooks and the registry all ask here.
"""

import datetime
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pilot_kernel.errors import PilotError

__all__ = [
    "NO_LIMIT_S",
    "JobSeen",
    "QueueError",
    "cancel",
    "end",
    "environment",
    "find",
    "name_of",
    "run",
]

_PATIENCE_S = 30.0
_POLL_S = 0.2
_FORMAT = "%i|%T|%B|%e|%r"
NO_LIMIT_S = 360 * 86400
"""SLURM gives jobs a year where there is no limit: whoever has more seconds than this has none."""
_WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"})
_OVER = frozenset(
    {
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"),
        *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "SPECIAL_EXIT", "TIMEOUT"),
    }
)
_NO_NODE = frozenset({"", "n/a", "N/A", "(null)"})
_OF_A_JOB = ("SLURM_", "SQUEUE_", "SBATCH_", "SCANCEL_")
_KEPT = frozenset({"SLURM_CONF"})
_asked: dict[str, "tuple[float, JobSeen | None]"] = {}
_asking = threading.Lock()


class QueueError(PilotError, RuntimeError):
    """SLURM does not tell, or is not here; the text is what its program said."""


@dataclass(frozen=True)
class JobSeen:
    """A batch job at one moment, in SLURM's own words.

    Attributes:
        id: Its number.
        state: Such as PENDING or RUNNING.
        reason: Why it waits, or why it ended; empty if there is none.
        host: The node that its script runs on, once it does.
        ends_at: When it reaches its walltime, unix seconds; None if that is not known,
            or never.
    """

    id: str
    state: str
    reason: str = ""
    host: str = ""
    ends_at: float | None = None

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return self.state in _WAITING

    @property
    def ending(self) -> bool:
        """Whether its processes are being ended; how it has ended is told when they are."""
        return self.state == "COMPLETING"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in _OVER

    def __str__(self) -> str:
        where = f" on {self.host}" if self.host and not self.waits else ""
        return f"job {self.id} {self.state}{where}{f' ({self.reason})' if self.reason else ''}"


def name_of(agent_id: str) -> str:
    """What the job of an agent is called."""
    return f"pilot-{agent_id}-agent"


def find(agent_id: str, *, fresh_s: float = 0.0) -> JobSeen | None:
    """The job of an agent; None if SLURM knows none, or none any more.

    Args:
        agent_id: The agent's id.
        fresh_s: How many seconds ago SLURM may have told it.

    Raises:
        QueueError: SLURM does not tell.
    """
    with _asking:
        known = _asked.get(agent_id)
    if known is not None and time.monotonic() - known[0] < fresh_s:
        return known[1]
    command = ["squeue", "-h", "-a", "-t", "all", "-o", _FORMAT, *_mine(agent_id)]
    lines = run(command).splitlines()
    jobs = sorted(map(_seen, filter(None, lines)), key=lambda job: int(job.id.partition("_")[0]))
    found = jobs[-1] if jobs else None
    with _asking:
        _asked[agent_id] = (time.monotonic(), found)
    return found


def _mine(agent_id: str) -> tuple[str, str]:
    return f"--user={os.getuid()}", f"--name={name_of(agent_id)}"


def _seen(line: str) -> JobSeen:
    number, state, host, ends, reason = line.split("|", 4)
    return JobSeen(
        id=number,
        state=state,
        reason="" if reason == "None" else reason,
        host="" if host in _NO_NODE else host,
        ends_at=_moment(ends),
    )


def _moment(told: str) -> float | None:
    try:
        moment = datetime.datetime.fromisoformat(told).timestamp()
    except ValueError:  # N/A
        return None
    return None if moment - time.time() > NO_LIMIT_S else moment


def cancel(agent_id: str) -> None:
    """Cancel an agent's job, whether it waits or runs.

    Raises:
        QueueError: SLURM does not do it.
    """
    run(["scancel", *_mine(agent_id)])


def end(agent_id: str, patience_s: float = 10.0) -> bool:
    """Cancel an agent's job, and wait until it has ended; whether it has.

    Args:
        agent_id: The agent's id.
        patience_s: Seconds to wait: a job may take a while to tidy up.

    Raises:
        QueueError: SLURM does not tell.
    """
    deadline = time.monotonic() + patience_s
    seen = find(agent_id)
    if seen is not None and not seen.over:
        cancel(agent_id)
    while seen is not None and not seen.over:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
        seen = find(agent_id)
    return True


def environment() -> dict[str, str]:
    """The environment for SLURM's programs, without what would change what they do or say.

    What SLURM told the job that this process runs in, if it runs in one, would contradict what a
    new job asks for, and is inherited by it.
    """
    usual = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(_OF_A_JOB)
    }
    return {**usual, "SLURM_TIME_FORMAT": "standard"}


def run(command: Sequence[str], *, told: str = "") -> str:
    """What one of SLURM's programs writes.

    Args:
        command: The program and its arguments.
        told: What it reads.

    Raises:
        QueueError: It failed, does not end, or is not there.
    """
    try:
        done = subprocess.run(  # noqa: S603 SLURM's own programs
            command,
            input=told,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=_PATIENCE_S,
            umask=0o077,
            check=False,
        )
    except FileNotFoundError:
        raise QueueError(
            f"there is no {command[0]!r} here: SLURM's programs are needed, which are on a "
            "cluster's login nodes; they must be on PATH"
        ) from None
    except subprocess.TimeoutExpired:
        raise QueueError(f"{command[0]} does not answer") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise QueueError(said or f"{command[0]} ended with status {done.returncode}")
    return done.stdout
