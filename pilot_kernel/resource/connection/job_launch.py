"""Starting an agent in a batch job, and waiting until it can be reached, hours if need be."""

import contextlib
import os
import shlex
import subprocess
import time
from collections.abc import Sequence

from pilot_kernel.errors import AgentStartError
from pilot_kernel.resource import registry, slurm_job
from pilot_kernel.resource.connection.job_script import log_of, script
from pilot_kernel.resource.connection.job_watch import JobWatch
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["Undertaker", "submit", "wait"]

_POLL_S = 0.1
_SLOWEST_POLL_S = 1.0
_SILENT_S = 30.0  # a job that runs for so long and whose agent nobody sees gives reason to think
_MUTE_S = 180.0  # and is given up
_MOST_LOG = 2000


def submit(entry: AgentEntry, job: PilotDescription, plugins: Sequence[str]) -> str:
    """Submit an agent's job; what is there of the agent is removed if SLURM refuses it.

    Args:
        entry: The agent, as it was claimed.
        job: What the job is to be.
        plugins: What the agent adds to its scheduler and its workers, as `module:class`.

    Returns:
        The job's number.

    Raises:
        AgentStartError: SLURM refused it; the message has its own words.
    """
    text = script(job, entry.id, entry.directory, plugins)
    os.close(os.open(log_of(entry.directory), os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        return slurm_job.run(["sbatch", "--parsable"], told=text).strip().partition(";")[0]
    except slurm_job.QueueError as error:
        registry.forget(entry)
        raise AgentStartError(f"the agent's job was not submitted; sbatch says: {error}") from None


class Undertaker:
    """Cancels a job that still waits if this process dies: nobody could come back to its session.

    From when the agent is open, it sees to that itself.
    """

    def __init__(self, agent_id: str) -> None:
        user = f"--user={os.getuid()}"
        cancel = shlex.join(["scancel", user, f"--name={slurm_job.name_of(agent_id)}"])
        self._process = subprocess.Popen(  # noqa: S602 our own words
            f"read -r word || exec {cancel}",
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=slurm_job.environment(),
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Have it go without doing anything."""
        with contextlib.suppress(OSError):
            self._process.communicate(b"go\n", timeout=5)


def wait(
    starting: AgentEntry, job: JobWatch, *, own: bool, within_s: int | None = None
) -> AgentEntry:
    """Wait until an agent in a batch job is open.

    Args:
        starting: The agent.
        job: What is known of its job; to be over ends the waiting.
        own: Whether this process submitted the job.
        within_s: How many seconds the job may wait; without limit if missing.

    Raises:
        AgentStartError: The job ended before the agent was open, or it does not begin in time, or
            the agent cannot be seen from here.
    """
    begun = time.monotonic()
    running: float | None = None
    absent = 0
    poll_s = _POLL_S
    while (now := registry.read(starting.directory)) is None or now.phase != "open":
        if job.over.is_set():
            raise AgentStartError("the session was closed before its agent's job began")
        if job.due():
            seen = _look(job)
            gone = seen is None and (now is None or not now.alive())
            absent = absent + 1 if gone else 0
            if absent > 1 or (seen is not None and seen.over):
                raise _not_started(starting, job)
            waited_s = time.monotonic() - begun
            if own and within_s is not None and _still_waits(job) and waited_s > within_s:
                raise _too_late(starting, job, within_s)
            if seen is not None and not seen.waits and running is None:
                running = time.monotonic()
        if running is not None and now is not None and not now.job:
            _mind_silence(starting, job, time.monotonic() - running)
        job.over.wait(poll_s)
        poll_s = min(1.2 * poll_s, _SLOWEST_POLL_S if running is None else 2 * _POLL_S)
    job.opened(now)
    return now


def _look(job: JobWatch) -> slurm_job.JobSeen | None:
    try:
        return job.look()
    except slurm_job.QueueError as error:
        job.note = f"the state of the agent's job is unknown; squeue says: {error}"
        return job.seen


def _still_waits(job: JobWatch) -> bool:
    return job.seen is not None and job.seen.waits


def _not_started(entry: AgentEntry, job: JobWatch) -> AgentStartError:
    """The error that says why; what is there of the agent is removed."""
    log = log_of(entry.directory)
    tail = log.read_text(errors="replace")[-_MOST_LOG:] if log.exists() else ""
    state = "" if job.seen is None else job.seen.state
    registry.forget(entry)
    advice = ""
    if state in ("TIMEOUT", "DEADLINE"):
        advice = "; ask for a longer walltime"
    elif state == "FAILED" and not tail.strip():
        advice = _not_shared(entry)
    said = f"; the end of its log:\n{tail}" if tail.strip() else ""
    return AgentStartError(f"the pilot's agent did not come up: {job.why}{advice}{said}")


def _too_late(entry: AgentEntry, job: JobWatch, within_s: int) -> AgentStartError:
    assert job.seen is not None
    registry.reap(entry)
    return AgentStartError(
        f"the agent's job did not begin within start_within_s={within_s} and is canceled: "
        f"{job.seen}"
    )


def _mind_silence(entry: AgentEntry, job: JobWatch, silent_s: float) -> None:
    """Say so if the agent does not show up in the registry, and give up in the end."""
    if silent_s > _MUTE_S:
        words = f"{job.note}{_not_shared(entry)}"
        registry.reap(entry)
        raise AgentStartError(f"{words}. The job is canceled")
    if silent_s > _SILENT_S:
        job.note = f"the agent's {job.seen}, but its agent has not shown up{_not_shared(entry)}"


def _not_shared(entry: AgentEntry) -> str:
    return (
        f": perhaps the node does not see {registry.root()}, where agents are "
        "registered; set PILOT_KERNEL_HOME to a folder on a file system that this machine and the "
        "nodes share"
    )
