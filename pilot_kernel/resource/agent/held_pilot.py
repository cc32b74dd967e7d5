"""One pilot of an agent: what brings up its workers, what those are called, which of them leave."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pilot_kernel.resource import gpus
from pilot_kernel.resource.agent.joint_cores import span_of
from pilot_kernel.resource.agent.waiting_room import Demand
from pilot_kernel.resource.batch.systems import walltime_seconds
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site, WorkerSpec
from pilot_kernel.resource.pilot import PilotState, PilotStatus

__all__ = ["SURPLUS", "HeldPilot"]

SURPLUS = "fewer workers are wanted"
"""Why a start leaves that may be kept after all."""

_MOST_NOTES = 3
_TROUBLE = "trouble"  # the metric with which a worker tells why no task can run there
_REVIVALS = 5  # a worker that ended so often before any was up will not come
_LONGEST_PAUSE_S = 60.0


class HeldPilot:
    """The specs of one pilot, numbered on as it grows.

    Attributes:
        starts: What was asked for to bring workers up (a process, a batch job), by the name that
            it has in the cluster, with the names of its workers.
        leaving: Those of them that take no more tasks and go when they are empty, and why.
        goal: How many workers it should have.
        adaptive: Fewest and most workers, if it grows and shrinks by itself.
        draining: Whether it goes when it is empty.
    """

    def __init__(self, description: PilotDescription, site: Site) -> None:
        self.name = site.pilot
        self.describe(description, site)
        self.starts: dict[str, tuple[str, ...]] = {}
        self.leaving: dict[str, str] = {}
        self.goal = self.asked_for
        self.adaptive: tuple[int, int] | None = None
        self.draining = False
        self.numbered = 0
        self.was_up = False
        self.refused = False  # for a reason that holds for the next start as well
        self.note = ""
        self.crowding = ""  # with whom it shares the agent's machine
        self.memory_share = 1.0  # what part of its workers' memory their tasks may count on
        self._places: dict[str, int] = {}  # which of the specs each start is of
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    @property
    def walltime_s(self) -> int | None:
        """How long its jobs may run, if that is limited."""
        walltime = self.description.walltime
        return None if walltime is None else walltime_seconds(walltime)

    def describe(self, description: PilotDescription, site: Site) -> None:
        """Have what is started from now on be as described."""
        self.specs: list[WorkerSpec] = by_scheme.worker_specs(description, site)
        self.description = description
        self.revived = 0

    @property
    def workers(self) -> list[str]:
        """Names of the workers that it has or should have, those that leave included."""
        return [worker for workers in self.starts.values() for worker in workers]

    def nodes(self) -> Iterator[tuple[str, str]]:
        """The names of its workers, each with what stands for its node.

        Processes of the agent's own machine are on one node. Everything else is one start to a
        node, such as a batch job: what several of them hold on the same machine is kept apart.
        """
        for start, names in self.starts.items():
            node = self.name if self._spec_of(start).suffixes == ("",) else start
            yield from ((worker, node) for worker in names)

    @property
    def local_cores(self) -> int:
        """Cores of the agent's machine that its workers have, or will have once they are up."""
        if self.description.scheme != "local" or self.failed:
            return 0
        each = self.description.cores_per_worker
        return each * sum(bool(self._spec_of(start).offers.get("CPU")) for start in self.starts)

    @property
    def local_memory_bytes(self) -> int:
        """Memory that tasks may count on, of all workers of a pilot on the agent's machine."""
        return sum(self.memory_of_workers().values())

    def memory_of_workers(self) -> dict[str, int]:
        """The memory that tasks may count on, by the name of their worker."""
        return {
            worker: self._promised(self._spec_of(start).memory_bytes)
            for start, workers in self.starts.items()
            for worker in workers
        }

    def _promised(self, memory_bytes: int) -> int:
        return int(self.memory_share * memory_bytes)

    def _offers(self, spec: WorkerSpec) -> dict[str, float]:
        return {**spec.offers, "memory": self._promised(spec.memory_bytes)}

    def _spec_of(self, start: str) -> WorkerSpec:
        return self.specs[min(self._places[start], len(self.specs) - 1)]

    @property
    def most_cores(self) -> int:
        """The most cores that one task can have: of one worker, or of several on a node."""
        most = max(self.goal, self.size, *(self.adaptive or (0,)))
        return max(spec.cores * min(most, self._mates(spec)) for spec in self.specs)

    def _mates(self, spec: WorkerSpec) -> int:
        """How many workers on a node lend each other their cores."""
        if not spec.offers.get("CPU"):
            return 1
        if spec.suffixes != ("",):
            return spec.lenders
        return sum(bool(each.offers.get("CPU")) for each in self.specs)

    @property
    def staying(self) -> dict[str, tuple[str, ...]]:
        """The starts that are to stay."""
        return {start: names for start, names in self.starts.items() if start not in self.leaving}

    @property
    def size(self) -> int:
        """How many workers are to stay."""
        return sum(map(len, self.staying.values()))

    @property
    def asked_for(self) -> int:
        """How many workers its description means."""
        return sum(spec.workers for spec in self.specs)

    # ---- growing and shrinking

    def grow(self, count: int) -> dict[str, Any]:
        """Have so many more workers; whole starts only, so there may be more.

        Those that leave because fewer were wanted are kept first.

        Returns:
            What `SpecCluster` is to start, by name.
        """
        for start in [start for start, why in self.leaving.items() if why == SURPLUS]:
            if count > 0:
                del self.leaving[start]
                count -= len(self.starts[start])
        new: dict[str, Any] = {}
        while count > 0:
            place = self._emptiest()
            spec = self.specs[place]
            start = f"{self.name}-{self.numbered}"
            self._places[start] = place
            new[start] = {"cls": spec.cls, "options": {**spec.options, "name": start}}
            if spec.suffixes != ("",):
                new[start]["group"] = list(spec.suffixes)
            self.starts[start] = tuple(start + suffix for suffix in spec.suffixes)
            self.numbered += 1
            count -= spec.workers
        return new

    def _emptiest(self) -> int:
        """The spec with the fewest starts that stay: a host or GPU that was given up, say."""
        used = Counter(self._places[start] for start in self.staying)
        return min(range(len(self.specs)), key=lambda place: used[place])

    def shrink(self, count: int, busy: dict[str, int], up: set[str]) -> list[str]:
        """Choose starts with so many workers, or fewer, that are to go: no others may.

        Those that are not up yet are first, then those with the least to do, then the latest.

        Args:
            count: How many workers are too many.
            busy: How many tasks workers hold, by name.
            up: Names of the workers that are up.
        """

        def cost(start: str) -> tuple[bool, int]:
            names = self.starts[start]
            return any(name in up for name in names), sum(busy.get(name, 0) for name in names)

        chosen: list[str] = []
        latest_first = list(self.staying)[::-1]
        for start in sorted(latest_first, key=cost):
            if len(self.starts[start]) <= count:
                chosen.append(start)
                count -= len(self.starts[start])
        return chosen

    def forget(self, start: str) -> None:
        """A start is gone and does not come back."""
        self.starts.pop(start, None)
        self._places.pop(start, None)
        self.leaving.pop(start, None)
        self._tries.pop(start, None)
        self._not_before.pop(start, None)

    # ---- coming back

    def may_come_back(self, start: str) -> bool:
        """Whether a start that has ended may begin anew now; it is tried ever more rarely."""
        return time.monotonic() >= self._not_before.get(start, 0.0)

    def comes_back(self, start: str, *, pause: bool) -> None:
        """A start that has ended begins anew.

        Args:
            start: Its name.
            pause: Whether to wait before the next time, in case this one ends as well.
        """
        self.revived += 1
        tries = self._tries[start] = self._tries.get(start, 0) + 1
        if pause:
            self._not_before[start] = time.monotonic() + min(_LONGEST_PAUSE_S, 2.0**tries)

    @property
    def failed(self) -> bool:
        """Whether its workers keep ending before they are up."""
        return self.refused or self.revived > _REVIVALS * max(1, len(self.workers))

    # ---- how it stands

    def could_run(self, demand: Demand) -> bool:
        """Whether its workers, once they are up, meet a demand."""
        if demand.workers or (demand.timeout_s or 0.0) > (self.walltime_s or math.inf):
            return False
        return self.span(demand) is not None

    def span(self, demand: Demand) -> int | None:
        """How many of its workers it takes to meet a demand, apart from time; None if none do."""
        spans = (
            (span_of(demand, self._offers(spec)), self._mates(spec))
            for spec in self.specs
            if demand.met_by(self._offers(spec))
        )
        return min((span for span, mates in spans if span and span <= max(1, mates)), default=None)

    def state(self, up: int) -> PilotState:
        """Its state, with so many workers up now."""
        if up:
            self.was_up, self.revived, self.refused = True, 0, False
            self._tries.clear()
        if self.failed:
            return PilotState.FAILED
        return PilotState.ACTIVE if self.was_up else PilotState.PENDING

    def status(self, cluster: Any) -> PilotStatus:
        """How it stands, by what the cluster and its scheduler see."""
        scheduler = cluster.scheduler
        mine = set(self.workers)
        up = [ws for ws in scheduler.workers.values() if ws.name in mine]
        going = {name for start in self.leaving for name in self.starts.get(start, ())}
        crippled = {ws.name for ws in up if scheduler.lost_gpu(ws)}
        shown = [ws for ws in up if self.draining or ws.name not in going | crippled]
        told = [found for ws in up if (found := ws.metrics.get(gpus.METRIC))]
        memory = [each["memory_bytes"] for each in told if each["memory_bytes"]]
        kinds = {k for spec in self.specs for k in spec.offers if k.isupper()}
        ends = [end for ws in up if (end := scheduler.ends_at(ws)) is not None]
        return PilotStatus(
            name=self.name,
            resource=self.description.resource,
            state=self.state(len(up)),
            workers=len(shown),
            wanted=max(self.goal, self.size),
            running=sum(len(ws.processing) for ws in up),
            cores_per_worker=self.description.cores_per_worker,
            most_cores=self.most_cores,
            gpus=tuple(sorted(filter(None, map(gpus.described, told)))),
            gpu_memory_bytes=min(memory, default=0),
            offers=tuple(sorted(kinds)),
            memory_per_worker_bytes=min(self._promised(spec.memory_bytes) for spec in self.specs),
            backend=by_scheme.device_name(self.description),
            note=self._note(cluster),
            ends_at=min(ends, default=None),
            adaptive=self.adaptive,
            draining=self.draining,
            tags=self.description.tags,
            walltime_s=self.walltime_s,
            largest_worker_bytes=max(self._promised(spec.memory_bytes) for spec in self.specs),
        )

    def _note(self, cluster: Any) -> str:
        notes = [getattr(cluster.workers.get(start), "note", "") for start in self.starts]
        notes += [cluster.scheduler.refusals.get(worker, "") for worker in self.workers]
        for ws in cluster.scheduler.workers.values():
            if ws.name in self.workers:
                notes.append(ws.metrics.get(_TROUBLE, ""))
                if gpus.METRIC in ws.metrics:
                    notes += _of_gpu(ws.name, ws.metrics[gpus.METRIC])
        return _shortened(list(dict.fromkeys(filter(None, [self.note, *notes, self.crowding]))))


def _of_gpu(worker: str, told: Mapping[str, Any]) -> Iterator[str]:
    """What is to be known of a worker's GPU."""
    if told["trouble"]:
        which = told["name"] or "GPU"
        yield f"worker {worker} takes no tasks: its {which} is gone ({told['trouble']})"
    if told["driver"]:
        yield told["driver"]


def _shortened(notes: list[str]) -> str:
    """What several starts say of themselves, as far as it can be read."""
    more = len(notes) - _MOST_NOTES
    return "; ".join([*notes[:_MOST_NOTES], *([f"and {more} more"] if more > 0 else [])])
