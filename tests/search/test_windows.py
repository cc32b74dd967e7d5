"""Bounds from windows of time: never above the optimum, and worth something where proofs fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.kernels.sweep.sweep import NEVER
from qdreamer_lab.search.finder import search
from qdreamer_lab.search.problem import CutProblem
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.strategy import no_plan
from qdreamer_lab.search.windows import Bounds, repeats, windowed_bound
from tests.search.finder_oracle import cheapest
from tests.search.hard_problems import SUITE
from tests.search.small_problems import random_problem


@pytest.mark.parametrize("kinds", [("gate", "wire"), ("gate",), ("wire",)])
def test_no_plan_of_a_small_circuit_costs_less_than_its_windows(kinds: tuple[str, ...]) -> None:
    tight = 0
    for seed in range(300):
        base = random_problem(seed)
        problem = replace(base, kinds=kinds, max_qubits=max(base.max_qubits, 3 - len(kinds)))
        best = cheapest(problem)
        for room in (1, 5, 1000):
            bound = windowed_bound(piece_graph(problem), room, NEVER)
            assert bound <= best + 1e-6
        tight += bound >= best - 1e-6
    assert tight > 200


def test_a_known_plan_and_what_was_swept_before_leave_the_bound_below_the_optimum() -> None:
    tight = 0
    for seed in range(200):
        problem = random_problem(seed)
        graph, best = piece_graph(problem), cheapest(problem)
        plans = [RandomPlan(tries).improve(graph, no_plan(), seed) for tries in (1, 30)]
        known, bound = Bounds(), 0.0
        for room, plan in zip((2, 8, 8, 500), (*plans, *plans), strict=True):
            again = windowed_bound(graph, room, NEVER, plan, known)
            assert bound - 1e-9 <= again <= best + 1e-6
            bound = again
        tight += bound >= best - 1e-6
    assert tight > 150


def test_layers_end_where_pairs_repeat_and_never_descend_along_a_wire() -> None:
    for seed in range(50):
        pairs = random_problem(seed, max_blocks=12).pairs
        layer = repeats(pairs)
        for wire in np.unique(pairs):
            assert np.all(np.diff(layer[(pairs == wire).any(axis=1)]) >= 0)
        ends = [(*sorted(pair), int(k)) for pair, k in zip(pairs.tolist(), layer, strict=True)]
        assert len(set(ends)) == len(ends)
    step = np.array([[0, 1], [2, 1], [2, 3], [0, 3]])
    assert (
        repeats(np.concatenate((step, step[::-1, ::-1], step))).tolist()
        == np.repeat([0, 1, 2], 4).tolist()
    )


def test_steps_that_repeat_are_bounded_one_by_one() -> None:
    ring = np.array([[q, (q + 1) % 12] for q in range(12)], np.int64)
    one = CutProblem(12, ring, np.full(12, 3.0), 4)
    assert search(one, time_limit_s=60.0).log2_overhead == 9.0
    thrice = replace(one, pairs=np.tile(ring, (3, 1)), gate_cost=np.full(36, 3.0))
    assert windowed_bound(piece_graph(thrice), 500, NEVER) == pytest.approx(27.0)


@pytest.mark.parametrize("name", SUITE)
@pytest.mark.parametrize("cost", ["lo", "joint", "locc"])
def test_a_search_bounds_what_it_cannot_prove(name: str, cost: str) -> None:
    found = search(SUITE[name], cost=cost, time_limit_s=60.0, rounds=14)
    assert 1.0 < found.log2_lower_bound <= found.log2_overhead


def test_bounds_hold_when_time_is_out() -> None:
    graph = piece_graph(SUITE["multiplier"])
    stopped = np.ones(1, np.int64)
    assert windowed_bound(graph, 100, stopped) == 0.0
    assert windowed_bound(graph, 100, NEVER) > 0.0
