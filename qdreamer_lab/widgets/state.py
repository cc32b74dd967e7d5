"""What the explorer shows, as plain values. Nothing here plans or draws."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.cut.options import SearchOptions, check_width
from qdreamer_lab.workload.modes import MODE_NAMES

if TYPE_CHECKING:
    from collections.abc import Hashable

    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.widgets.crossover import Comparison
    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = [
    "AXES",
    "Candidate",
    "Controls",
    "Run",
    "View",
]

AXES = ("width", "overhead", "plans", "workers")
"""What the trade-off shows: time against width, time against overhead, overhead against width, and
time against width on CPU cores and on a GPU."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What a person asked for.

    Attributes:
        width: Greatest width of a fragment.
        kinds: Cuts that are allowed.
        cost: Cost model of the search.
        mode: "auto", "exact" or "sampled".
        precision: Standard error wanted in sampled mode.
        on: A kind of worker or a pilot's name; None for any.
        workers: To predict for; None for as many as there are.
        time_limit_s: Of the search for cuts.
        values: Of the circuit's unbound parameters, in their order.

    Raises:
        QDreamerError: Naming the control that makes no sense.
    """

    width: int
    kinds: tuple[str, ...] = ("gate", "wire")
    cost: str = "lo"
    mode: str = "auto"
    precision: float = 0.02
    on: str | None = None
    workers: int | None = None
    time_limit_s: float = 1.0
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_width(self.width)
        SearchOptions(self.kinds, self.cost, None, self.time_limit_s)
        if self.mode not in ("auto", *MODE_NAMES):
            raise QDreamerError(f'mode must be "auto", "exact" or "sampled", got {self.mode!r}')
        if not 0 < self.precision < math.inf:
            raise QDreamerError(f"precision={self.precision!r}: a number above zero")
        if self.workers is not None and self.workers < 1:
            raise QDreamerError(f"workers={self.workers!r}: at least 1")

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes to look at."""
        return MODE_NAMES if self.mode == "auto" else (self.mode,)

    @property
    def family(self) -> Hashable:
        """Equal for controls that differ in nothing but the width."""
        return replace(self, width=1)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to run the circuit.

    Attributes:
        configuration: The way.
        plan: Where it cuts; None if that is not known, because it cannot be planned.
        prediction: What it will take; None if it cannot run.
        refused: Why it cannot run.
        given: The plan is for what the person set; else it is Q-Dreamer's own idea.
        options: How the plan was looked for.
        repeatable: Looking for it in that way again finds it: no time limit cut the search short.
        values: Of the circuit's unbound parameters.
        precision: Standard error wanted in sampled mode.
        blocks: Of the circuit with its observables; the plan may be for fewer, without those that
            a run can do without. 0 if that is not known.
        era: Predictions of a later one rest on runs that an earlier one knows nothing of.
        groups: Where terms run apart, the plan of each group, the greatest first; else nothing.
    """

    configuration: Configuration
    plan: CutPlan | None
    prediction: Prediction | None = None
    refused: str = ""
    given: bool = True
    options: SearchOptions = field(default_factory=SearchOptions)
    repeatable: bool = True
    values: tuple[float, ...] = ()
    precision: float = 0.0
    blocks: int = 0
    groups: tuple[CutPlan, ...] = ()
    era: int = 0

    @cached_property
    def key(self) -> Hashable:
        """Equal for candidates of which the later one is a better answer to the same question."""
        return (self.configuration, self.given)

    @cached_property
    def sameness(self) -> Hashable:
        """Equal for candidates that run the same plan in the same way, to the same values."""
        way, plan = self.configuration, self.plan
        precision = 0.0 if way.exact else self.precision
        labels: Hashable = None
        if plan is not None:
            joint = "" if plan.cost in ("lo", "work") else plan.cost  # how cuts share a price
            labels = (plan.labels.tobytes(), plan.blocks.pairs.tobytes(), joint)
        run = (way.mode, way.on, way.workers, way.method, way.in_process)
        return (run, labels, self.values, precision)

    @property
    def handed(self) -> bool:
        """Whether the run is given the plan, by the person or because it would find another."""
        return self.given if self.prediction is None else self.prediction.given is not None

    @property
    def partial(self) -> bool:
        """Whether the plan is for some of the circuit's blocks only."""
        return self.plan is not None and self.plan.blocks.num_blocks < self.blocks

    @property
    def price(self) -> Hashable:
        """Equal for candidates of one mode, on one kind of worker, that cost the same."""
        way = self.configuration
        bits = None if self.plan is None else round(self.plan.log2_overhead, 2)
        return (way.mode, way.method, way.on, bits)

    @property
    def seconds(self) -> float:
        """Predicted makespan; infinite if it cannot run."""
        return math.inf if self.prediction is None else self.prediction.makespan_s

    @property
    def width(self) -> int:
        """Of the widest fragment."""
        fragments = () if self.plan is None else self.plan.fragments
        return max(
            (fragment.width for fragment in fragments), default=self.configuration.max_qubits
        )


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """A run, where it stands.

    Attributes:
        status: "idle", "running", "stopping", "done", "stopped" or "failed".
        candidate: What runs or ran.
        rows: Finished tasks.
        text: Where it stands, in words.
        result: The `PubResult`, when it is done.
        exact: Exact values to compare with, where they were cheap.
    """

    status: str = "idle"
    candidate: Candidate | None = None
    rows: tuple[FragmentRow, ...] = ()
    text: str = ""
    result: Any = None
    exact: Any = None

    @property
    def active(self) -> bool:
        """Whether something runs."""
        return self.status in ("running", "stopping")


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """All that is shown.

    Attributes:
        controls: What was asked for.
        candidates: Ways to run, by width.
        selected: The one that all views show.
        recommended: The one that is expected to be over first.
        fixed: Key of a candidate that was clicked; None while the selection follows the controls.
        pinned: Kept for comparison.
        run: The last run.
        working: Better answers may come.
        note: What to know, in a line.
        against: One of `AXES`.
        graph: Show who is coupled to whom, not the circuit.
        code: Show the Python that does the same.
        dark: On a dark ground.
        compared: Times on CPU cores and on a GPU; None as long as they are not known.
        comparing: These, or newer ones, may come.
        fresh: Nobody has seen or touched anything; what is recommended is then selected when it
            is known.
        group: Which of the selected candidate's groups of terms is drawn.
        asked: What is run only if that is asked for again.
        question: Why, in words.
    """

    controls: Controls
    candidates: tuple[Candidate, ...] = ()
    selected: Candidate | None = None
    recommended: Candidate | None = None
    fixed: Hashable | None = None
    pinned: tuple[Candidate, ...] = ()
    run: Run = field(default_factory=Run)
    working: bool = False
    note: str = ""
    against: str = "width"
    graph: bool = False
    code: bool = False
    dark: bool = False
    compared: Comparison | None = None
    comparing: bool = False
    fresh: bool = True
    group: int = 0
    asked: Candidate | None = None
    question: str = ""

    @property
    def drawn(self) -> CutPlan | None:
        """The plan that is drawn: that of the selected candidate, or of one of its groups."""
        if self.selected is None:
            return None
        groups = self.selected.groups
        return groups[min(self.group, len(groups) - 1)] if groups else self.selected.plan

    @property
    def axes(self) -> str:
        """What the trade-off shows: as chosen, or plans as long as nothing can run."""
        if all(candidate.prediction is None for candidate in self.candidates):
            return "plans"
        return self.against

    @property
    def shown(self) -> tuple[Candidate, ...]:
        """The candidates that the trade-off has a place for, in order."""
        if self.axes == "plans":
            return tuple(candidate for candidate in self.candidates if candidate.plan is not None)
        return tuple(candidate for candidate in self.candidates if candidate.prediction is not None)

    @property
    def uncut(self) -> Candidate | None:
        """The run that cuts nothing; the fastest, or else one that cannot run."""
        whole = [
            candidate
            for candidate in self.candidates
            if candidate.plan is not None and not candidate.plan.num_cuts
        ]
        return min(whole, key=lambda candidate: candidate.seconds, default=None)
