"""Playing sampled mode's rounds through by chance: shots per variant, standard error.

The schedule is that of a run, told what shots may show. It must not simulate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.sampled.allocation import neyman, unseen_variance
from qdreamer_lab.workload.sampled.schedule import Schedule, error_bars
from qdreamer_lab.workload.sampled.work_sizes import REPLICAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.sampled.chances import Chances
    from qdreamer_lab.workload.sampled.shot_goal import Goal

__all__ = ["ShotPlan", "guessed_plan", "played_rounds"]

_LEAST_SHOWN = 0.1
"""Groups of shots never show less of a variance than that, next to what there is."""

_NOTHING = 1e-300
"""Stands for no variance at all, so that it can be divided by."""

_GAMES = (5, 9)
"""Games of chance that are played where rounds depend on it: at least, and at most."""

_GROUPS = 500
"""Groups of variants, times games, up to which as many games as can be are played."""


@dataclass(frozen=True, eq=False, slots=True)
class ShotPlan:
    """Rounds of shots.

    Attributes:
        rounds: Per round and fragment, (variants,) shots.
        standard_error: Greatest of all observables in the end.
        doubt: About the number of rounds, as the standard deviation of its logarithm.
        shots_doubt: The same of the number of shots.
    """

    rounds: tuple[tuple[NDArray[np.int64], ...], ...]
    standard_error: float
    doubt: float = 0.0
    shots_doubt: float = 0.0

    @property
    def shots(self) -> int:
        """Of all rounds."""
        return int(sum(counts.sum() for each in self.rounds for counts in each))


def played_rounds(weights: Sequence[NDArray[np.float64]], chances: Chances, goal: Goal) -> ShotPlan:
    """The rounds that will be run; of several games of chance, the one in the middle.

    That is by the number of rounds, each of which has its price however few shots it takes, and
    among equals by shots.

    Args:
        weights: Per fragment, (variants,) how much each matters before anything is known.
        chances: What shots may show.
        goal: When there are enough.

    Raises:
        PrecisionError: If most games find that the goal cannot be reached; it says what can.
    """
    rng = np.random.default_rng(0)
    fewest, most = _GAMES
    games = 1
    if goal.shots is None:
        groups = sum(map(len, chances.errors.groups))
        games = min(most, max(fewest, _GROUPS // max(1, groups)))
    played, refused = [], []
    for _ in range(games):
        try:
            played.append(_played(weights, chances, goal, rng))
        except PrecisionError as error:
            refused.append(error)
    if len(refused) > games // 2:
        raise refused[0]
    played.sort(key=lambda game: (len(game[0].rounds), game[0].shots))
    middle, inverse = played[games // 2]  # those refused would have been longer still
    hidden = [unseen_variance(v.most, n) for v, n in zip(chances.known, inverse, strict=True)]
    variance = (chances.variance(inverse) + np.max(hidden, axis=0, initial=0.0)).max(initial=0.0)
    return replace(
        middle,
        standard_error=float(np.sqrt(variance)),
        doubt=_spread([len(game.rounds) for game, _ in played]),
        shots_doubt=_spread([game.shots for game, _ in played]),
    )


def _spread(numbers: list[int]) -> float:
    """Standard deviation of their logarithms."""
    return float(np.std(np.log(np.maximum(1, numbers))))


def _played(
    weights: Sequence[NDArray[np.float64]],
    chances: Chances,
    goal: Goal,
    rng: np.random.Generator,
) -> tuple[ShotPlan, list[NDArray[np.float64]]]:
    """One way that the rounds may go, and per fragment one over the shots of each variant.

    What a run knows has errors: its tensors, the derivatives that follow from them, its error bars.
    """
    schedule = Schedule(goal, weights, [len(weight) for weight in weights])
    rounds: list[tuple[NDArray[np.int64], ...]] = []
    found: list[NDArray[np.float64]] = []
    inverse: list[NDArray[np.float64]] = []
    stds = linear = shown = np.zeros(0)
    while shots := schedule.deal(stds, linear):
        share = schedule.took(shots, int(sum(each.sum() for each in shots)))
        fresh = [1.0 / number for number in shots]
        errors = [each[0] for each in chances.errors.drawn(rng, fresh, 1)]
        new = [exact + error for exact, error in zip(chances.errors.exact, errors, strict=True)]
        if rounds:
            before = [(1 - mine) ** 2 * old for mine, old in zip(share, inverse, strict=True)]
            added = [mine**2 * one for mine, one in zip(share, fresh, strict=True)]
            found = [
                (1 - mine) * old + mine * one
                for mine, old, one in zip(share, found, new, strict=True)
            ]
        else:
            before, added, found = [0 * one for one in fresh], fresh, new
        rounds.append(tuple(shots))
        variance = chances.believed(found)
        kept, gained = (
            np.array([each.true @ one for each, one in zip(variance, parts, strict=True)])
            for parts in (before, added)
        )
        first = gained * chances.shown(rng, variance, shots)
        if len(rounds) > 1:
            more = kept * shown + chances.together(rng, kept, gained)
            first = np.maximum(first + more, _LEAST_SHOWN * (kept + gained))
        shown = first / np.maximum(kept + gained, _NOTHING)
        inverse = [old + one for old, one in zip(before, added, strict=True)]
        beyond = chances.errors.products(rng, found, inverse, REPLICAS)
        stds, linear = error_bars(first.sum(axis=0), beyond)
        hidden = [unseen_variance(v.most, n) for v, n in zip(variance, inverse, strict=True)]
        stds = np.sqrt(np.square(stds) + np.max(hidden, axis=0))
        schedule.learn([each.believed(n) for each, n in zip(variance, shots, strict=True)])
    return ShotPlan(tuple(rounds), 0.0), inverse


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
