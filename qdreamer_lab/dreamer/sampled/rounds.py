"""Playing sampled mode's rounds through with known variances: shots per variant, standard error.

Follows `workload.shot_rounds` with the same goal and the same allocation. It must not simulate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.workload.sampled.allocation import needed_shots, neyman, predicted_variance
from qdreamer_lab.workload.sampled.goal import LEAST, PILOT_LEAST, Goal

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.sampled.variance import ShotVariance

__all__ = ["ShotPlan", "guessed_plan", "played_rounds"]

Products = Callable[[Sequence[NDArray[np.int64]]], NDArray[np.float64]]

_GAMES = 9

_GROUPS = 64
"""Groups of shots from which the variance that a fragment causes is taken."""

_DOUBT = 0.1
_MOST_OFF = 4.0
_NOTHING = 1e-300


@dataclass(frozen=True, eq=False, slots=True)
class ShotPlan:
    """Rounds of shots.

    Attributes:
        rounds: per round and fragment, (variants,) shots.
        standard_error: greatest of all observables in the end.
    """

    rounds: tuple[tuple[NDArray[np.int64], ...], ...]
    standard_error: float

    @property
    def shots(self) -> int:
        """Of all rounds."""
        return int(sum(one.sum() for each in self.rounds for one in each))


def played_rounds(
    weights: Sequence[NDArray[np.float64]],
    known: Sequence[ShotVariance],
    goal: Goal,
    products: Products,
) -> ShotPlan:
    """The rounds that will be run; of several games of chance, the one in the middle.

    Args:
        weights: per fragment, (variants,) how much each matters before anything is known.
        known: per fragment, what shots contribute.
        goal: when there are enough.
        products: what is added to each observable's variance by fragments' errors that multiply,
            given the shots of each fragment's variants.

    Raises:
        PrecisionError: if the goal cannot be reached; it says what can.
    """
    goal.check(sum(map(len, weights)))
    rng = np.random.default_rng(0)
    games = 1 if goal.shots is not None else _GAMES
    played = [_played(weights, known, goal, products, rng) for _ in range(games)]
    return sorted(played, key=lambda one: one.shots)[games // 2]


def _played(
    weights: Sequence[NDArray[np.float64]],
    known: Sequence[ShotVariance],
    goal: Goal,
    products: Products,
    rng: np.random.Generator,
) -> ShotPlan:
    """One way that the rounds may go: error bars are themselves uncertain."""
    circuits = sum(map(len, weights))
    true = [one.true for one in known]
    spreads = list(weights)
    rounds: list[tuple[NDArray[np.int64], ...]] = []
    variance, told = np.zeros((0, 0)), np.zeros((0, 0))
    beyond = product = np.zeros(0)
    believed: list[NDArray[np.float64]] = []
    taken, total = 0, goal.first(circuits)
    while total:
        floor = min(PILOT_LEAST if not rounds else LEAST, total // circuits)
        dealt = neyman(np.concatenate(spreads), total, np.full(circuits, floor))
        shots = np.split(dealt, np.cumsum([len(one) for one in spreads])[:-1])
        # A round's weight is fixed before it is run, by what was believed until then.
        if not rounds:
            believed = [one.believed(n) for one, n in zip(known, shots, strict=True)]
        new, new_told = (
            np.maximum(predicted_variance(each, shots), _NOTHING) for each in (true, believed)
        )
        if rounds:
            share = _share(told, new_told)
            variance = _mixed(variance, new, share)
            told = _mixed(told, new_told, share)
            believed = [one.believed(n) for one, n in zip(known, shots, strict=True)]
        else:
            variance, told = new, new_told
            beyond = products(shots) * total**2
        rounds.append(tuple(shots))
        together = [np.sum(each, axis=0) for each in zip(*rounds, strict=True)]
        taken += total
        spreads = [_spread(one) for one in believed]
        # Each observable has an error bar of its own, and the greatest of them is what counts.
        product = beyond / taken**2
        noise = rng.chisquare(_GROUPS - 1, variance.shape) / (_GROUPS - 1)
        linear = (variance * noise).sum(axis=0)
        seen = linear + product
        worst = int(seen.argmax())
        error = math.sqrt(seen[worst])
        said = predicted_variance(believed, together).sum(axis=0)
        off = np.clip(linear / np.maximum(said, _NOTHING), 1 / _MOST_OFF, _MOST_OFF)
        total = goal.next(
            rounds=len(rounds),
            taken=taken,
            circuits=circuits,
            error=error,
            cost=needed_shots(believed, 1.0, off),
        )
    last = variance.sum(axis=0) + product
    return ShotPlan(tuple(rounds), float(np.sqrt(last.max(initial=0.0))))


def _share(before: NDArray[np.float64], now: NDArray[np.float64]) -> NDArray[np.float64]:
    """(fragments,) weight of the new round."""
    one, two = before.sum(axis=1), now.sum(axis=1)
    return np.asarray(one / (one + two))


def _mixed(
    before: NDArray[np.float64], now: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(((1 - share) ** 2 * before.T + share**2 * now.T).T)


def _spread(per_shot: NDArray[np.float64]) -> NDArray[np.float64]:
    total = per_shot.sum(axis=0)
    return np.asarray(np.sqrt((1 - _DOUBT) * total + _DOUBT * total.mean()))


def guessed_plan(circuits: Sequence[int], per_shot: float, goal: Goal) -> ShotPlan:
    """The rounds when only the variance of the whole per shot is guessed.

    Args:
        circuits: different circuits of each fragment.
        per_shot: variance of the worst observable times shots.
        goal: when there are enough.

    Raises:
        PrecisionError: if the goal cannot be reached.
    """
    count = sum(circuits)
    goal.check(count)
    rounds: list[tuple[NDArray[np.int64], ...]] = []
    taken, total, error = 0, goal.first(count), np.inf
    while total:
        shots = neyman(np.ones(count), total, np.full(count, 0))
        rounds.append(tuple(np.split(shots, np.cumsum(circuits)[:-1])))
        taken += total
        error = float(np.sqrt(per_shot / taken))
        total = goal.next(
            rounds=len(rounds), taken=taken, circuits=count, error=error, cost=per_shot
        )
    return ShotPlan(tuple(rounds), error if rounds else 0.0)
