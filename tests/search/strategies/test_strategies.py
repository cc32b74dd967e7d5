"""Every strategy by itself: feasible plans, honest costs, valid bounds."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from qdreamer_lab.search import finder
from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.finder import search, search_pareto
from qdreamer_lab.search.problem import CutProblem
from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.multilevel import Multilevel
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.separate_blocks import Separate
from qdreamer_lab.search.strategies.strategy import Plan, Strategy, cost_of, is_feasible, no_plan
from qdreamer_lab.search.strategies.sweep import Sweep


def ladder(rungs: int, max_qubits: int) -> CutProblem:
    """Two layers of blocks on a ladder, cheap along the rails and dear on the rungs."""
    rails = [(2 * k + side, 2 * k + 2 + side) for k in range(rungs - 1) for side in (0, 1)]
    steps = [(2 * k, 2 * k + 1) for k in range(rungs)]
    pairs = np.array((rails + steps) * 2)
    cost = np.array(([1.5] * len(rails) + [5.0] * len(steps)) * 2)
    return CutProblem(2 * rungs, pairs, cost, max_qubits)


@pytest.mark.parametrize("strategy", [Multilevel(), RandomPlan(5), Separate(), Sweep(room=5)])
def test_a_strategy_gives_a_feasible_plan_at_the_price_it_names(strategy: Strategy) -> None:
    graph = piece_graph(ladder(8, 5))
    plan = strategy.improve(graph, no_plan(), seed=1)
    assert is_feasible(graph, plan.labels)
    assert cost_of(graph, plan.labels) == pytest.approx(plan.cost)
    better = Anneal(moves=5_000).improve(graph, plan, seed=1)
    assert is_feasible(graph, better.labels)
    assert better.cost <= plan.cost


def test_a_ladder_is_cut_across_its_rails() -> None:
    """Fragments of four rungs: one place to cut, two rails of two layers each."""
    found = search(ladder(8, 8), time_limit_s=600.0)
    assert found.proven_optimal
    assert found.log2_overhead == pytest.approx(4 * 1.5)


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


def test_the_exhaustive_search_agrees_with_the_sweep() -> None:
    problem = ladder(3, 4)
    _, value, complete = search_exhaustively(problem, "lo")
    assert complete
    assert value == pytest.approx(search(problem, time_limit_s=600.0).log2_overhead)
    labels, value, complete = search_exhaustively(problem, "lo", value)
    assert labels is None
    assert complete


@pytest.mark.parametrize("several", [False, True])
def test_a_time_limit_does_not_run_while_kernels_are_compiled(
    monkeypatch: pytest.MonkeyPatch, several: bool
) -> None:
    now, limits = [0.0], []

    def compiled(cost: str) -> list[object]:
        now[0] += 5000.0
        return []

    def additive(*arguments: object) -> tuple[object, float, float]:
        limits.append(arguments[2])
        return np.zeros((len(ladder(3, 4).pairs), 2), np.int64), 0.0, 0.0

    monkeypatch.setattr(finder, "_ready", set())
    monkeypatch.setattr(finder, "samples", compiled)
    monkeypatch.setattr(finder, "_additive", additive)
    monkeypatch.setattr(finder, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    for _ in range(2):  # the second finds everything compiled
        if several:
            search_pareto(ladder(3, 4), [3], time_limit_s=2.0)
        else:
            search(ladder(3, 4), time_limit_s=2.0)
    assert limits == [5002.0, 5002.0]


_ALL_KERNELS = """
import importlib, pkgutil
import numpy as np
from numba.core.dispatcher import Dispatcher
import qdreamer_lab.kernels as kernels
from qdreamer_lab.search.finder import make_ready, search, search_pareto
from qdreamer_lab.search.cost_models import MODELS
from qdreamer_lab.search.problem import CutProblem, InfeasibleError

modules = [importlib.import_module(one.name)
           for one in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}.")]

def compiled():
    return {one.py_func.__qualname__: len(one.overloads)
            for module in modules for one in vars(module).values() if isinstance(one, Dispatcher)}

rng = np.random.default_rng(0)
for cost in MODELS:
    make_ready(cost)
    before = compiled()
    for n, m, width in ((6, 10, 3), (24, 150, 10)):
        pairs = np.array([rng.permutation(n)[:2] for _ in range(m)], np.int64)
        for fragments in (None, 3):
            problem = CutProblem(n, pairs, rng.uniform(0.1, 4, m), width, sine=np.ones(m),
                                 max_fragments=fragments)
            try:
                search(problem, cost=cost, time_limit_s=0.05)
                search(problem, cost=cost, time_limit_s=0.05, prove=True)
                search_pareto(problem, [width, width + 1], cost=cost, time_limit_s=0.05)
            except InfeasibleError:
                pass
    assert compiled() == before, (cost, before, compiled())
"""


def test_no_search_compiles_what_was_not_made_ready() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALL_KERNELS], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
