"""What is left of a run under its present plan, and whether a new plan pays. Arithmetic only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.model.makespan import Share, play
from qdreamer_lab.workload.execution.pace import TASK_S
from qdreamer_lab.workload.modes import mode_of

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.decisions import Standing

__all__ = ["GAIN_S", "MOST_SWITCHES", "PAYS", "Rest", "pays", "rest"]

PAYS = 0.8
"""A new plan must take at most this part of what the rest would take with the present one."""

GAIN_S = 0.5
"""And it must gain more than this."""

MOST_SWITCHES = 3
"""How often a run is planned anew at most."""

_STOPPING_S = 1.5
"""How long a task that runs compiled code may hold its worker after it was canceled."""

_MEASURED_S = 0.05
"""Seconds of finished tasks from which on a run's own pace counts, and not the predicted one."""

_LEAST_LEFT = 0.1
"""A task that has run longer than predicted goes on for this part of the time it has taken."""

_PACES = (0.5, 4.0)
"""How much slower than predicted a run is believed to make others, at least and at most."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a run under its present plan.

    Attributes:
        seconds: Until its end.
        stopping_s: How long workers would still be held by tasks that were given up.
        slower: How much longer work takes than was predicted.
    """

    seconds: float
    stopping_s: float
    slower: float


def pays(continue_s: float, anew_s: float, switches: int) -> bool:
    """Whether to plan anew.

    Args:
        continue_s: What the rest takes with the present plan.
        anew_s: What a new plan takes, all that switching costs included.
        switches: How often this run was planned anew already.
    """
    clear = anew_s <= PAYS * continue_s and continue_s - anew_s > GAIN_S
    return clear and switches < MOST_SWITCHES


def rest(standing: Standing, prediction: Prediction, contention: float) -> Rest:
    """What is left under the present plan, with the workers that are there now.

    Args:
        standing: Where the run stands.
        prediction: Of the present plan, for any number of sets of parameter values.
        contention: How much longer a task takes when other workers are busy too.
    """
    later = standing.later + _later_shots_work(standing, prediction)
    left = standing.left_work - standing.later + later
    execute = next((account for account in prediction.accounts if account.name == "execute"), None)
    share = execute.share if execute is not None else 1.0
    predicted_s = standing.bindings / prediction.sets * prediction.phase("execute").seconds / share
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
        count = max(1, math.ceil(later * pace / TASK_S))
        shares.append(Share(count, later / count, later * pace / count))
    played = play(shares, max(1, standing.after.count), ahead=True)
    here_s = _here_s(standing, prediction, left / total, last=later <= 0)
    running = [s for s, (_, ran) in zip(flying, standing.backlog.flying, strict=True) if ran > 0]
    stopping = min(_STOPPING_S, max(running, default=0.0))
    return Rest(played.makespan_s + here_s, stopping, slower)


def _here_s(standing: Standing, prediction: Prediction, share: float, *, last: bool) -> float:
    """What is left to do in this process: taking results in, and putting them together.

    Args:
        standing: Where the run stands.
        prediction: Of the present plan.
        share: Of the work, that is left.
        last: Nothing comes after the work at hand; else parts were put together already.
    """
    each = max(1, standing.bindings - standing.bindings_done)
    count, share = each / prediction.sets, share * standing.bindings / prediction.sets
    transfer, contract = (prediction.phase(name).seconds for name in ("transfer", "contract"))
    return share * transfer + (count if last else share) * contract


def _later_shots_work(standing: Standing, prediction: Prediction) -> float:
    """Work of rounds of shots that were not begun."""
    if mode_of(standing.mode).exact or standing.shots_asked <= 0:
        return 0.0
    expected = standing.bindings / prediction.sets * prediction.shots - standing.shots_asked
    so_far = standing.done_work + standing.left_work - standing.later
    return max(0.0, expected) * so_far / standing.shots_asked
