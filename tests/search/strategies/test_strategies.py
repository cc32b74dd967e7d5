"""Every strategy by itself: feasible plans, honest costs, valid bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.cycle import Cycle
from qdreamer_lab.search.strategies.guided_sweep import GuidedSweep
from qdreamer_lab.search.strategies.multilevel import Multilevel
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.separate_blocks import Separate
from qdreamer_lab.search.strategies.slices import Slices
from qdreamer_lab.search.strategies.strategy import (
    Plan,
    Strategy,
    cost_of,
    is_feasible,
    no_plan,
    plan_of,
)
from qdreamer_lab.search.strategies.sweep import Sweep
from tests.search.finder_oracle import cheapest
from tests.search.small_problems import ladder, random_problem


@pytest.mark.parametrize(
    "strategy",
    [
        *(Multilevel(), RandomPlan(5), Separate(), Cycle(labels=9)),
        *(Slices(3), Slices(1, trades=50), Slices(3, trades=50)),
        *(Sweep(room=5), GuidedSweep(room=5), GuidedSweep(room=900)),
    ],
)
def test_a_strategy_gives_a_feasible_plan_at_the_price_it_names(strategy: Strategy) -> None:
    graph = piece_graph(ladder(8, 5))
    plan = strategy.improve(graph, no_plan(), seed=1)
    assert is_feasible(graph, plan.labels)
    assert cost_of(graph, plan.labels) == pytest.approx(plan.cost)
    for follower in (Anneal(moves=5_000), Cycle(coarsest=4), Cycle(other=plan.labels)):
        better = follower.improve(graph, plan, seed=1)
        assert is_feasible(graph, better.labels)
        assert cost_of(graph, better.labels) == pytest.approx(better.cost)
        assert better.cost <= plan.cost


def test_trades_of_a_single_slice_never_lose_a_plan_of_whole_wires() -> None:
    graph = piece_graph(ladder(20, 10))
    plan = Multilevel().improve(graph, no_plan(), seed=0)
    for seed in range(5):
        better = Slices(1, trades=20, hot=5.0, cold=4.0).improve(graph, plan, seed)
        assert is_feasible(graph, better.labels)
        assert better.cost <= plan.cost + 1e-9


@pytest.mark.parametrize("labels", [0, 9])
def test_a_bold_cycle_gives_a_feasible_plan_at_the_price_it_names(labels: int) -> None:
    graph = piece_graph(ladder(20, 10))
    plan = RandomPlan(1).improve(graph, no_plan(), seed=1)
    cycle = Cycle(bold=True, labels=labels, coarsest=10, moves=5)
    for seed in range(5):
        found = cycle.improve(graph, plan, seed)
        assert is_feasible(graph, found.labels)
        assert cost_of(graph, found.labels) == pytest.approx(found.cost)
        assert found.cost < plan.cost


def test_every_strategy_beats_chance() -> None:
    graph = piece_graph(ladder(20, 10))
    chance = RandomPlan(1).improve(graph, no_plan(), seed=0).cost
    for strategy in (Multilevel(), Sweep(room=5)):
        assert strategy.improve(graph, no_plan(), seed=0).cost < chance / 2


def test_a_plan_keeps_the_better_cost_and_the_better_bound() -> None:
    labels = np.zeros(3, np.int64)
    plan = Plan(labels, 8.0, 2.0).improved_by(Plan(labels + 1, 6.0, 1.0))
    assert (plan.cost, plan.bound, plan.proven) == (6.0, 2.0, False)
    assert plan.improved_by(Plan(labels, 7.0, 7.0)).proven


def test_a_cycle_within_the_fragments_of_a_plan_never_loses_it() -> None:
    """Annealing starts at the plan itself, at every level, and keeps the best that it meets."""
    graph = piece_graph(ladder(12, 6))
    plan = RandomPlan(1).improve(graph, no_plan(), seed=0)
    for seed in range(5):
        better = Cycle(hot=9.0, coarsest=3).improve(graph, plan, seed)
        assert better.cost <= plan.cost + 1e-9
        plan = better


def test_labels_of_endpoints_that_cut_within_pieces_still_make_a_plan() -> None:
    problem = ladder(6, 4)
    graph = piece_graph(problem)
    labels = np.arange(2 * len(problem.pairs)).reshape(-1, 2)
    plan = plan_of(graph, labels)
    assert is_feasible(graph, plan.labels)
    assert plan.cost == pytest.approx(cost_of(graph, plan.labels))
    all_in_one = plan_of(graph, np.zeros_like(labels))
    assert len(all_in_one.labels) == 0


@pytest.mark.parametrize("kinds", [("gate", "wire"), ("gate",), ("wire",)])
def test_a_guided_sweep_proves_what_every_labelling_says(kinds: tuple[str, ...]) -> None:
    for seed in range(50):
        base = random_problem(seed)
        problem = replace(base, kinds=kinds, max_qubits=max(base.max_qubits, 3 - len(kinds)))
        graph, best = piece_graph(problem), cheapest(problem)
        for room in (1, 3, 20):
            rough = GuidedSweep(room).improve(graph, no_plan(), seed=0)
            assert rough.bound <= best + 1e-6
        plan = GuidedSweep(20_000).improve(graph, rough, seed=0)
        assert plan.cost == pytest.approx(best)
        assert plan.proven
