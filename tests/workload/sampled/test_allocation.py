"""Shots are dealt out in full, where they are worth most."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.workload.sampled.allocation import neyman, rounded


@given(
    st.lists(st.floats(0, 1e3), min_size=1, max_size=20), st.integers(1, 9), st.integers(0, 10_000)
)
def test_shots_are_all_dealt_out_and_nobody_gets_less_than_the_floor(spread, floor, more):
    floors = np.full(len(spread), floor)
    total = floor * len(spread) + more
    shots = neyman(np.array(spread), total, floors)
    assert shots.sum() == total
    assert shots.min() >= floor


@given(st.lists(st.integers(2, 10**6), min_size=1, max_size=60))
def test_rounded_shots_are_few_numbers_and_no_more_in_all(shots):
    shots = np.array(shots)
    found = rounded(shots)
    assert found.sum() <= max(shots.sum(), 2 * len(shots))
    assert found.min() >= 2
    assert len(set(found.tolist())) <= 2 + np.log2(shots.max())


def test_shots_go_where_the_spread_is():
    assert neyman(np.array([3.0, 1.0, 0.0]), 402, np.full(3, 2)).tolist() == [300, 100, 2]
