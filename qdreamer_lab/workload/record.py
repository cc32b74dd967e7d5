"""What a run tells of itself, as an object and as the metadata of Qiskit's results."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.estimate import Seconds

if TYPE_CHECKING:
    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.execution.decisions import Decision
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["RunRecord"]

_TOLD = ("mode", "plan", "shots", "fragments", "makespan_s", "execute_s")
"""What the metadata of a run that is over have, and those of other results do not."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class RunRecord:
    """What a run tells of itself. Qiskit's results carry it as their `metadata`.

    Attributes:
        observables: As Qiskit has them.
        parameter_values: As Qiskit has them.
        mode: "exact" or "sampled".
        method: How circuits were simulated.
        target_precision: Standard error wanted.
        plan: Where it was cut, that of the greatest group of terms.
        plans: The plans of all groups.
        seconds: Wall time by phase, of the last plan.
        makespan_s: Wall time from beginning to end.
        variants: State vectors or circuits run.
        shots: Shots taken.
        fragments: One row per finished task.
        notes: What to know about the run.
        decisions: What was decided when workers came or went.
        circuit_metadata: The circuit's own.
    """

    observables: Any = None
    parameter_values: Any = None
    mode: str = "exact"
    method: str = "statevector"
    target_precision: float | None = None
    plan: CutPlan | None = None
    plans: tuple[CutPlan, ...] = ()
    seconds: Seconds = field(default_factory=Seconds)
    makespan_s: float = 0.0
    variants: int = 0
    shots: int = 0
    fragments: tuple[FragmentRow, ...] = ()
    notes: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    circuit_metadata: dict[str, Any] | None = None

    @classmethod
    def of(cls, result: Any, *, partial: bool = False) -> RunRecord:
        """The record in the metadata of a result.

        Args:
            result: A `PubResult` of a `CutEstimator`, or anything with such `metadata`.
            partial: Whether the run may be under way still; what is missing is then zero or empty.

        Raises:
            QDreamerError: If it is no result of a `CutEstimator`.
        """
        told = getattr(result, "metadata", None)
        if not isinstance(told, dict) or not (partial or all(name in told for name in _TOLD)):
            raise QDreamerError("not a PubResult of a CutEstimator: take job.result()[k]")
        times = {part.name for part in fields(Seconds)}
        known = {part.name for part in fields(cls)} - {"seconds"}
        return cls(
            seconds=Seconds(**{name: told[name] for name in times & told.keys()}),
            **{name: told[name] for name in known & told.keys()},
        )

    def as_metadata(self) -> dict[str, Any]:
        """As a dictionary, the phases' times beside everything else."""
        made: dict[str, Any] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            made.update(value.as_metadata() if part.name == "seconds" else {part.name: value})
        return made
