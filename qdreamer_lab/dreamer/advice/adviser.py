"""Whether a run should be planned anew when its workers have changed: weighed and put in words.

What is left under the present plan (`remaining_work.py`) is held against the best recommendation
for the workers that are there now. Its execution is stretched by as much as this run was slower
than predicted, so that both sides are measured with one yardstick.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.dreamer.advice.limits import Limits
from qdreamer_lab.dreamer.advice.ranked_ways import ranked_ways
from qdreamer_lab.dreamer.advice.remaining_work import GAIN_S, PAYS, pays, rest
from qdreamer_lab.dreamer.prediction_request import request_of
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.decisions import Course, Decision
from qdreamer_lab.workload.modes import METHODS, mode_of

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.advice.pricer import Pricer
    from qdreamer_lab.dreamer.advice.remaining_work import Rest
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.decisions import Standing, Workers
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["PlanAdviser"]

_CLEAR = 0.1
"""A way that takes this part of the rest or less is taken without looking for better ones."""

_MOST_PILOTS = 2
"""Pilots that are weighed each by itself, since they have more memory than others."""


class PlanAdviser:
    """Advises a run that was begun as Q-Dreamer recommended.

    Args:
        pricer: Predicts.
        circuit: Bound; of several bindings, any.
        observables: As they were given.
        prediction: Of the way that the run takes.
        precision: Standard error wanted.
        limits: What a run may take.

    Attributes:
        prediction: Of the way that the run takes now.
    """

    def __init__(
        self,
        pricer: Pricer,
        circuit: QuantumCircuit,
        observables: Any,
        prediction: Prediction,
        *,
        precision: float = 1 / 64,
        limits: Limits | None = None,
    ) -> None:
        self.prediction = prediction
        self._pricer = pricer
        self._circuit = circuit
        self._observables = observables
        self._precision = precision
        self._limits = Limits() if limits is None else limits

    def changed(self, standing: Standing) -> Decision:
        """`Adviser.changed`."""
        contention = self._pricer.place(standing.on).contention
        start = time.perf_counter()
        left = rest(standing, self.prediction, contention)
        text = f"{standing.change}: "
        if self.prediction.qpu_seconds:
            text += "a run on a device keeps its plan, for its shots were paid for"
            return _decision(standing, text)
        if standing.stranded:
            return self._rescued(standing, replace(left, seconds=0.0), text)
        if left.seconds <= GAIN_S:
            text += f"about {seconds_text(left.seconds)} is left, the plan stays"
            return _decision(standing, text, left.seconds)
        found = self._candidates(standing, left)
        # The tasks under way have gone on meanwhile.
        continue_s = max(0.0, left.seconds - (time.perf_counter() - start))
        text += f"continuing takes about {seconds_text(continue_s)}, "
        if found is None:
            return _decision(standing, text + "nothing else can run: the plan stays", continue_s)
        anew_s, best = found
        text += f"{_named(best)} anew {seconds_text(anew_s)}: "
        if pays(continue_s, anew_s, standing.switches):
            course = self._taken(best)
            return _decision(standing, f"{text}planned anew", continue_s, anew_s, course)
        why = f"the plan stays, for a new one must gain {100 * (1 - PAYS):.0f} % and {GAIN_S:g} s"
        if pays(continue_s, anew_s, 0):
            why = f"the plan stays, for it was changed {standing.switches} times already"
        return _decision(standing, text + why, continue_s, anew_s)

    def _rescued(self, standing: Standing, left: Rest, text: str) -> Decision:
        """The best plan for another place, when nobody is left to go on with the present one."""
        place = self.prediction.configuration.on
        found = self._candidates(standing, left)
        if found is None:
            return _decision(standing, f"{text}without {place} nothing can run")
        anew_s, best = found
        text += f"{place} is gone, {_named(best)} takes {seconds_text(anew_s)}: planned anew"
        return _decision(standing, text, None, anew_s, self._taken(best))

    def _taken(self, best: Prediction) -> Course:
        """The way to go on from now."""
        self.prediction = best
        way = best.configuration
        return Course(way.max_qubits, way.mode, way.on)

    def _candidates(self, standing: Standing, left: Rest) -> tuple[float, Prediction] | None:
        """The best other way to run, and what it takes; None if there is none."""
        pricer = self._pricer.elsewhere(_Present(self._pricer.session), standing.on)
        found: list[tuple[float, Prediction]] = []
        for on in _places(standing):
            try:
                ranked = ranked_ways(
                    pricer,
                    request_of(self._circuit, self._observables, self._precision),
                    limits=self._limits,
                    on=on,
                    methods=METHODS[:1],  # a `Course` knows no others
                    in_process=False,
                    exact_first=False,  # the fastest is looked for
                    gpus=False,
                )
            except QDreamerError:  # nothing keeps within the limits there
                continue
            ways = [
                prediction
                for prediction in ranked.predictions
                if self._eligible(prediction, standing)
            ]
            found += [(_anew_s(prediction, standing, left), prediction) for prediction in ways]
            if any(seconds <= _CLEAR * left.seconds for seconds, _ in found):
                break
        return min(found, key=lambda pair: pair[0], default=None)

    def _eligible(self, prediction: Prediction, standing: Standing) -> bool:
        """Whether the run can be continued like that, and not in the same way as now."""
        way = prediction.configuration
        if mode_of(standing.mode).exact and not way.exact:
            return False
        if standing.stranded:
            return True
        return way.on != standing.on or way.mode != standing.mode or not self._same_plan(prediction)

    def _same_plan(self, other: Prediction) -> bool:
        mine, theirs = self.prediction.plan, other.plan
        if mine is None or theirs is None:
            return mine is theirs
        return np.array_equal(mine.blocks.pairs, theirs.blocks.pairs) and np.array_equal(
            mine.labels, theirs.labels
        )


class _Present:
    """A session as it stands: pilots whose workers are up, and no more of them than that."""

    def __init__(self, session: SessionLike | None) -> None:
        assert session is not None
        self._session = session

    def candidates(self, on: str | None = None) -> list[Any]:
        """The pilots that could run a task."""
        return [
            replace(pilot, wanted=pilot.workers)
            for pilot in self._session.pilots_for(on)
            if pilot.workers
        ]

    pilots_for = candidates

    def backend(self, on: str | None = None) -> Any:
        """The device that `on` names."""
        return self._session.backend(on)

    def submit(
        self, fn: Any, /, *args: Any, name: str, on: str | None = None, cores: int | None = None
    ) -> Any:
        """Start a task."""
        wide = {} if cores is None else {"cores": cores}
        return self._session.submit(fn, *args, name=name, on=on, **wide)


def _places(standing: Standing) -> list[str | None]:
    """Where a new plan may run: where the run does, and pilots with more memory by themselves.

    A task may land on any of the workers, so that the one with the least memory sets the limit.
    """
    after: Workers = standing.after
    least = min(pilot.memory_bytes for pilot in after.pilots)
    more = [pilot for pilot in after.pilots if pilot.memory_bytes > 1.05 * least]
    more.sort(key=lambda pilot: -pilot.memory_bytes)
    return [*(pilot.name for pilot in more[:_MOST_PILOTS]), standing.on]


def _anew_s(prediction: Prediction, standing: Standing, left: Rest) -> float:
    """What a new plan takes, for all bindings that are left."""
    count = max(1, standing.bindings - standing.bindings_done)
    once = prediction.phase("plan").seconds
    each = prediction.makespan_s - once + (left.slower - 1) * prediction.phase("execute").seconds
    return left.stopping_s + once + count * each


def _named(prediction: Prediction) -> str:
    way = prediction.configuration
    place = f" on {way.on}" if way.on else ""
    what = f"cutting to {way.max_qubits} qubits" if prediction.cut else "running uncut"
    return f"{what}{place}"


def _decision(
    standing: Standing,
    reason: str,
    continue_s: float | None = None,
    anew_s: float | None = None,
    course: Course | None = None,
) -> Decision:
    counts = standing.before.count, standing.after.count
    return Decision(standing.at_s, *counts, reason, continue_s, anew_s, course)
