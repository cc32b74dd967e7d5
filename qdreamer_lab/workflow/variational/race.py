"""Several starts at once, of which those that fall behind are stopped early.

After so many evaluations, and twice, four times … as many, all starts that are still on their way
are compared, and the worse half is stopped (successive halving). All wait for the last one there:
so it depends on numbers only who is stopped, not on who is fast, and a run that is taken up again
goes the same way.

    Jamieson & Talwalkar, AISTATS 2016, arXiv:1502.07943
"""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

__all__ = ["Race"]

_LOOK_S = 0.1


class Race:
    """Where starts meet.

    Args:
        starts: How many there are.
        review: Evaluations before the first comparison; 0 for none.
        close: A start is not stopped that is as near to the best as this.
        stop: Set from elsewhere to give all up.
    """

    def __init__(
        self, starts: int, review: int, close: float = 0.0, stop: threading.Event | None = None
    ) -> None:
        self._review, self._close, self._stop = review, close, stop
        self._all = frozenset(range(starts))
        self._over: dict[int, float | None] = {}
        self._told: dict[int, dict[int, float]] = {}
        self._kept: dict[int, frozenset[int]] = {}
        self._broken = False
        self._news = threading.Condition()

    def goes_on(self, start: int, evaluations: int, best: float) -> bool:
        """Whether a start is to make another evaluation; it waits for others at a comparison.

        Args:
            start: Which.
            evaluations: How many it has made.
            best: The lowest value among them.

        Raises:
            CancelledError: All was given up.
        """
        self._check()
        if not self._is_review(evaluations):
            return True
        with self._news:
            self._told.setdefault(evaluations, {})[start] = best
            self._decide(evaluations)
            self._news.notify_all()
            while evaluations not in self._kept:
                self._check()
                self._news.wait(_LOOK_S)
            return start in self._kept[evaluations]

    def over(self, start: int, best: float | None) -> None:
        """A start has ended by itself with its best value, or was stopped: None."""
        with self._news:
            self._over[start] = best
            for evaluations in self._told:
                self._decide(evaluations)
            self._news.notify_all()

    def give_up(self) -> None:
        """Have all starts end: those that wait now, others after their next evaluation."""
        with self._news:
            self._broken = True
            self._news.notify_all()

    def _check(self) -> None:
        if self._broken or (self._stop is not None and self._stop.is_set()):
            raise CancelledError

    def _is_review(self, evaluations: int) -> bool:
        if not self._review or evaluations % self._review:
            return False
        return (evaluations // self._review).bit_count() == 1

    def _decide(self, evaluations: int) -> None:
        """Compare, once all have come who will."""
        here = self._told[evaluations]
        if evaluations in self._kept or not self._all <= {*here, *self._over}:
            return
        # Who came here was not over then: all that are over had fewer evaluations.
        ended = {s: value for s, value in self._over.items() if value is not None}
        standing = sorted((value, start) for start, value in {**ended, **here}.items())
        limit = standing[0][0] + self._close
        half = -(-len(standing) // 2)
        kept = standing[:half] + [each for each in standing[half:] if each[0] <= limit]
        self._kept[evaluations] = frozenset(start for _, start in kept)
