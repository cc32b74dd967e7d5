"""Rounds of shots as arithmetic: how many each variant gets, and how rounds are averaged.

The first round learns how much each variant matters and how much it varies, the next ones spend
shots accordingly. Every round is an unbiased estimate by itself; rounds are averaged with weights
from the variances that were expected of them. A run tells the schedule what its shots have shown, a
prediction what shots should show. It must not know fragments, and takes no shots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.allocation import needed_shots, neyman, predicted_variance
from qdreamer_lab.workload.sampled.shot_goal import LEAST, PILOT_LEAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.shot_goal import Goal

__all__ = ["Schedule", "averaged", "error_bars", "round_variance"]

_NOTHING = 1e-290
"""Stands for no variance of a shot at all, so that it can be divided by."""

_MOST_OFF = 4.0
"""By which factor the variance found may differ from the one predicted, to be believed."""

_DOUBT = 0.1
"""Share of a fragment's mean variance that each variant is given, since a derivative that looks
small may be so by chance."""


class Schedule:
    """The rounds of one circuit.

    Args:
        goal: When there are enough shots.
        weights: Per fragment, (parts,) how much each part matters before anything is known. Parts
            are variants, or all of them together where a random selection is run.
        circuits: Per fragment, how many different circuits its parts are.

    Attributes:
        rounds: That were dealt out.
        shots: That were taken.

    Raises:
        PrecisionError: If the shots given are too few for the circuits there are.
    """

    def __init__(
        self, goal: Goal, weights: Sequence[NDArray[np.float64]], circuits: Sequence[int]
    ) -> None:
        self.rounds = 0
        self.shots = 0
        self._goal = goal
        self._weights = list(weights)
        self._circuits = list(circuits)
        self._count = sum(circuits)
        self._per_shot: list[NDArray[np.float64]] = []
        self._taken: list[NDArray[np.int64]] = []
        self._last: list[NDArray[np.int64]] = []
        self._variance = np.zeros((0, 0))
        goal.check(self._count)

    def deal(
        self, stds: NDArray[np.float64], linear: NDArray[np.float64]
    ) -> list[NDArray[np.int64]]:
        """Shots of the next round, (parts,) per fragment; none if the goal is reached.

        Args:
            stds: (observables,) standard errors so far; of no account in the first round.
            linear: (observables,) variance so far, without what comes from errors that multiply.

        Raises:
            PrecisionError: If the precision cannot be reached with the shots allowed; it says what
                can.
        """
        if not self._weights:
            return []
        first = self.rounds == 0
        total = self._goal.first(self._count) if first else self._next_total(stds, linear)
        if total == 0:
            return []
        least = min(PILOT_LEAST if first else LEAST, total // self._count)
        spreads = self._weights if first else [_spread(each) for each in self._per_shot]
        floors = [
            np.full(len(spread), least * circuits // len(spread))
            for spread, circuits in zip(spreads, self._circuits, strict=True)
        ]
        dealt = neyman(np.concatenate(spreads), total, np.concatenate(floors))
        self.rounds += 1
        return np.split(dealt, np.cumsum([len(spread) for spread in spreads])[:-1])

    def took(self, shots: list[NDArray[np.int64]], total: int) -> NDArray[np.float64]:
        """Take note of a round that was run.

        Args:
            shots: Per fragment, (parts,) as they were asked for.
            total: As they were taken.

        Returns:
            (fragments,) weight of this round in the average with those before; it rests on what was
            known until then.
        """
        self.shots += total
        before = self._taken or [np.zeros_like(each) for each in shots]
        self._taken = [old + new for old, new in zip(before, shots, strict=True)]
        self._last = shots
        if not self._per_shot:
            return np.ones(len(shots))
        variance = round_variance(self._per_shot, shots)
        old, new = self._variance.sum(axis=1), variance.sum(axis=1)
        share: NDArray[np.float64] = old / (old + new)
        self._variance = averaged(self._variance, variance, share)
        return share

    def learn(self, per_shot: list[NDArray[np.float64]]) -> None:
        """Take note of what the last round has taught.

        Args:
            per_shot: Per fragment, (observables, parts) what one shot contributes to the variance.
        """
        self._per_shot = per_shot
        if self.rounds == 1:
            self._variance = round_variance(per_shot, self._last)

    def _next_total(self, stds: NDArray[np.float64], linear: NDArray[np.float64]) -> int:
        # A variant's own groups of shots say little, the greatest of many such figures even less.
        # So they are put right by the error bars, which all shots of a fragment have a part in.
        said = predicted_variance(self._per_shot, self._taken).sum(axis=0)
        off = np.clip(linear / np.maximum(said, _NOTHING), 1 / _MOST_OFF, _MOST_OFF)
        return self._goal.next(
            rounds=self.rounds,
            taken=self.shots,
            circuits=self._count,
            error=float(stds.max()),
            cost=needed_shots(self._per_shot, 1.0, off),
        )


def error_bars(
    first: NDArray[np.float64], beyond: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard errors, and variances with many shots, where errors no longer multiply.

    Args:
        first: (observables,) variance along the derivatives, which carry errors themselves.
        beyond: (observables,) variance from several fragments erring together, which is in `first`
            twice.
    """
    stds = np.sqrt(np.maximum(first - beyond, first / 3))
    return stds, np.maximum(first - 2 * beyond, first / 3)


def round_variance(
    per_shot: Sequence[NDArray[np.float64]], shots: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """(fragments, observables) variance that a round has by itself, never quite zero.

    Rounds of shots that all read the same count by how many these are.
    """
    least = [_NOTHING / max(1, int(each.sum())) for each in shots]
    return np.asarray(np.maximum(predicted_variance(per_shot, shots), np.array(least)[:, None]))


def averaged(
    before: NDArray[np.float64], now: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance of an average of independent estimates, per fragment; `share` is that of `now`."""
    return np.asarray(((1 - share) ** 2 * before.T + share**2 * now.T).T)


def _spread(per_shot: NDArray[np.float64]) -> NDArray[np.float64]:
    """(parts,) standard deviation of a shot, from (observables, parts) variances."""
    variance = per_shot.sum(axis=0)
    return np.asarray(np.sqrt((1 - _DOUBT) * variance + _DOUBT * variance.mean()))
