"""Shares the time of a search between better plans and bounds on them.

Bounds take at most half of the time while plans still get better, and up to two thirds once they
have not for long: then a proof is what is left to find. Counted in rounds, bounds come before the
rounds that they are due at instead, so that an answer depends on no clock.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qdreamer_lab.search.budget import Budget

__all__ = ["Shares", "Stages", "may_bound"]

#: How many times as long as the one before a stage of bounds may be expected to take.
GROWTH = 4.0

#: The search gets nowhere once it has taken this many times as long as until its last better plan.
PATIENCE = 4.0

Effort = TypeVar("Effort")


def may_bound(bounding: float, refining: float, improved: float, promised: float) -> bool:
    """Whether bounds have their turn.

    Args:
        bounding: Seconds that bounds will have taken after it, as far as can be expected.
        refining: Seconds that the search for better plans has taken.
        improved: Seconds that it had taken when it last found one.
        promised: Seconds that bounds may take in any case.
    """
    idle = max(0.0, refining - PATIENCE * improved)
    return bounding <= max(promised, refining + idle)


class Shares:
    """What plans and bounds have taken of the time since this was made.

    Args:
        budget: How long to go on; where a proof is asked for, bounds are promised half of that.
        cost: Cost of the best plan.
    """

    def __init__(self, budget: Budget, cost: float) -> None:
        self._began, self._cost = time.perf_counter(), cost
        self._bounding = self._improved = 0.0
        self._promised = (budget.deadline - self._began) / 2 if budget.prove else 0.0
        self._by_clock = budget.rounds is None

    def saw(self, cost: float) -> None:
        """Note what the best plan costs."""
        if cost < self._cost:
            self._cost, self._improved = cost, self._refining()

    def allow(self, seconds: float) -> bool:
        """Whether bounds that are expected to take so long have their turn."""
        bounding = self._bounding + seconds
        fair = may_bound(bounding, self._refining(), self._improved, self._promised)
        return fair or not self._by_clock

    def bounded(self, seconds: float) -> None:
        """Note how long bounds took."""
        self._bounding += seconds

    def _refining(self) -> float:
        return time.perf_counter() - self._began - self._bounding


class Stages(Generic[Effort]):
    """Ever greater efforts for a bound, one after the other.

    Args:
        efforts: By the number of the round that they are due before.
        shares: What they have to wait for.
        skip: Rounds that an earlier search has made, with what was due before them.
    """

    def __init__(self, efforts: Mapping[int, Effort], shares: Shares, skip: int) -> None:
        self._ahead = sorted((due for due in efforts if due >= skip), reverse=True)
        self._efforts, self._shares, self._took = efforts, shares, 0.0

    def turn(self, number: int) -> Iterator[Effort]:
        """The effort that has its turn before round `number`, if any, and time what is done."""
        if not self._ahead or self._ahead[-1] > number:
            return
        if not self._shares.allow(GROWTH * self._took):
            return
        effort, began = self._efforts[self._ahead.pop()], time.perf_counter()
        try:
            yield effort
        finally:
            self._took = time.perf_counter() - began
            self._shares.bounded(self._took)
