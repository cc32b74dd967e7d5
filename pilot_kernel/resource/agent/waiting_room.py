"""The tasks that are ready but have no worker yet, in the order in which they are to have one."""

import heapq
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pilot_kernel.resource.agent.fair_share import FairShare

__all__ = ["CORES", "MEMORY", "TIMEOUT", "WORKLOAD", "Demand", "WaitingRoom", "workload_of"]

WORKLOAD = "workload"
"""Task annotation: what it is a part of; workloads share workers fairly."""

TIMEOUT = "timeout_s"
"""Task annotation: seconds that it may run."""

CORES = "cores"
"""Task annotation: how many cores it wants, if that is more than one."""

MEMORY = "memory_bytes"
"""Task annotation: how much memory it needs, if it wants several cores."""

_TIDY = 64
_LENGTH = 3  # of a priority as Dask makes it; a number is put in when a task is dealt out


@dataclass(frozen=True)
class Demand:
    """What a task asks of its worker; tasks that ask for the same wait in one line.

    Attributes:
        resources: Dask's abstract resources, and how much of each.
        workers: Addresses of the workers that it may run on; empty for any.
        hosts: Hosts that it may run on; empty for any.
        timeout_s: Seconds that it may run, which its worker must have left.
        cores: Cores that it wants, of one worker or of several on a node.
        memory_bytes: Memory that it needs, if it wants several cores; else that is a resource.
    """

    resources: frozenset[tuple[str, float]] = frozenset()
    workers: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    timeout_s: float | None = None
    cores: int = 1
    memory_bytes: int = 0

    @classmethod
    def of(cls, ts: Any) -> "Demand":
        """What a task of Dask's scheduler asks for."""
        notes = ts.annotations or {}
        return cls(
            frozenset((ts.resource_restrictions or {}).items()),
            frozenset(ts.worker_restrictions or ()),
            frozenset(ts.host_restrictions or ()),
            notes.get(TIMEOUT),
            notes.get(CORES, 1),
            notes.get(MEMORY, 0),
        )

    def met_by(self, offers: Any) -> bool:
        """Whether a worker with these resources has what is asked for, cores apart."""
        return all(offers.get(name, 0) >= least for name, least in self.resources)


def workload_of(ts: Any) -> str:
    """What a task is a part of."""
    return str((ts.annotations or {}).get(WORKLOAD, ""))


@dataclass
class _Line:
    """The tasks of one workload that ask for the same, those that are gone included."""

    demand: Demand
    workload: str
    heap: list[tuple[Any, str, Any]] = field(default_factory=list)
    there: int = 0


class WaitingRoom(dict[Any, float]):
    """Dask's scheduler keeps tasks without a worker in a dict, with since when; this is that dict.

    It knows besides what they ask for and who is next: the highest priority first, then the
    workload that has had the least, then whoever came first.
    """

    def __init__(self, share: FairShare) -> None:
        super().__init__()
        self._share = share
        self._lines: dict[tuple[Demand, str], _Line] = {}
        self._line_of: dict[Any, _Line] = {}
        self._waiting: dict[str, int] = {}  # tasks of each workload

    def __setitem__(self, ts: Any, since: float) -> None:
        if ts not in self:
            self._enter(ts)
        super().__setitem__(ts, since)

    def _enter(self, ts: Any) -> None:
        if len(ts.priority) > _LENGTH:  # it was dealt out before, and has lost its worker
            ts.priority = (ts.priority[0], *ts.priority[2:])
        workload, demand = workload_of(ts), Demand.of(ts)
        line = self._lines.get((demand, workload))
        if line is None:
            line = self._lines[demand, workload] = _Line(demand, workload)
        line.there += 1
        heapq.heappush(line.heap, (ts.priority, ts.key, ts))
        self._line_of[ts] = line
        self._waiting[workload] = self._waiting.get(workload, 0) + 1
        if self._waiting[workload] == 1:
            self._share.begin(workload, time.monotonic())

    def pop(self, ts: Any, *default: Any) -> Any:
        """Let a task go."""
        if ts in self:
            self._leave(ts)
        return super().pop(ts, *default)

    def __delitem__(self, ts: Any) -> None:
        self.pop(ts)

    def clear(self) -> None:
        """Let all tasks go."""
        for ts in list(self):
            self.pop(ts)

    def _leave(self, ts: Any) -> None:
        line = self._line_of.pop(ts)
        line.there -= 1
        if not line.there:
            del self._lines[line.demand, line.workload]
        elif len(line.heap) > 2 * line.there + _TIDY:
            line.heap = [entry for entry in line.heap if self._line_of.get(entry[2]) is line]
            heapq.heapify(line.heap)
        self._waiting[line.workload] -= 1
        if not self._waiting[line.workload]:
            del self._waiting[line.workload]
            self._share.end(line.workload)

    def demands(self) -> Iterator[tuple[Demand, int]]:
        """What is asked for, and by how many."""
        for line in self._lines.values():
            yield line.demand, line.there

    def asking(self, demands: Container[Demand]) -> Iterator[Any]:
        """The tasks with one of these demands."""
        return (ts for ts, line in self._line_of.items() if line.demand in demands)

    def some(self, fits: Callable[[Demand], bool], most: int) -> tuple[list[Any], int]:
        """A few of the tasks whose demand fits, from each line, and how many there are in all."""
        lines = [line for line in self._lines.values() if fits(line.demand)]
        each = max(1, most // max(1, len(lines)))
        few = [
            ts
            for line in lines
            for _, _, ts in islice(line.heap, each)
            if self._line_of.get(ts) is line
        ]
        return few, sum(line.there for line in lines)

    def first(self, fits: Callable[[Demand], bool], now: float) -> Any:
        """The task that is next, among those whose demand fits; None if there is none.

        Args:
            fits: Whether a demand is met.
            now: Seconds, of the clock that the accounts of workloads go by.
        """
        best: tuple[Any, ...] | None = None
        for line in self._lines.values():
            if not fits(line.demand):
                continue
            priority, _, ts = self._top(line)
            rank = (priority[0], self._share.position(line.workload, now), priority, ts.key, ts)
            if best is None or rank[:4] < best[:4]:
                best = rank
        return None if best is None else best[4]

    def _top(self, line: _Line) -> tuple[Any, str, Any]:
        while self._line_of.get(line.heap[0][2]) is not line:
            heapq.heappop(line.heap)
        return line.heap[0]
