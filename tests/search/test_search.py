"""The finder as a whole: never wrong, always feasible, deterministic."""

from __future__ import annotations

import numpy as np
import pytest
from finder_oracle import cheapest
from plain_account import plain_cost, plain_widths
from small_problems import random_problem

from qdreamer_lab.search.driver import search
from qdreamer_lab.search.problem import CutProblem, InfeasibleError

#: How far below the answer the oracle looks for something better, in bits.
MARGIN = 0.01


@pytest.mark.parametrize("block", range(10))
def test_proven_plans_are_as_cheap_as_the_cheapest_of_all(block: int) -> None:
    for seed in range(100 * block, 100 * (block + 1)):
        problem = random_problem(seed)
        found = search(problem, seed=seed)
        cheapest_cost = cheapest(problem, found.log2_overhead + MARGIN)
        assert found.proven_optimal
        assert found.log2_overhead == pytest.approx(cheapest_cost, abs=1e-6)
        assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead, abs=1e-6)
        assert max(plain_widths(problem, found.labels).values()) <= problem.max_qubits


def test_a_wider_device_never_costs_more() -> None:
    for seed in range(40):
        base = random_problem(seed)
        costs = [
            search(CutProblem(base.num_qubits, base.pairs, base.gate_cost, w)).log2_overhead
            for w in range(1, base.num_qubits + 1)
        ]
        assert costs == sorted(costs, reverse=True)
        assert costs[-1] == 0.0


def test_one_seed_gives_one_answer() -> None:
    rng = np.random.default_rng(3)
    pairs = np.array([rng.choice(40, 2, replace=False) for _ in range(200)])
    problem = CutProblem(40, pairs, rng.random(200) * 5, 12)
    first, second = (search(problem, seed=4, time_limit_s=60.0) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)


def test_too_few_fragments_name_the_width_that_works() -> None:
    pairs = np.array([[0, 1], [1, 2]])
    with pytest.raises(InfeasibleError, match=r"smallest max_qubits that works is 5"):
        CutProblem(10, pairs, np.ones(2), 4, max_fragments=2)
    with pytest.raises(InfeasibleError, match=r"smallest max_qubits that works is 2"):
        CutProblem(10, pairs, np.ones(2), 1, kinds=("wire",))
