"""Tasks that take the cores of several workers: which workers lend them, and when they can.

Workers with the same offers on one node, in one pilot, are *mates*: the pilot holds the cores of
all of them. A task that wants more cores than one worker has runs on one of them, with the cores
and the memory of as many as it spans, while so many of its mates do nothing. So one pilot is many
narrow workers or few wide ones, by what waits. Nobody is told to lend anything: how much of the
mates' cores is in use follows from what they run.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pilot_kernel.resource.agent.waiting_room import Demand

__all__ = ["JointCores", "in_use", "span_of"]

_LENDS = "CPU"
"""Offered by those that can be mates: a GPU or a place at a QPU is not lent."""


def span_of(demand: Demand, offers: Mapping[str, float]) -> int | None:
    """How many workers with such offers a task takes; None if no number of them would do.

    Args:
        demand: What the task asks for.
        offers: What each of the workers offers.
    """
    cores, memory = offers.get("cores", 1), offers.get("memory", 0)
    span = max(1, math.ceil(demand.cores / cores))
    if span > 1 and not offers.get(_LENDS):
        return None
    return None if demand.memory_bytes > span * memory > 0 else span


class JointCores:
    """Knows the mates of every worker.

    Attributes:
        nodes: What stands for the node of each worker that may have mates, by the worker's name.
        wide: Keys of the tasks that were given to a worker and span several.
    """

    def __init__(self) -> None:
        self.nodes: Callable[[], Mapping[Any, str]] = dict
        self.wide: set[str] = set()
        self._groups: dict[Any, list[Any]] = {}
        self._place: dict[Any, Any] = {}

    def arrange(self, workers: Iterable[Any]) -> None:
        """Take note of the workers that there are, without those that are leaving."""
        self._groups, self._place = {}, {}
        nodes = self.nodes()
        for ws in workers:
            node = nodes.get(ws.name)
            group = ws if node is None else (node, frozenset(ws.resources.items()))
            self._groups.setdefault(group, []).append(ws)
            self._place[ws] = group

    def mates(self, ws: Any) -> list[Any]:
        """The worker, with those that share a node's cores with it."""
        return self._groups.get(self._place.get(ws), [ws])

    def could_hold(self, demand: Demand, ws: Any) -> bool:
        """Whether a task fits on a worker when that and its mates have nothing else to do."""
        span = span_of(demand, ws.resources)
        return span is not None and (span == 1 or span <= len(self.mates(ws)))

    def fits(self, demand: Demand, ws: Any) -> bool:
        """Whether a task can be begun on a worker now, as far as cores are concerned."""
        span = span_of(demand, ws.resources)
        if span is None or (span > 1 and ws.processing):
            return False
        if span == 1 and (ws.processing or not self.wide):
            return True  # it has a core of its own, or waits behind what has one
        mates = self.mates(ws)
        return span + sum(map(in_use, mates)) <= len(mates)

    def took(self, key: str, demand: Demand, ws: Any) -> None:
        """A worker was given a task."""
        if demand.cores > 1 and span_of(demand, ws.resources) != 1:
            self.wide.add(key)

    def kept_free(
        self, demands: Iterable[tuple[Demand, int]], meets: Callable[[Demand, Any], bool]
    ) -> Callable[[Demand, Any], bool]:
        """Where tasks that want several cores may wait for workers, which then take nothing else.

        Of all groups of mates, these are the ones that lack least: as many as there are tasks, so
        that the others work on.

        Args:
            demands: What is asked for, and by how many.
            meets: Whether a worker may be given tasks with such a demand.

        Returns:
            Whether a worker may be kept free for a demand.
        """
        counts: Counter[Demand] = Counter()
        for demand, count in demands:
            if demand.cores > 1:
                counts[demand] += count
        kept = {demand: self._nearest(demand, meets, counts[demand]) for demand in counts}

        def may(demand: Demand, ws: Any) -> bool:
            return demand not in kept or self._place.get(ws) in kept[demand]

        return may

    def _nearest(
        self, demand: Demand, meets: Callable[[Demand, Any], bool], count: int
    ) -> set[Any]:
        """The groups in which the fewest workers must end what they do before a task can begin."""
        lacking: dict[Any, tuple[int, int]] = {}
        for group, mates in self._groups.items():
            if any(meets(demand, ws) for ws in mates):
                span = span_of(demand, mates[0].resources) or 1
                lack = span + sum(map(in_use, mates)) - len(mates)
                lacking[group] = max(0, lack), span
        return set(sorted(lacking, key=lacking.__getitem__)[:count])  # the first among equals


def in_use(ws: Any) -> int:
    """How many workers' cores a worker uses: it runs one task at a time."""
    spans = (span_of(Demand.of(ts), ws.resources) or 1 for ts in ws.processing)
    return max(spans, default=0)
