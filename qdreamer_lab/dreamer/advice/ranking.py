"""Which of several ways to run is better. Pure decisions on predictions; nothing is priced.

Faster is better. Ways within 5 % or 2 ms of the fastest are as good as it, because predictions are
no better than that: of these, one that cuts nothing comes first, then one that takes fewer workers.
Where no precision was asked for, exact values come before those with an error bar, as long as they
are affordable: the fastest exact way is over within a minute, or within ten times as long as the
fastest sampled one.

Where the fewest errors or the lowest price is preferred, that comes first, and then time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qdreamer_lab.dreamer.advice.limits import Limits, Refused
    from qdreamer_lab.dreamer.predict.prediction import Prediction

__all__ = ["PREFERENCES", "TIE", "Ranking", "affordable", "as_good", "ranked"]

PREFERENCES = ("time", "fidelity", "cost")
"""What may come first."""

TIE = 1.05
"""Up to this factor ways are as good as each other."""

_MOMENT_S = 0.002
"""What else a machine does takes as long; so much less is not worth a cut."""

_SHORT_S = 60.0
_TIMES = 10.0


@dataclass(frozen=True, eq=False, slots=True)
class Ranking:
    """Ways to run a circuit.

    Attributes:
        predictions: Those that keep within the limits, the best first; at least one.
        limits: What a run may take.
        refused: Ways that cannot be taken.
        num_qubits: Of the circuit.
        prefer: What comes first: "time", "fidelity" or "cost".
        queues: Of each QPU that was weighed, seconds that its first job waits.
    """

    predictions: tuple[Prediction, ...]
    limits: Limits
    refused: tuple[Refused, ...]
    num_qubits: int
    prefer: str
    queues: Mapping[str, float] = field(default_factory=dict, kw_only=True)

    @property
    def best(self) -> Prediction:
        """What to do."""
        return self.predictions[0]


def ranked(
    found: Iterable[Prediction], *, exact_first: bool, prefer: str = "time"
) -> tuple[Prediction, ...]:
    """The best first.

    Args:
        found: Ways to run.
        exact_first: Exact values were asked for, if they are affordable and time is preferred.
        prefer: What comes first: "time", "fidelity" or "cost".
    """
    every = list(found)
    if prefer != "time":
        measure = _error if prefer == "fidelity" else _cost
        return tuple(sorted(_in_order(every), key=measure))  # among equals in order of time
    if exact_first and affordable(every):
        exact = [prediction for prediction in every if prediction.configuration.exact]
        rest = [prediction for prediction in every if not prediction.configuration.exact]
        return (*_in_order(exact), *_in_order(rest))
    return tuple(_in_order(every))


def as_good(seconds: float, fastest_s: float) -> bool:
    """Whether a way that takes so many seconds is as good as the fastest, within the doubt."""
    return seconds <= max(TIE * fastest_s, fastest_s + _MOMENT_S)


def affordable(found: list[Prediction]) -> bool:
    """Whether exact values can be had, and do not take out of all proportion longer."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for prediction in found:
        times[prediction.configuration.exact].append(prediction.makespan_s)
    if not times[True]:
        return False
    exact = min(times[True])
    return exact <= _SHORT_S or not times[False] or exact <= _TIMES * min(times[False])


def _in_order(found: list[Prediction]) -> list[Prediction]:
    """By time; ties by preference."""
    left = sorted(found, key=lambda prediction: prediction.makespan_s)
    out: list[Prediction] = []
    while left:
        tied = [way for way in left if as_good(way.makespan_s, left[0].makespan_s)]
        out += sorted(tied, key=_preference)
        left = left[len(tied) :]
    return out


def _error(prediction: Prediction) -> float:
    return math.inf if prediction.error is None else prediction.error


def _cost(prediction: Prediction) -> float:
    return math.inf if prediction.cost is None else prediction.cost


def _preference(prediction: Prediction) -> tuple[bool, int, float]:
    return prediction.cut, prediction.configuration.workers, prediction.makespan_s
