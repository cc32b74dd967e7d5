"""How time is shared: bounds never keep a search that gets somewhere from half of it."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.search import shares as shares_module
from qdreamer_lab.search.budget import Budget
from qdreamer_lab.search.shares import GROWTH, Shares, Stages, may_bound

RUN = settings(deadline=None, max_examples=60)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        """Seconds since it was made."""
        return self.now


@RUN
@given(
    first=st.floats(0.001, 1.0),
    growth=st.lists(st.floats(0.5, GROWTH), min_size=6, max_size=6),
    one_round=st.floats(0.001, 0.5),
    better=st.booleans(),
    prove=st.booleans(),
)
def test_bounds_take_half_of_the_time_and_more_only_once_nothing_gets_better(
    first: float, growth: list[float], one_round: float, better: bool, prove: bool
) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shares_module, "time", clock)
        deadline, cost = 100.0, 1000.0
        shares = Shares(Budget(deadline, None, prove=prove), cost)
        took = first * np.cumprod([1.0, *growth])
        stages = Stages(dict(enumerate(took.tolist())), shares, 0)
        bounding, begun = 0.0, []
        for number in count():
            for seconds in stages.turn(number):
                begun.append(seconds)
                bounding += seconds
                clock.now += seconds
                share = 1 / 2 if better else 2 / 3
                allowed = max(share * clock.now, deadline / 2 if prove else 0.0, first)
                assert bounding <= allowed + 1e-9
            if clock.now >= deadline:
                break
            clock.now += one_round
            cost -= better
            shares.saw(cost)
        assert begun == took[: len(begun)].tolist()
        assert len(begun) == len(took) or bounding + GROWTH * begun[-1] > deadline / 4


def test_counted_in_rounds_bounds_come_when_they_are_due() -> None:
    shares = Shares(Budget(np.inf, 100), 5.0)
    stages = Stages({4: "first", 16: "second", 64: "third"}, shares, skip=5)
    seen = [(number, effort) for number in range(5, 100) for effort in stages.turn(number)]
    assert seen == [(16, "second"), (64, "third")]


def test_a_search_that_gets_nowhere_lets_bounds_go_ahead() -> None:
    assert may_bound(1.0, 1.0, 1.0, 0.0)
    assert not may_bound(1.1, 1.0, 1.0, 0.0)
    assert may_bound(1.9, 1.0, 0.0, 0.0)
    assert not may_bound(2.1, 1.0, 0.0, 0.0)
    assert may_bound(5.0, 0.0, 0.0, 5.0)
