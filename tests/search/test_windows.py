"""Bounds from windows of time: never above the optimum, and worth something where proofs fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.kernels.sweep.sweep import NEVER
from qdreamer_lab.search.finder import search
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.windows import windowed_bound
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
