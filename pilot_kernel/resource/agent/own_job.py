"""The batch job that the agent itself runs in, if it runs in one: what it is, and when it ends."""

import contextlib
import dataclasses
import os
import socket
import time
from collections.abc import Mapping

import psutil

from pilot_kernel.resource import registry, slurm_job, versions
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["Deserted", "taken_over"]

_DESERTED_S = 5.0


def taken_over(claimed: AgentEntry) -> AgentEntry:
    """The entry of an agent that this process is from now on.

    Args:
        claimed: The entry that whoever started it has made.
    """
    mine = dataclasses.replace(
        claimed,
        pid=os.getpid(),
        started=psutil.Process().create_time(),
        host=socket.gethostname(),
        versions=versions.here(),
    )
    if not claimed.batch:
        return mine
    job = os.environ.get("SLURM_JOB_ID", "")
    return dataclasses.replace(
        mine,
        job=job,
        # What users know the node by; a host may also call itself something else.
        host=os.environ.get("SLURMD_NODENAME") or mine.host,
        ends_at=_ends_at(claimed.id, os.environ),
        scratch=registry.scratch(claimed.id),  # temporary files may lie elsewhere on a node
    )


def _ends_at(agent_id: str, environment: Mapping[str, str]) -> float | None:
    with contextlib.suppress(slurm_job.QueueError):  # nodes need not have SLURM's programs
        seen = slurm_job.find(agent_id)
        if seen is not None:
            return seen.ends_at
    told = environment.get("SLURM_JOB_END_TIME", "")
    return float(told) if told.isdigit() else None


class Deserted:
    """Whether a session that nobody can come back to has lost whoever it belonged to.

    An agent sees whether a process of its own machine has ended. Of one on another machine it only
    sees that the connection is gone, for some seconds: another may be on its way to attach.
    """

    def __init__(self, entry: AgentEntry, owner: tuple[int, float]) -> None:
        self._entry = entry
        self._owner = owner
        self._seen: float | None = None

    def met(self) -> None:
        """Take note that somebody has come, perhaps to go before anybody looks again."""
        self._seen = time.monotonic()

    def expects(self) -> bool:
        """Whether whoever has started the agent may still be on the way to it: slow, not gone."""
        return self._seen is None and not self._entry.batch and registry.runs(*self._owner)

    def now(self, people: list[str]) -> bool:
        """Whether that is so.

        Args:
            people: The clients that are connected.
        """
        if people:
            self.met()
        if people or self._entry.name:
            return False
        if not self._entry.batch:
            return not registry.runs(*self._owner)
        return self._seen is not None and time.monotonic() - self._seen > _DESERTED_S
