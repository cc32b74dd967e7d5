"""One pilot of an agent: what brings up its workers, and what those are called."""

from typing import Any

from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site
from pilot_kernel.resource.pilot import PilotState, PilotStatus

__all__ = ["HeldPilot"]

_MOST_NOTES = 3
_REVIVALS = 5  # a worker that ended so often before any was up will not come


class HeldPilot:
    """The specs of one pilot, numbered on as it grows.

    Attributes:
        starts: What was asked for to bring workers up (a process, a batch job), by the name that
            it has in the cluster, with the names of its workers.
    """

    def __init__(self, description: PilotDescription, site: Site) -> None:
        self.name = site.pilot
        self.describe(description, site)
        self.starts: dict[str, tuple[str, ...]] = {}
        self.numbered = 0
        self.was_up = False
        self.refused = False  # for a reason that holds for the next start as well

    def describe(self, description: PilotDescription, site: Site) -> None:
        """Have what is started from now on be as described."""
        self.specs = by_scheme.worker_specs(description, site)
        self.description = description
        self.revived = 0

    @property
    def workers(self) -> list[str]:
        """Names of the workers that it should have."""
        return [worker for workers in self.starts.values() for worker in workers]

    @property
    def asked_for(self) -> int:
        """How many workers its description means."""
        return sum(spec.workers for spec in self.specs)

    def grow(self, count: int) -> dict[str, Any]:
        """Have so many more workers; whole starts only, so there may be more.

        Returns:
            What `SpecCluster` is to start, by name.
        """
        new: dict[str, Any] = {}
        while count > 0:
            spec = self.specs[self.numbered % len(self.specs)]
            start = f"{self.name}-{self.numbered}"
            new[start] = {"cls": spec.cls, "options": {**spec.options, "name": start}}
            if spec.suffixes != ("",):
                new[start]["group"] = list(spec.suffixes)
            self.starts[start] = tuple(start + suffix for suffix in spec.suffixes)
            self.numbered += 1
            count -= spec.workers
        return new

    @property
    def failed(self) -> bool:
        """Whether its workers keep ending before they are up."""
        return self.refused or self.revived > _REVIVALS * max(1, len(self.workers))

    def state(self, up: int) -> PilotState:
        """Its state, with so many workers up now."""
        if up:
            self.was_up, self.revived = True, 0
        if self.failed:
            return PilotState.FAILED
        return PilotState.ACTIVE if self.was_up else PilotState.PENDING

    def status(self, cluster: Any) -> PilotStatus:
        """How it stands, by what the cluster and its scheduler see."""
        scheduler = cluster.scheduler
        notes = [getattr(cluster.workers.get(start), "note", "") for start in self.starts]
        notes += [scheduler.refusals.get(worker, "") for worker in self.workers]
        mine = set(self.workers)
        up = [ws for ws in scheduler.workers.values() if ws.name in mine]
        kinds = {k for spec in self.specs for k in spec.offers if k.isupper()}
        return PilotStatus(
            name=self.name,
            resource=self.description.resource,
            state=self.state(len(up)),
            workers=len(up),
            wanted=len(mine),
            running=sum(len(ws.processing) for ws in up),
            cores_per_worker=self.description.cores_per_worker,
            offers=tuple(sorted(kinds)),
            memory_per_worker_bytes=min(spec.memory_bytes for spec in self.specs),
            largest_worker_bytes=max(spec.memory_bytes for spec in self.specs),
            tags=self.description.tags,
            backend=by_scheme.device_name(self.description),
            note=_shortened(list(dict.fromkeys(filter(None, notes)))),
        )


def _shortened(notes: list[str]) -> str:
    """What several starts say of themselves, as far as it can be read."""
    more = len(notes) - _MOST_NOTES
    return "; ".join([*notes[:_MOST_NOTES], *([f"and {more} more"] if more > 0 else [])])
