"""Whether the next task is to have the cores of several workers: arithmetic on plain numbers.

Many small tasks are best run side by side, each on a core of its own. Of few large ones each takes
as many cores as are left when all have theirs: else cores would do nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qdreamer_lab.workload.execution.chunk import Chunk

__all__ = ["Node", "cores_each", "cores_for", "nodes_of"]

WIDE_FROM = 18
"""Qubits of a fragment from which on its states, 4 MB, leave a core's cache; smaller ones are done
before other threads have begun."""

WIDE_FROM_S = 0.1
"""Seconds on one core below which a task does not wait for several to be free."""


@dataclass(frozen=True, slots=True)
class Node:
    """Workers that can lend each other their cores.

    Attributes:
        workers: How many there are.
        cores: Of each.
    """

    workers: int
    cores: int

    def tasks(self, cores: int) -> int:
        """How many tasks with so many cores each run there at once."""
        return self.workers // math.ceil(cores / self.cores)


def nodes_of(pilots: Iterable[Any]) -> tuple[Node, ...]:
    """The nodes of some pilots, as far as their statuses tell.

    Args:
        pilots: Each says how many workers are up (`workers`), how many cores each has
            (`cores_per_worker`), and how many there are on a node together (`most_cores`).
    """
    nodes: list[Node] = []
    for pilot in pilots:
        cores = max(1, getattr(pilot, "cores_per_worker", 1))
        most = max(1, getattr(pilot, "most_cores", 0) // cores)
        whole, rest = divmod(pilot.workers, most)
        nodes += [Node(most, cores)] * whole + [Node(rest, cores)] * bool(rest)
    return tuple(nodes)


def cores_each(nodes: Sequence[Node], tasks: int) -> int:
    """The most cores that each of so many tasks can have if all are to run at once; at least 1."""
    choices = {k * node.cores for node in nodes for k in range(1, node.workers + 1)}
    enough = (c for c in choices if sum(node.tasks(c) for node in nodes) >= tasks)
    return max(enough, default=1)


def cores_for(
    chunk: Chunk, nodes: Sequence[Node], tasks: int, seconds_per_work: float
) -> int | None:
    """How many cores to ask for; None for those of one worker, whichever it is.

    Args:
        chunk: The task.
        nodes: Where it may run.
        tasks: How many tasks there are that are not done, this one included.
        seconds_per_work: How long a unit of its work takes on one core, as far as is known.
    """
    small = chunk.width < WIDE_FROM or chunk.work * seconds_per_work < WIDE_FROM_S
    if small or not chunk.threads or not nodes:
        return None
    cores = cores_each(nodes, tasks)
    return cores if cores > min(node.cores for node in nodes) else None
