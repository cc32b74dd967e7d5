"""The notebook's eye on the batch job that its agent runs in: how it stands, and when it ends."""

import contextlib
import threading
import time
from collections.abc import Callable

from pilot_kernel.resource import notices, slurm_job
from pilot_kernel.resource.registry import AgentEntry
from pilot_kernel.resource.slurm_job import JobSeen

__all__ = ["JobWatch"]

_AHEAD_S = 300.0
_POLL_S = 1.0
_ASK_AGAIN_S = 600.0  # squeue burdens everybody's cluster
_ENDING_S = 5.0  # an agent's connections are gone before its job is
_COMPLETING_S = 120.0  # processes have SLURM's KillWait to end, half a minute as a rule
_ENDING_POLL_S = 0.2
_SLOWEST_LOOK_S = 15.0
_WHY = {
    "TIMEOUT": "it reached its walltime",
    "DEADLINE": "it reached its walltime",
    "CANCELLED": "it was canceled",
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "it took more memory than the job had",
    "PREEMPTED": "another job took its place",
}


class JobWatch:
    """What is known of an agent's job. Waiting threads look at it, all others only read.

    Args:
        entry: The agent.

    Attributes:
        seen: The job as SLURM told of it last; None if it does not know it, or did not tell yet.
        note: A word on what the session waits for; empty once the agent is open.
        ends_at: When the job reaches its walltime, unix seconds, if that is known.
        over: Whether nobody is interested any more.
    """

    def __init__(self, entry: AgentEntry) -> None:
        self.seen: JobSeen | None = None
        self.note = "" if entry.phase == "open" else "the agent's job is being submitted"
        self.ends_at: float | None = None
        self.over = threading.Event()
        self._agent_id = entry.id
        self._due = 0.0
        self._pause_s = 0.25

    # ---- before the agent is open

    def due(self) -> bool:
        """Whether it is time to look again: often when something changes, else seldom."""
        return time.monotonic() >= self._due

    def look(self) -> JobSeen | None:
        """Ask how the job stands, and take note of it.

        Raises:
            QueueError: SLURM does not tell.
        """
        before = self.seen
        try:
            self.seen = slurm_job.find(self._agent_id)
        finally:
            changed = self.seen != before
            self._pause_s = 0.5 if changed else min(1.5 * self._pause_s, _SLOWEST_LOOK_S)
            self._due = time.monotonic() + self._pause_s
        if self.seen is not None:
            self.note = f"the agent's {self.seen}"
            if self.seen.ends_at is not None and not self.seen.waits:
                self.ends_at = self.seen.ends_at
        return self.seen

    def opened(self, entry: AgentEntry) -> None:
        """Take note that the agent is open."""
        self.note = ""
        self.ends_at = entry.ends_at
        self.seen = JobSeen(entry.job, "RUNNING", host=entry.host, ends_at=entry.ends_at)

    # ---- while it is open

    def follow(self, connected: Callable[[], bool]) -> None:
        """Announce the job's end some minutes ahead; when it has come, take note of how.

        Args:
            connected: Whether the line to the agent holds.
        """
        announced = False
        self._ask_for_end()
        while connected() and not self.over.wait(_POLL_S):
            if not announced and (self._soon() or self.due()):
                self._ask_for_end()
                if self._soon():
                    announced = True
                    notices.tell(f"end of {self._agent_id}", self.farewell())
        if not self.over.is_set() and (how := self.ended()):
            notices.tell(f"end of {self._agent_id}", f"the session has ended: {how}")

    def _soon(self) -> bool:
        return self.ends_at is not None and time.time() > self.ends_at - _AHEAD_S

    def _ask_for_end(self) -> None:
        """Ask when the job ends: its limit can be changed while it runs."""
        self._due = time.monotonic() + _ASK_AGAIN_S
        with contextlib.suppress(slurm_job.QueueError):
            seen = slurm_job.find(self._agent_id)
            if seen is not None and seen.ends_at is not None:
                self.seen, self.ends_at = seen, seen.ends_at

    def farewell(self) -> str:
        """The announcement of its end."""
        return (
            f"the session ends {_when(self.ends_at)}: that is the walltime of the agent's "
            f"{self._job}. Tasks that are unfinished by then are lost, and so are results that "
            "were not fetched"
        )

    @property
    def _job(self) -> str:
        if self.seen is None:
            return "job"
        return (
            f"job {self.seen.id} on {self.seen.host}" if self.seen.host else f"job {self.seen.id}"
        )

    @property
    def place(self) -> str:
        """Where the agent runs, and until when."""
        return f"agent in {self._job}" + (f", ends {_when(self.ends_at)}" if self.ends_at else "")

    # ---- when it has ended

    def ended(self) -> str:
        """How the job has ended, in words; empty if it goes on, or SLURM does not tell.

        A job that is ending is waited for.
        """
        if self.seen is not None and self.seen.over:
            return self.why
        begun = time.monotonic()
        while True:
            try:
                now = slurm_job.find(self._agent_id)
            except slurm_job.QueueError:
                return ""
            if now is None:  # SLURM forgets a job some minutes after its end
                return f"its {self._job} is gone"
            self.seen = now
            waited_s = time.monotonic() - begun
            if now.over or (now.ending and waited_s > _COMPLETING_S):
                return self.why
            if not now.ending and waited_s > _ENDING_S:
                return ""
            time.sleep(_ENDING_POLL_S)

    @property
    def why(self) -> str:
        """Why the job ended, in words, as far as it is known to have ended."""
        if self.seen is None:
            return "its job is gone"
        said = _WHY.get(self.seen.state)
        reason = self.seen.reason
        words = "; ".join(filter(None, (said, reason and f"SLURM says {reason}")))
        return f"its {self._job} is {self.seen.state}" + (f": {words}" if words else "")


def _when(moment: float | None) -> str:
    """A moment to come, in words."""
    if moment is None:
        return "at some time"
    clock = time.strftime("%H:%M", time.localtime(moment))
    left_s = moment - time.time()
    if left_s > 86400:
        return "on " + time.strftime("%d %B at %H:%M", time.localtime(moment))
    if left_s > 3600:
        return f"at {clock}"
    minutes = max(0, round(left_s / 60))
    return f"at {clock}, in {minutes} min" if minutes else f"at {clock}, in less than a minute"
