"""What a mode answers a request with. Descriptions only: nothing runs here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.execution.chunk import FragmentRow

__all__ = ["Estimate", "Seconds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Wall time of a run by phase.

    Attributes:
        plan_s: Finding out what to run.
        transpile_s: Writing circuits for a device; None where that is no phase of its own.
        execute_s: Running tasks.
        contract_s: Putting their results together.
        dropped_s: Under plans that were given up; None if there were none.
    """

    plan_s: float = 0.0
    transpile_s: float | None = None
    execute_s: float = 0.0
    contract_s: float = 0.0
    dropped_s: float | None = None

    def as_metadata(self) -> dict[str, float]:
        """The phases that there are, by name."""
        named = {phase.name: getattr(self, phase.name) for phase in fields(self)}
        return {name: seconds for name, seconds in named.items() if seconds is not None}


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Estimate:
    """Expectation values with their error, and how a mode came to them.

    Attributes:
        evs: (values,) float64, in the order of `Request.pairs`.
        stds: (values,) float64 standard errors; zero where a value is exact.
        rows: One per finished task, in the order in which they finished.
        plans: How circuits were split, the one of the greatest part first.
        variants: State vectors or circuits run.
        shots: Shots taken.
        seconds: Wall time by phase.
        notes: What the user should be told, such as that a simulator stepped in for a device.
    """

    evs: NDArray[np.float64]
    stds: NDArray[np.float64]
    rows: tuple[FragmentRow, ...]
    plans: tuple[Partition, ...]
    variants: int
    shots: int
    seconds: Seconds
    notes: tuple[str, ...] = ()
