"""Running a request under a plan, and under another one if the first is given up on the way.

What was found until then is not thrown away if it stands by itself. In exact mode that are the
values of bindings that are done. In sampled mode it is the estimate of the rounds that are done: it
is unbiased and independent of what the new plan gives, so both are averaged, with weights that are
fixed before the new plan runs. That lets the new plan aim at less precision.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.execution.decisions import PlanDropped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.workload.estimate import Estimate
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.mode import Mode, Runner
    from qdreamer_lab.workload.request import Request, RunSettings

__all__ = ["Known", "estimated", "rest_of"]

_MOST_WEIGHT = 0.5
"""Greatest weight of an estimate that was given up: its error bar may rest on few shots."""


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """What is known of the values from plans that were given up.

    Attributes:
        evs: (values,) float64; NaN where nothing is known.
        stds: (values,) float64 standard errors.
        complete: (values,) bool; which of them are final.
    """

    evs: NDArray[np.float64]
    stds: NDArray[np.float64]
    complete: NDArray[np.bool_]

    @classmethod
    def nothing(cls, count: int) -> Known:
        """Of so many values."""
        return cls(np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, np.bool_))

    @property
    def estimate(self) -> bool:
        """Whether there is an estimate of all values that are not final."""
        return bool(np.isfinite(self.stds[~self.complete]).all() and not self.complete.all())

    def precision(self, wanted: float) -> float:
        """Standard error that a new estimate needs, for both together to have the one wanted."""
        if not self.estimate or not wanted > 0:
            return wanted
        worst = float(self.stds[~self.complete].max())
        most = wanted / math.sqrt(_MOST_WEIGHT)
        if worst <= wanted:
            return most
        return min(most, 1 / math.sqrt(wanted**-2 - worst**-2))

    def with_new(
        self,
        evs: NDArray[np.float64],
        stds: NDArray[np.float64],
        final: NDArray[np.bool_],
        aim: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All values and standard errors, when new ones have come of those that are open.

        Args:
            evs: (open,) new values; NaN where there are none.
            stds: (open,) their standard errors.
            final: (open,) bool; which of them are exact, so that no estimate can add to them.
            aim: Standard error that was aimed at, which fixes the weights.
        """
        found, errors = self.evs.copy(), self.stds.copy()
        still = ~self.complete
        weight = np.full(len(evs), 1.0)
        if self.estimate:
            variance = self.stds[still] ** 2
            share = np.maximum(variance / (variance + aim**2), 1 - _MOST_WEIGHT)
            weight = np.where(final, 1.0, share if np.isfinite(evs[~final]).all() else 0.0)
        new, old = weight > 0, weight < 1
        found[still] = np.where(new, weight * evs, 0.0)
        errors[still] = np.where(new, weight * stds, 0.0)
        found[still] += np.where(old, (1 - weight) * self.evs[still], 0.0)
        errors[still] = np.hypot(errors[still], np.where(old, (1 - weight) * self.stds[still], 0.0))
        return found, errors

    def after(self, dropped: PlanDropped, aim: float) -> Known:
        """What is known when another plan was given up."""
        if dropped.evs is None or dropped.stds is None or dropped.complete is None:
            return self
        evs, stds = self.with_new(dropped.evs, dropped.stds, dropped.complete, aim)
        complete = self.complete.copy()
        complete[~self.complete] = dropped.complete
        return Known(evs, stds, complete)


def rest_of(request: Request, known: Known) -> Request:
    """What is still to be found out: the bindings that have values which are not final."""
    pairs = request.pairs[~known.complete]
    bindings, places = np.unique(pairs[:, 0], return_inverse=True)
    return replace(
        request,
        values=tuple(request.values[k] for k in bindings.tolist()),
        circuits=tuple(request.circuits[k] for k in bindings.tolist()),
        pairs=np.stack([places.reshape(-1), pairs[:, 1]], axis=1),
        precision=known.precision(request.precision),
        first_gates=request.first_gates if 0 in bindings[:1] else None,
    )


def estimated(
    request: Request,
    settings: RunSettings,
    execution: Execution,
    mode: Mode,
    runner: Runner,
    mode_of: Callable[[str], Mode],
) -> tuple[Mode, Estimate]:
    """Run a request to its end, under as many plans as that takes.

    Args:
        request: The values wanted.
        settings: What to compute.
        execution: Where and how.
        mode: The way to run.
        runner: Runs in this mode; it may know plans of earlier requests. Another plan gets a new
            one, so that what is kept is for the way that was asked for.
        mode_of: The mode that a decision names.

    Returns:
        The mode that led to the end, and the estimate. Its rows, shots and times are those of the
        last plan; `seconds` has `dropped_s`, wall time under the plans before, if there were any.
    """
    start = time.perf_counter()
    known = Known.nothing(len(request.pairs))
    entropy, attempt, todo = settings.entropy, 0, request
    while True:
        began = time.perf_counter()
        execution.watch.begin(mode.name, len(todo.circuits))
        try:
            found = runner.run(todo, settings, execution)
        except PlanDropped as dropped:
            known = known.after(dropped, todo.precision)
            course = dropped.decision.course
            assert course is not None
            attempt, todo = attempt + 1, rest_of(request, known)
            mode = mode_of(course.mode)
            runner = mode.runner()
            # The shots of another plan are others, also with the same seed.
            settings = replace(
                settings, max_qubits=course.max_qubits, plan=None, entropy=(*entropy, attempt)
            )
            execution = execution.at(course.on)
            continue
        if attempt == 0:
            return mode, found
        final = np.full(len(todo.pairs), mode.exact)
        evs, stds = known.with_new(found.evs, found.stds, final, todo.precision)
        notes = found.notes
        if known.estimate and mode.takes_shots:
            notes += ("shots of a plan that was given up count, with a weight of their own",)
        seconds = replace(found.seconds, dropped_s=began - start)
        return mode, replace(found, evs=evs, stds=stds, notes=notes, seconds=seconds)
