"""Learning from a finished run: the time of each phase corrects the coefficients behind it.

Reads the record of a `CutEstimator`'s run. It must not run anything.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.dreamer.model.belief import Z80, check_seconds
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PER_SHOT, PHASES
from qdreamer_lab.dreamer.model.makespan import list_schedule
from qdreamer_lab.dreamer.predict.prediction import FIRST_SPREAD, Prediction
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.model.belief import Belief
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["first_run_s", "learned", "signature"]

_LEAST_S = 1e-4
"""Phases shorter than this say nothing about coefficients."""

_LEAST_FACTOR, _MOST_FACTOR = 0.4, 2.5
"""A run that did so much less or more than predicted did other work."""

_NEXT = 0.4
"""How much one first run differs from the next, as a part of it."""

_FIRST_AT_BEST_S = 0.01
"""However little a first run is believed to take longer, it is not known better than this."""

_MOST_AT_ONCE = 4.0
"""One run changes what is believed of first ones by this factor at most."""

_ONCE = np.array([each.name in ("run", "observable") for each in COEFFICIENTS])
"""What is paid once, however many rounds there are."""

_UNSURE = 0.4
"""Deviation from which on a time says more about the counts than about coefficients."""


def signature(what: Any) -> tuple[object, ...]:
    """What a prediction and the result of the run that it was made for have in common."""
    if isinstance(what, Prediction):
        mode, plan, count = what.configuration.mode, what.plan, what.num_observables
        shots, method = what.shots, what.configuration.method
    else:
        record = RunRecord.of(what)
        mode, method, plan, shots = record.mode, record.method, record.plan, record.shots
        count = int(np.size(what.data.evs))
    # Shots for a precision are an estimate: their order of magnitude tells runs apart.
    size = round(math.log2(shots)) // 3 if shots else 0
    return (mode, method, count, size, *_cut(plan))


def _cut(plan: CutPlan | None) -> tuple[object, ...]:
    if plan is None:
        return ()
    return (plan.blocks.num_qubits, plan.blocks.pairs.tobytes(), plan.labels.tobytes())


def learned(belief: Belief, prediction: Prediction, result: Any) -> Belief:
    """What is believed of the coefficients after a run.

    Args:
        belief: What was believed before.
        prediction: Of the run.
        result: Its `PubResult`.

    Raises:
        QDreamerError: If a time is impossible, or the run is not the one predicted.
    """
    record = RunRecord.of(result)
    _check(record)
    way, seconds = prediction.configuration, record.seconds
    if record.method != way.method:
        raise QDreamerError(
            f"the prediction is for method {way.method!r}, the run used {record.method!r}"
        )
    if record.mode != way.mode:
        raise QDreamerError(
            f"the prediction is for {way.mode} mode, the run was in {record.mode} mode"
        )
    rows = [row.seconds for row in record.fragments]
    busy = math.fsum(rows)
    by_name = {account.name: account for account in prediction.accounts}
    planning = sum(
        (by_name[name].counts for name in ("plan", "lower") if name in by_name),
        np.zeros(len(belief.values)),
    )
    belief = _seen(belief, "plan", planning, seconds.plan_s)
    rounds, factors = _luck(record, prediction)
    sure = "execute" in by_name and by_name["execute"].doubt < _UNSURE
    if sure and factors.min() > _LEAST_FACTOR and factors.max() < _MOST_FACTOR:
        belief = _seen(belief, "execute", by_name["execute"].counts * factors, busy)
    if "transpile" in by_name:
        counts = by_name["transpile"].counts
        belief = _seen(belief, "transpile", counts, seconds.transpile_s or 0.0)
    if "contract" in by_name:
        counts = by_name["contract"].counts * rounds
        belief = _seen(belief, "contract", counts, seconds.contract_s)
    if seconds.execute_s > 0 and all(row.worker for row in record.fragments):
        workers = way.workers
        if not way.exact:  # in rounds, and workers wait for each other after each
            scheduled = by_name["execute"].share * busy if "execute" in by_name else busy / workers
        else:
            scheduled = list_schedule(sorted(rows, reverse=True), workers)
        ways = sum(
            (by_name[name].counts for name in ("dispatch", "transfer") if name in by_name),
            np.zeros(len(belief.values)),
        )
        ways = np.where(_ONCE, ways, ways * rounds)
        belief = _seen(belief, "dispatch", ways, seconds.execute_s - scheduled + _around(record))
    return belief


def first_run_s(prediction: Prediction, makespan_s: float) -> float:
    """What is believed of the time that a first run takes longer, after one: a Kalman step.

    Args:
        prediction: Of the run, with what was believed before.
        makespan_s: What the run took, in seconds.
    """
    before = prediction.first_run_s
    doubt = (FIRST_SPREAD * before) ** 2 + _FIRST_AT_BEST_S**2
    run = prediction.makespan_s * math.log(prediction.interval[1] / prediction.makespan_s) / Z80
    gain = doubt / (doubt + run**2 + (_NEXT * before) ** 2)
    after = before + gain * (makespan_s - prediction.now_s)
    return min(max(after, before / _MOST_AT_ONCE), before * _MOST_AT_ONCE)


def _luck(record: RunRecord, prediction: Prediction) -> tuple[float, NDArray[np.float64]]:
    """How many times as many rounds there were as predicted; (k,) and what was paid in execution.

    Rounds and shots are games of chance: how they went says nothing of coefficients. Shots are paid
    one by one, and all else once in each round.
    """
    factors = np.ones(len(COEFFICIENTS))
    if not (prediction.shots and record.shots and record.variants):
        return 1.0, factors
    ran = sum(row.variants for row in record.fragments) / record.variants
    rounds = ran / prediction.rounds if ran >= 1 else 1.0  # else some were drawn, not all of them
    factors[:] = rounds
    factors[PER_SHOT] = record.shots / prediction.shots
    return rounds, factors


def _around(record: RunRecord) -> float:
    """Seconds that belong to no phase: observables are read, a record is made."""
    if record.decisions:  # phases are of the last plan alone
        return 0.0
    seconds = record.seconds
    phases = (seconds.plan_s, seconds.transpile_s or 0.0, seconds.execute_s, seconds.contract_s)
    return max(0.0, record.makespan_s - math.fsum(phases))


def _seen(belief: Belief, phase: str, counts: NDArray[np.float64], seconds: float) -> Belief:
    if seconds < _LEAST_S or not (counts > 0).any():
        return belief
    return belief.observed(PHASES.index(phase), counts, seconds)


def _check(record: RunRecord) -> None:
    """Refuse times that no clock shows."""
    makespan_s = record.makespan_s
    check_seconds("makespan_s", makespan_s)
    for name in ("plan_s", "transpile_s", "execute_s", "contract_s"):
        seconds = getattr(record.seconds, name)
        seconds = 0.0 if seconds is None else seconds
        if not isinstance(seconds, (int, float)) or not math.isfinite(seconds) or seconds < -1e-6:
            raise QDreamerError(f"{name}={seconds!r} is impossible: no negative or endless times")
        if seconds > makespan_s * 1.01 + 1e-3:
            raise QDreamerError(
                f"{name}={seconds!r} is impossible: more than makespan_s={makespan_s!r}"
            )
    for row in record.fragments:
        check_seconds(f"seconds of fragment {row.fragment}", row.seconds)
