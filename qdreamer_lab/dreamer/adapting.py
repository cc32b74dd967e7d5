"""Whether a run should be planned anew when its workers have changed: weighed and put in words.

What is left under the present plan is played through with the pace of the run itself; the best
new plan is a recommendation for the workers that are there now. Its execution is stretched by as
much as this run was slower than predicted, so that both sides are measured with one yardstick.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.dreamer.makespan import Share, play
from qdreamer_lab.dreamer.reasons import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.decisions import Course, Decision

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.dreamer import QDreamer
    from qdreamer_lab.dreamer.prediction import Prediction
    from qdreamer_lab.dreamer.recommendation import Limits
    from qdreamer_lab.workload.decisions import Standing, Workers
    from qdreamer_lab.workload.dispatch import SessionLike

__all__ = ["GAIN_S", "MOST_SWITCHES", "PAYS", "PlanAdviser", "Rest", "pays", "rest"]

PAYS = 0.8
"""A new plan must take at most this part of what the rest would take with the present one."""

GAIN_S = 0.5
"""And it must gain more than this."""

MOST_SWITCHES = 3
"""How often a run is planned anew at most."""

_STOPPING_S = 1.5
"""How long a task that runs compiled code may hold its worker after it was cancelled."""

_MEASURED_S = 0.05
"""Seconds of finished tasks from which on a run's own pace counts, and not the predicted one."""

_LEAST_LEFT = 0.1
"""A task that has run longer than predicted goes on for this part of the time it has taken."""

_PACES = (0.5, 4.0)
"""How much slower than predicted a run is believed to make others, at least and at most."""

_TASK_S = 0.3
"""Work that is not at hand yet is taken to come in tasks of about this length."""

_CLEAR = 0.1
"""A way that takes this part of the rest or less is taken without looking for better ones."""

_MOST_PILOTS = 2
"""Pilots that are weighed each by itself, since they have more memory than others."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a run under its present plan.

    Attributes:
        seconds: until its end.
        stopping_s: how long workers would still be held by tasks that were given up.
        slower: how much longer work takes than was predicted.
    """

    seconds: float
    stopping_s: float
    slower: float


def pays(continue_s: float, anew_s: float, switches: int) -> bool:
    """Whether to plan anew.

    Args:
        continue_s: what the rest takes with the present plan.
        anew_s: what a new plan takes, all that switching costs included.
        switches: how often this run was planned anew already.
    """
    clear = anew_s <= PAYS * continue_s and continue_s - anew_s > GAIN_S
    return clear and switches < MOST_SWITCHES


def rest(standing: Standing, prediction: Prediction, contention: float) -> Rest:
    """What is left under the present plan, with the workers that are there now.

    Args:
        standing: where the run stands.
        prediction: of the present plan, for one set of parameter values.
        contention: how much longer a task takes when other workers are busy too.
    """
    later = standing.later + _later_shots_work(standing, prediction)
    left = standing.left_work - standing.later + later
    execute = next((one for one in prediction.accounts if one.name == "execute"), None)
    share = execute.share if execute is not None else 1.0
    predicted_s = standing.bindings * prediction.phase("execute").seconds / share
    total = max(standing.done_work + left, 1e-300)
    model = max(predicted_s, 1e-9) / total
    pace = model
    if standing.done_s >= _MEASURED_S and standing.done_work > 0:
        pace = standing.done_s / standing.done_work
    slower = float(np.clip(pace / model, *_PACES))
    if standing.before.count == 1 < standing.after.count:
        pace *= contention
    elif standing.after.count == 1 < standing.before.count:
        pace /= contention
    flying = [max(w * pace - ran, _LEAST_LEFT * ran) for w, ran in standing.backlog.flying]
    shares = [Share(1, s / pace, s) for s in flying]
    shares += [Share(items, each, each * pace) for items, each in standing.backlog.queued]
    if later > 0:
        count = max(1, math.ceil(later * pace / _TASK_S))
        shares.append(Share(count, later / count, later * pace / count))
    played = play(shares, max(1, standing.after.count), ahead=True)
    here_s = _here_s(standing, prediction, left / total, last=later <= 0)
    running = [s for s, (_, ran) in zip(flying, standing.backlog.flying, strict=True) if ran > 0]
    stopping = min(_STOPPING_S, max(running, default=0.0))
    return Rest(played.makespan_s + here_s, stopping, slower)


def _here_s(standing: Standing, prediction: Prediction, share: float, *, last: bool) -> float:
    """What is left to do in this process: taking results in, and putting them together.

    Args:
        standing: where the run stands.
        prediction: of the present plan.
        share: of the work, that is left.
        last: nothing comes after the work at hand; else parts were put together already.
    """
    count = max(1, standing.bindings - standing.bindings_done)
    share *= standing.bindings
    transfer, contract = (prediction.phase(name).seconds for name in ("transfer", "contract"))
    return share * transfer + (count if last else share) * contract


def _later_shots_work(standing: Standing, prediction: Prediction) -> float:
    """Work of rounds of shots that were not begun."""
    if standing.mode != "sampled" or standing.shots_asked <= 0:
        return 0.0
    expected = standing.bindings * prediction.shots - standing.shots_asked
    so_far = standing.done_work + standing.left_work - standing.later
    return max(0.0, expected) * so_far / standing.shots_asked


