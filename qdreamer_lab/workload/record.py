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
        observables: as Qiskit has them.
        parameter_values: as Qiskit has them.
        mode: "exact" or "sampled".
        method: how circuits were simulated.
        target_precision: standard error wanted.
        plan: where it was cut, that of the greatest group of terms.
        plans: the plans of all groups.
        seconds: wall time by phase, of the last plan.
        makespan_s: wall time from beginning to end.
        variants: state vectors or circuits run.
        shots: shots taken.
        fragments: one row per finished task.
        notes: what to know about the run.
        decisions: what was decided when workers came or went.
        circuit_metadata: the circuit's own.
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
            result: a `PubResult` of a `CutEstimator`, or anything with such `metadata`.
            partial: whether the run may be under way still; what is missing is then zero or empty.

        Raises:
            QDreamerError: if it is no result of a `CutEstimator`.
        """
        told = getattr(result, "metadata", None)
        if not isinstance(told, dict) or not (partial or all(name in told for name in _TOLD)):
            raise QDreamerError("not a PubResult of a CutEstimator: take job.result()[k]")
        times = {one.name for one in fields(Seconds)}
        known = {one.name for one in fields(cls)} - {"seconds"}
        return cls(
            seconds=Seconds(**{name: told[name] for name in times & told.keys()}),
            **{name: told[name] for name in known & told.keys()},
        )

    def as_metadata(self) -> dict[str, Any]:
        """As a dictionary, the phases' times beside everything else."""
        made: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            made.update(value.as_metadata() if one.name == "seconds" else {one.name: value})
        return made
