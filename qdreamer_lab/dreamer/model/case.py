"""What a run would do, as plain numbers: all that is needed to price it.

A `Case` holds counts per task, sizes, and how long planning took. It does not depend on a machine's
profile, so that many profiles can price it, and one profile for many numbers of workers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from qdreamer_lab.dreamer.model.makespan import Share
from qdreamer_lab.workload.execution.pace import TASKS_PER_WORKER

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["Case", "Work", "for_sets", "timed_twice"]

_Found = TypeVar("_Found")


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """Work that can be divided into tasks.

    Attributes:
        items: How many parts it has at most.
        each: (k,) counts of one item.
        once: (k,) counts that every task pays besides.
        work_each: What an item counts where the heaviest goes first.
        work_once: What a task counts besides.
        memory_bytes: Of a task, without what it hands back for each item.
        sent_bytes: Arguments and result of a task.
        sent_each_bytes: Of the same, what there is for each item.
        width: Qubits of a fragment.
        wide: Counts of one item on more cores than a worker has; None if it makes no use of them.
    """

    items: int
    each: NDArray[np.float64]
    once: NDArray[np.float64]
    work_each: float
    work_once: float
    memory_bytes: int
    sent_bytes: int
    sent_each_bytes: float = 0.0
    width: int = 0
    wide: Callable[[int], NDArray[np.float64]] | None = None

    def on(self, cores: int | None) -> Work:
        """The same with so many cores for each task; None leaves all as it is."""
        if cores is None or self.wide is None:
            return self
        return replace(self, each=self.wide(cores))

    def sent(self, pieces: int) -> int:
        """Bytes sent if the work becomes so many tasks."""
        return int(pieces * self.sent_bytes + self.items * self.sent_each_bytes)

    def held(self, pieces: int) -> int:
        """Bytes of one of so many tasks on its worker, with results that were not fetched yet."""
        waiting = min(pieces, TASKS_PER_WORKER)  # as many as a worker gets ahead
        each = self.items * self.sent_each_bytes / pieces
        return int(self.memory_bytes + each + waiting * (self.sent_bytes + each))

    def coming(self, pieces: int, workers: int) -> int:
        """Bytes of results of so many tasks that arrive at once where they are put together."""
        return int(min(1.0, TASKS_PER_WORKER * workers / pieces) * self.sent(pieces))

    def share(self, values_ns: NDArray[np.float64], slower: float) -> Share:
        """With times."""
        each, once = (float(part @ values_ns) * 1e-9 * slower for part in (self.each, self.once))
        return Share(self.items, self.work_each, each, self.work_once, once)


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """A run that is planned but not priced.

    Attributes:
        plan: Of the greatest group of terms.
        plan_s: How long planning took here, just now.
        lower_s: How long making the plan ready took.
        rounds: What runs one after another; in each, what runs side by side.
        transfer: (k,) counts of taking results in.
        contract: (k,) counts of putting everything together.
        here_bytes: Memory of putting everything together.
        variants: State vectors or circuits.
        shots: Shots.
        standard_error: Greatest of all observables.
        notes: What the numbers rest on.
        transpiled: Gates to be transpiled for a device.
        qpu_s: Time on the device.
        counts_doubt: Standard deviation of the logarithm of what the tasks count.
        shots_doubt: The same of the number of shots, which the counts follow.
        rounds_doubt: The same of the number of rounds, which all but planning follows.
        told: Operators that tasks are told.
        sets: Of parameter values.
        repeats: How often there is what `rounds` holds, side by side.
    """

    plan: Partition | None
    plan_s: float
    lower_s: float
    rounds: tuple[tuple[Work, ...], ...]
    transfer: NDArray[np.float64]
    contract: NDArray[np.float64]
    here_bytes: int
    variants: int
    shots: int = 0
    standard_error: float = 0.0
    notes: tuple[str, ...] = ()
    transpiled: int = 0
    qpu_s: float = 0.0
    counts_doubt: float = 0.0
    shots_doubt: float = 0.0
    rounds_doubt: float = 0.0
    told: int = 0
    sets: int = 1
    repeats: int = 1


def for_sets(case: Case, sets: int, again_s: float) -> Case:
    """A run for several sets of parameter values, each of which takes what the case takes.

    Its `here_bytes` stay those of one set; a mode that holds several at once adds to them.

    Args:
        case: For one set.
        sets: How many.
        again_s: What planning takes for each set after the first.
    """
    if sets == 1:
        return case
    note = f"{sets:,} sets of parameter values, each of which is to take as long as the longest"
    return replace(
        case,
        plan_s=case.plan_s + (sets - 1) * again_s,
        lower_s=case.lower_s * sets,
        transfer=case.transfer * sets,
        contract=case.contract * sets,
        variants=case.variants * sets,
        told=case.told * sets,
        shots=case.shots * sets,
        qpu_s=case.qpu_s * sets,
        notes=(*case.notes, note),
        sets=sets,
        repeats=sets,
    )


def timed_twice(function: Callable[[], _Found]) -> tuple[_Found, float]:
    """A function's result and how long it takes once everything that it needs is loaded.

    The first time a kernel may have to be loaded, and something may come between.
    """
    times = []
    for _ in range(2):
        start = time.perf_counter()
        found = function()
        times.append(time.perf_counter() - start)
    return found, min(times)
