"""How many cores tasks will have where workers lend each other theirs, as dispatch decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.pace import TASKS_PER_WORKER
from qdreamer_lab.workload.execution.wide_tasks import cores_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.dreamer.model.case import Work
    from qdreamer_lab.workload.execution.wide_tasks import Node

__all__ = ["task_cores", "wide_slots"]


def task_cores(
    works: Sequence[Work],
    nodes: Sequence[Node],
    workers: int,
    seconds_per_work: float,
    *,
    held: bool,
) -> list[int | None]:
    """Cores of the tasks of each work; None for those of one worker.

    Args:
        works: What runs side by side.
        nodes: Where.
        workers: How many share it.
        seconds_per_work: What a unit of work takes on one core, as far as dispatch knows.
        held: The run is held to fewer workers than there are.
    """
    depth = workers if held else TASKS_PER_WORKER * workers
    tasks = min(depth, sum(work.items for work in works))
    return [
        None if work.wide is None else cores_for(_chunk(work), nodes, tasks, seconds_per_work)
        for work in works
    ]


def wide_slots(nodes: Sequence[Node], cores: Sequence[int | None], workers: int) -> int:
    """How many tasks run at once, if some have so many cores."""
    most = max((each for each in cores if each is not None), default=None)
    if most is None:
        return workers
    return max(1, min(workers, sum(node.tasks(most) for node in nodes)))


def _chunk(work: Work) -> Chunk:
    """A task as far as that decision goes."""
    return Chunk(
        binding=0,
        fragment=0,
        width=work.width,
        variants=1,
        work=work.work_each,
        function=_chunk,
        args=(),
        threads=True,
    )
