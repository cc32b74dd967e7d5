"""Playing sampled mode's rounds through with known variances: shots per variant, standard error.

The schedule is that of a run, told what shots are to be expected to show. It must not simulate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.workload.sampled.allocation import neyman
from qdreamer_lab.workload.sampled.schedule import Schedule, averaged, round_variance
from qdreamer_lab.workload.sampled.work_sizes import GROUPS

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.sampled.variance import ShotVariance
    from qdreamer_lab.workload.sampled.shot_goal import Goal

__all__ = ["ShotPlan", "guessed_plan", "played_rounds"]

Products = Callable[[Sequence[NDArray[np.int64]]], NDArray[np.float64]]
"""Variance that fragments' errors add where they multiply, from the shots of each fragment."""

_GAMES = 9
"""Games of chance that are played where rounds depend on it."""


@dataclass(frozen=True, eq=False, slots=True)
class ShotPlan:
    """Rounds of shots.

    Attributes:
        rounds: Per round and fragment, (variants,) shots.
        standard_error: Greatest of all observables in the end.
        doubt: About the number of rounds, as the standard deviation of its logarithm.
    """

    rounds: tuple[tuple[NDArray[np.int64], ...], ...]
    standard_error: float
    doubt: float = 0.0

    @property
    def shots(self) -> int:
        """Of all rounds."""
        return int(sum(counts.sum() for each in self.rounds for counts in each))


def played_rounds(
    weights: Sequence[NDArray[np.float64]],
    known: Sequence[ShotVariance],
    goal: Goal,
    products: Products,
) -> ShotPlan:
    """The rounds that will be run; of several games of chance, the one in the middle.

    That is by the number of rounds, each of which has its price however few shots it takes, and
    among equals by shots.

    Args:
        weights: Per fragment, (variants,) how much each matters before anything is known.
        known: Per fragment, what shots contribute.
        goal: When there are enough.
        products: What is added to each observable's variance by fragments' errors that multiply,
            given the shots of each fragment's variants.

    Raises:
        PrecisionError: If the goal cannot be reached; it says what can.
    """
    rng = np.random.default_rng(0)
    games = 1 if goal.shots is not None else _GAMES
    played = [_played(weights, known, goal, products, rng) for _ in range(games)]
    middle = sorted(played, key=lambda game: (len(game.rounds), game.shots))[games // 2]
    rounds = np.array([max(1, len(game.rounds)) for game in played])
    return replace(middle, doubt=float(np.std(np.log(rounds))))


def _played(
    weights: Sequence[NDArray[np.float64]],
    known: Sequence[ShotVariance],
    goal: Goal,
    products: Products,
    rng: np.random.Generator,
) -> ShotPlan:
    """One way that the rounds may go: error bars are themselves uncertain."""
    schedule = Schedule(goal, weights, [len(weight) for weight in weights])
    true = [each.true for each in known]
    rounds: list[tuple[NDArray[np.int64], ...]] = []
    variance = product = beyond = np.zeros(0)
    stds = linear = np.zeros(0)
    while shots := schedule.deal(stds, linear):
        share = schedule.took(shots, int(sum(each.sum() for each in shots)))
        new = round_variance(true, shots)
        if rounds:
            variance = averaged(variance, new, share)
        else:
            variance = new
            beyond = products(shots) * schedule.shots**2
        rounds.append(tuple(shots))
        schedule.learn([each.believed(n) for each, n in zip(known, shots, strict=True)])
        # Each observable has an error bar of its own, and the greatest of them is what counts.
        product = beyond / schedule.shots**2
        noise = rng.chisquare(GROUPS - 1, variance.shape) / (GROUPS - 1)
        linear = (variance * noise).sum(axis=0)
        stds = np.sqrt(linear + product)
    last = variance.sum(axis=0) + product
    return ShotPlan(tuple(rounds), float(np.sqrt(last.max(initial=0.0))))


def guessed_plan(circuits: Sequence[int], per_shot: float, goal: Goal) -> ShotPlan:
    """The rounds when only the variance of the whole per shot is guessed.

    Args:
        circuits: Different circuits of each fragment.
        per_shot: Variance of the worst observable times shots.
        goal: When there are enough.

    Raises:
        PrecisionError: If the goal cannot be reached.
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
