"""What a run is predicted to take, phase by phase, and how sure that is. Descriptions only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.model.belief import Z80
from qdreamer_lab.dreamer.report_text import html_table, price_text, seconds_text, text_table
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["FIRST_RUN", "FIRST_SPREAD", "Account", "Phase", "Prediction"]

FIRST_RUN = "the first run"
"""How the note begins that is true until something has run there."""

_MATTERS = 0.2
"""From this share of the makespan on it matters what a first run takes longer."""

FIRST_SPREAD = 0.6
"""Deviation of its logarithm: workers that came up a moment ago are still loading code."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a run.

    Attributes:
        name: One of `coefficients.PHASES`.
        seconds: Wall time that it adds to the makespan.
        bytes: Memory that it holds, or, for "transfer", what is sent.
    """

    name: str
    seconds: float
    bytes: int


@dataclass(frozen=True, eq=False, slots=True)
class Account:
    """What a phase is made of, so that it can be learned from.

    Attributes:
        name: Of the phase.
        counts: For each coefficient, over all workers.
        share: Wall time over the time of all workers together.
        num_bytes: As in `Phase`.
        doubt: Standard deviation of the logarithm of the counts themselves.
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
        configuration: The way to run.
        makespan_s: Wall seconds from beginning to end, where code is loaded; see `now_s`.
        interval: The makespan lies in it in four of five cases.
        phases: Parts of the makespan, in order.
        memory_bytes: Most memory that a process takes for it: a task, or putting everything
            together, or both where both are done in this process.
        shots: To be taken; 0 in exact mode.
        qpu_seconds: Of a device; 0 on simulators.
        standard_error: Greatest of all observables; 0 in exact mode.
        plan: Where to cut, that of the greatest group of terms.
        variants: State vectors or circuits.
        tasks: How many tasks there will be.
        notes: What the prediction rests on.
        num_qubits: Of the circuit.
        num_observables: Values wanted.
        accounts: What the phases are made of.
        given: The plan to be run, where a run would not find the same by itself.
        cost: Price of the device's time and shots; 0 on simulators, None if prices are not known.
        currency: Of the cost.
        sets: Of parameter values, all of which are priced together.
        cores: That a task uses at most.
        lent: Whether that is more than its worker has: others lend theirs.
        rounds: Of shots, that follow one another.
        first_run_s: What the run takes longer since it is the first one there, and code has to be
            loaded; else 0. Ways are compared without it.
        success: Probability that nothing goes wrong on the device that reaches a value, in one shot
            of each fragment; the mean over all values, 1 on simulators, None if nobody wanted to
            know.
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
    cores: int = 1
    lent: bool = False
    rounds: int = 1
    success: float | None = None
    first_run_s: float = 0.0

    def phase(self, name: str) -> Phase:
        """The phase of a name; nothing if the run has none such."""
        return next((each for each in self.phases if each.name == name), Phase(name, 0.0, 0))

    @property
    def cut(self) -> bool:
        """Whether anything is cut."""
        return self.plan is not None and self.plan.num_cuts > 0

    @property
    def title(self) -> str:
        """The configuration in words."""
        return self.configuration.describe(self.num_qubits)

    @property
    def now_s(self) -> float:
        """Wall seconds of the next run there: the makespan, with what a first run takes longer."""
        return self.makespan_s + self.first_run_s

    @property
    def now_interval(self) -> tuple[float, float]:
        """The next run takes as long in four of five cases."""
        if not self.first_run_s:
            return self.interval
        run = self.makespan_s * math.log(self.interval[1] / self.makespan_s)
        spread = math.hypot(run, Z80 * FIRST_SPREAD * self.first_run_s) / self.now_s
        return self.now_s * math.exp(-spread), self.now_s * math.exp(spread)

    @property
    def first_run_matters(self) -> bool:
        """Whether loading code is a good part of the next run."""
        return 0 < self.first_run_s >= _MATTERS * self.makespan_s

    @property
    def error(self) -> float | None:
        """About how far off values of size 1 are: by shots, and by what goes wrong on a device."""
        if self.success is None:
            return None
        return math.hypot(self.standard_error, 1 - self.success)

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


def _head(prediction: Prediction) -> str:
    low, high = prediction.interval
    text = (
        f"{prediction.title}: {seconds_text(prediction.makespan_s)} ({seconds_text(low)} to "
        f"{seconds_text(high)}), {readable(prediction.memory_bytes)}, {prediction.tasks} tasks"
    )
    if prediction.shots:
        text += (
            f", {prediction.shots:,} shots for a standard error of {prediction.standard_error:.2g}"
        )
    if prediction.cost:
        text += f", {price_text(prediction.cost, prediction.currency)}"
    return text


def _rows(prediction: Prediction) -> list[tuple[str, ...]]:
    return [
        (
            phase.name,
            seconds_text(phase.seconds),
            f"{100 * phase.seconds / prediction.makespan_s:.0f} %",
            readable(phase.bytes) if phase.bytes else "",
        )
        for phase in prediction.phases
    ]


def _notes(prediction: Prediction) -> list[str]:
    return [f"Note: {note}." for note in prediction.notes]
