"""Every strategy by itself: feasible plans, honest costs, valid bounds."""

from __future__ import annotations

import numpy as np
import pytest

from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.multilevel import Multilevel
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.separate_blocks import Separate
from qdreamer_lab.search.strategies.strategy import Plan, Strategy, cost_of, is_feasible, no_plan
from qdreamer_lab.search.strategies.sweep import Sweep
from tests.search.small_problems import ladder


@pytest.mark.parametrize("strategy", [Multilevel(), RandomPlan(5), Separate(), Sweep(room=5)])
def test_a_strategy_gives_a_feasible_plan_at_the_price_it_names(strategy: Strategy) -> None:
    graph = piece_graph(ladder(8, 5))
    plan = strategy.improve(graph, no_plan(), seed=1)
    assert is_feasible(graph, plan.labels)
    assert cost_of(graph, plan.labels) == pytest.approx(plan.cost)
    better = Anneal(moves=5_000).improve(graph, plan, seed=1)
    assert is_feasible(graph, better.labels)
    assert better.cost <= plan.cost


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
