"""How a running estimation is getting on, for whoever is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.execution.decisions import Decision

__all__ = ["FragmentProgress", "Progress", "ProgressLine", "Report"]

_MOST_FRAGMENTS = 6
"""A line of text names this many fragments at most."""


@dataclass(frozen=True, slots=True)
class FragmentProgress:
    """How far one fragment is, over all bindings.

    Attributes:
        fragment: Id in the plan.
        done: What is done: in sampled mode variants of this round; in exact mode simulations.
        total: What there is to do.
    """

    fragment: int
    done: int
    total: int


@dataclass(frozen=True, eq=False, slots=True)
class Report:
    """Where an estimation stands.

    Attributes:
        fragments: One per fragment.
        row: The task that was just finished, or None between rounds.
        shots: Shots taken so far.
        shots_total: Shots that will have been taken at the end of this round.
        evs: (values,) current estimate; None before the first round is over.
        stds: (values,) standard errors of `evs`.
        over: Nothing more will come.
        decisions: What was decided so far because workers came or went.
    """

    fragments: tuple[FragmentProgress, ...]
    row: FragmentRow | None = None
    shots: int = 0
    shots_total: int = 0
    evs: NDArray[np.float64] | None = None
    stds: NDArray[np.float64] | None = None
    over: bool = False
    decisions: tuple[Decision, ...] = ()

    @property
    def done(self) -> int:
        """What is done of all fragments."""
        return sum(f.done for f in self.fragments)

    @property
    def total(self) -> int:
        """What there is to do."""
        return sum(f.total for f in self.fragments)

    def __str__(self) -> str:
        named = self.fragments[:_MOST_FRAGMENTS]
        parts = [f"fragment {f.fragment} {f.done}/{f.total}" for f in named]
        if len(self.fragments) > len(named):
            parts = [f"{len(self.fragments)} fragments {self.done}/{self.total}"]
        if self.shots_total:
            parts.append(f"{self.shots:,}/{self.shots_total:,} shots")
        if self.evs is not None and self.stds is not None and len(self.evs):
            parts.append(f"⟨0⟩ = {self.evs[0]:+.4f} ± {self.stds[0]:.4f}")
        return ", ".join(parts)


Progress = Callable[[Report], object]
"""Told whenever a task is done and whenever a round is over, from the thread of the job."""


class ProgressLine:
    """Reports as one line of text that is redrawn on a terminal or in a notebook.

    Elsewhere only the end is printed. A decision gets a line of its own, which stays.
    """

    def __init__(self) -> None:
        self._width = 0
        self._decisions: tuple[Decision, ...] = ()

    def __call__(self, report: Report) -> None:
        """Show where things stand."""
        # Jupyter's streams are no terminals, and heed carriage returns all the same; what comes
        # on stderr looks like an error there.
        notebook = type(sys.stdout).__module__.startswith("ipykernel")
        stream = sys.stdout if notebook else sys.stderr
        end = "\n" if report.over else ""
        live = notebook or stream.isatty()
        new = [decision for decision in report.decisions if decision not in self._decisions]
        self._decisions = report.decisions
        for decision in new:
            print(f"\r{decision!s:<{self._width}}" if live else decision, file=stream)
        if live:
            print(f"\r{report!s:<{self._width}}", end=end, file=stream, flush=True)
            self._width = max(self._width, len(str(report)))
        elif report.over:
            print(report, file=stream)
