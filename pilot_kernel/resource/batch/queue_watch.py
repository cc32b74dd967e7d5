"""How jobs stand in SLURM's queue; all jobs of a process are asked for together."""

import asyncio
from dataclasses import dataclass

from pilot_kernel.resource.batch.commands import run
from pilot_kernel.resource.left_jobs import user_name

__all__ = ["QUEUE", "QueueWatch", "Seen"]

_PERIOD_S = 2.0
_FORMAT = "%j|%i|%T|%r|%N"
_OVER = frozenset(
    {
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"),
        *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
    }
)


@dataclass(frozen=True)
class Seen:
    """A job at one moment, in the batch system's own words.

    Attributes:
        name: What it was called.
        id: Its number.
        state: Such as PENDING or RUNNING.
        reason: Why it waits, or why it ended.
        node: Where it runs.
    """

    name: str
    id: str
    state: str
    reason: str
    node: str

    @property
    def waits(self) -> bool:
        """Whether it has not begun, or is to begin again."""
        return self.state in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT")

    @property
    def over(self) -> bool:
        """Whether it has ended for good."""
        return self.state in _OVER


class QueueWatch:
    """Asks for jobs by name; those who ask within two seconds share one look at the queue."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._coming: asyncio.Future[list[Seen]] | None = None

    async def look(self, name: str, job_id: str) -> Seen | None:
        """How a job stands at the next look; None if the queue does not know it.

        Raises:
            CommandError: The batch system does not tell.
        """
        self._names.add(name)
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._look())
        seen = await asyncio.shield(self._coming)
        return next((job for job in seen if job.id == job_id), None)

    async def _look(self) -> list[Seen]:
        await asyncio.sleep(_PERIOD_S)
        names, self._names, self._coming = self._names, set(), None
        return await ask(names)


async def ask(names: set[str]) -> list[Seen]:
    """How the jobs of these names stand now; those that ended a while ago are not known any more.

    Raises:
        CommandError: The batch system does not tell.
    """
    which = (f"--user={user_name()}", f"--name={','.join(sorted(names))}")
    told = await run(["squeue", "-h", "-a", "-t", "all", "-o", _FORMAT, *which])
    return [Seen(*line.split("|")) for line in told.splitlines()]


QUEUE = QueueWatch()
"""The one that all jobs of this process share."""
