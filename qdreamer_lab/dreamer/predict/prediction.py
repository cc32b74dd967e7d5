"""What a run is predicted to take, phase by phase, and how sure that is. Descriptions only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.text import html_table, price_text, seconds_text, text_table
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["Account", "Phase", "Prediction"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a run.

    Attributes:
        name: one of `coefficients.PHASES`.
        seconds: wall time that it adds to the makespan.
        bytes: memory that it holds, or, for "transfer", what is sent.
    """

    name: str
    seconds: float
    bytes: int


@dataclass(frozen=True, eq=False, slots=True)
class Account:
    """What a phase is made of, so that it can be learned from.

    Attributes:
        name: of the phase.
        counts: for each coefficient, over all workers.
        share: wall time over the time of all workers together.
        num_bytes: as in `Phase`.
        doubt: standard deviation of the logarithm of the counts themselves.
    """

    name: str
    counts: NDArray[np.float64]
    share: float = 1.0
    num_bytes: int = 0
    doubt: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What a run is predicted to take.

    Attributes:
        configuration: the way to run.
        makespan_s: wall seconds from beginning to end.
        interval: the makespan lies in it in four of five cases.
        phases: parts of the makespan, in order.
        memory_bytes: most memory that a process takes for it: a task, or putting everything
            together, or both where both are done in this process.
        shots: to be taken; 0 in exact mode.
        qpu_seconds: of a device; 0 on simulators.
        standard_error: greatest of all observables; 0 in exact mode.
        plan: where to cut, that of the greatest group of terms.
        variants: state vectors or circuits.
        tasks: how many tasks there will be.
        notes: what the prediction rests on.
        num_qubits: of the circuit.
        num_observables: values wanted.
        accounts: what the phases are made of.
        given: the plan to be run, where a run would not find the same by itself.
        cost: price of the device's time and shots; 0 on simulators, None if prices are not known.
        currency: of the cost.
        sets: of parameter values, all of which are priced together.
    """

    configuration: Configuration
    makespan_s: float
    interval: tuple[float, float]
    phases: tuple[Phase, ...]
    memory_bytes: int
    shots: int
    qpu_seconds: float
    standard_error: float
    plan: CutPlan | None
    variants: int
    tasks: int
    notes: tuple[str, ...]
    num_qubits: int
    num_observables: int
    accounts: tuple[Account, ...] = field(repr=False)
    given: CutPlan | None = field(default=None, repr=False)
    cost: float | None = 0.0
    currency: str = ""
    sets: int = 1

    def phase(self, name: str) -> Phase:
        """The phase of a name; nothing if the run has none such."""
        return next((one for one in self.phases if one.name == name), Phase(name, 0.0, 0))

    @property
    def cut(self) -> bool:
        """Whether anything is cut."""
        return self.plan is not None and self.plan.num_cuts > 0

    @property
    def title(self) -> str:
        """The configuration in words."""
        return self.configuration.describe(self.num_qubits)

    @property
    def doubt(self) -> float:
        """The factor by which the interval reaches to either side, minus one."""
        return math.sqrt(self.interval[1] / self.interval[0]) - 1

    def __repr__(self) -> str:
        low, high = self.interval
        return f"<Prediction: {self.title}: {self.makespan_s:.3g} s ({low:.3g} to {high:.3g} s)>"

    def __str__(self) -> str:
        return "\n".join([_head(self), text_table(_COLUMNS, _rows(self)), *_notes(self)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(self))
        return html_table(_head(self), _COLUMNS, _rows(self)) + notes


_COLUMNS = ("phase", "time", "share", "bytes")


def _head(one: Prediction) -> str:
    low, high = one.interval
    text = (
        f"{one.title}: {seconds_text(one.makespan_s)} ({seconds_text(low)} to "
        f"{seconds_text(high)}), {readable(one.memory_bytes)}, {one.tasks} tasks"
    )
    if one.shots:
        text += f", {one.shots:,} shots for a standard error of {one.standard_error:.2g}"
    if one.cost:
        text += f", {price_text(one.cost, one.currency)}"
    return text


def _rows(one: Prediction) -> list[tuple[str, ...]]:
    return [
        (
            phase.name,
            seconds_text(phase.seconds),
            f"{100 * phase.seconds / one.makespan_s:.0f} %",
            readable(phase.bytes) if phase.bytes else "",
        )
        for phase in one.phases
    ]


def _notes(one: Prediction) -> list[str]:
    return [f"Note: {note}." for note in one.notes]