class PlanAdviser:
    """Advises a run that was begun as Q-Dreamer recommended.

    Args:
        dreamer: who predicts.
        circuit: bound; of several bindings, any.
        observables: as they were given.
        prediction: of the way that the run takes.
        precision: standard error wanted.
        limits: what a run may take.

    Attributes:
        prediction: of the way that the run takes now.
    """

    def __init__(
        self,
        dreamer: QDreamer,
        circuit: QuantumCircuit,
        observables: Any,
        prediction: Prediction,
        *,
        precision: float | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.prediction = prediction
        self._dreamer = dreamer
        self._circuit = circuit
        self._observables = observables
        self._precision = precision
        self._limits = limits

    def changed(self, standing: Standing) -> Decision:
        """`Adviser.changed`."""
        profile = self._dreamer.profile(standing.on)
        start = time.perf_counter()
        left = rest(standing, self.prediction, profile.contention)
        text = f"{standing.change}: "
        if self.prediction.qpu_seconds:
            text += "a run on a device keeps its plan, for its shots were paid for"
            return _decision(standing, text)
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
            self.prediction = best
            way = best.configuration
            course = Course(way.max_qubits, way.mode, way.on)
            return _decision(standing, f"{text}planned anew", continue_s, anew_s, course)
        why = f"the plan stays, for a new one must gain {100 * (1 - PAYS):.0f} % and {GAIN_S:g} s"
        if pays(continue_s, anew_s, 0):
            why = f"the plan stays, for it was changed {standing.switches} times already"
        return _decision(standing, text + why, continue_s, anew_s)

    def observe(self, result: Any) -> None:
        """Let Q-Dreamer learn from the run, as far as its workers stayed the same.

        Raises:
            QDreamerError: as `QDreamer.observe` does.
        """
        decisions = result.metadata["decisions"]
        one = self.prediction
        if decisions and not decisions[-1].replanned:
            # Tasks ran on more or fewer workers than the prediction is for.
            kept = ("plan", "lower", "transpile", "contract")
            one = replace(one, accounts=tuple(a for a in one.accounts if a.name in kept))
        self._dreamer.observe(result, one)

    def _candidates(self, standing: Standing, left: Rest) -> tuple[float, Prediction] | None:
        """The best other way to run, and what it takes; None if there is none."""
        from qdreamer_lab.dreamer.dreamer import QDreamer

        present = _Present(self._dreamer.session)
        profile = self._dreamer.profile(standing.on)
        found: list[tuple[float, Prediction]] = []
        for on in _places(standing):
            try:
                ranked = QDreamer(present, profile=profile).recommend(
                    self._circuit,
                    self._observables,
                    precision=self._precision,
                    limits=self._limits,
                    on=on,
                )
            except QDreamerError:  # nothing keeps within the limits there
                continue
            ways = [one for one in ranked.predictions if self._eligible(one, standing)]
            found += [(_anew_s(one, standing, left), one) for one in ways]
            if any(seconds <= _CLEAR * left.seconds for seconds, _ in found):
                break
        return min(found, key=lambda pair: pair[0], default=None)

    def _eligible(self, one: Prediction, standing: Standing) -> bool:
        """Whether the run can be continued like that, and not in the same way as now."""
        way = one.configuration
        if standing.mode == "exact" and way.mode != "exact":
            return False
        if way.method != "statevector":  # `Course` could not say so
            return False
        return way.on != standing.on or way.mode != standing.mode or not self._same_plan(one)

    def _same_plan(self, other: Prediction) -> bool:
        one, two = self.prediction.plan, other.plan
        if one is None or two is None:
            return one is two
        return np.array_equal(one.blocks.pairs, two.blocks.pairs) and np.array_equal(
            one.labels, two.labels
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

    def submit(self, fn: Any, /, *args: Any, name: str, on: str | None = None) -> Any:
        """Start a task."""
        return self._session.submit(fn, *args, name=name, on=on)


def _places(standing: Standing) -> list[str | None]:
    """Where a new plan may run: where the run does, and pilots with more memory by themselves.

    A task may land on any of the workers, so that the one with the least memory sets the limit.
    """
    after: Workers = standing.after
    least = min(one.memory_bytes for one in after.pilots)
    more = [one for one in after.pilots if one.memory_bytes > 1.05 * least]
    more.sort(key=lambda one: -one.memory_bytes)
    return [*(one.name for one in more[:_MOST_PILOTS]), standing.on]


def _anew_s(one: Prediction, standing: Standing, left: Rest) -> float:
    """What a new plan takes, for all bindings that are left."""
    count = max(1, standing.bindings - standing.bindings_done)
    once = one.phase("plan").seconds
    each = one.makespan_s - once + (left.slower - 1) * one.phase("execute").seconds
    return left.stopping_s + once + count * each


def _named(one: Prediction) -> str:
    way = one.configuration
    place = f" on {way.on}" if way.on else ""
    what = f"cutting to {way.max_qubits} qubits" if one.cut else "running uncut"
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
