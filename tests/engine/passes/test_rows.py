"""Where rows lie, against counting."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.passes.gates import Gate
from qdreamer_lab.engine.passes.plan import PassCosts, plan_passes
from qdreamer_lab.engine.passes.rows import jumps_of, strides_of
from qdreamer_lab.kernels.simulate.tile_pass import BRANCH, DENSE_TWO

RANKS = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@given(RANKS)
def test_the_last_branch_changes_fastest(ranks):
    gates = [Gate(BRANCH, (0,), rank) for rank in ranks]
    strides = strides_of(gates)
    rows = [
        sum(digit * stride for digit, stride in zip(digits, strides, strict=True))
        for digits in itertools.product(*map(range, ranks))
    ]
    assert rows == list(range(len(rows)))


@settings(deadline=None)
@given(RANKS, st.integers(0, 99))
def test_every_row_is_reached_once(ranks, seed):
    rng = np.random.default_rng(seed)
    gates = []
    for rank in ranks:
        gates.append(Gate(BRANCH, (int(rng.integers(9)),), rank))
        gates.append(Gate(DENSE_TWO, tuple(rng.choice(9, 2, replace=False).tolist())))
    strides = strides_of(gates)
    rows = np.zeros(1, np.int64)
    for step in plan_passes(9, tuple(gates), PassCosts(tile_bits=6)):
        jumps = jumps_of(step, strides)
        assert jumps[0] == 0
        assert len(jumps) == step.growth
        rows = (rows[:, None] + jumps).ravel()
    assert sorted(rows.tolist()) == list(range(int(np.prod(ranks))))
