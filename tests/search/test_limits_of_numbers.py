"""Numbers far too large, frontiers far too wide, and time that is out while kernels work."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.search import nonadditive
from qdreamer_lab.search.budget import Budget
from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.finder import SEEDS, make_ready, search, search_pareto
from qdreamer_lab.search.memory import forget
from qdreamer_lab.search.problem import CutProblem
from qdreamer_lab.search.problem_arrays import limits_of
from qdreamer_lab.search.schedule import improve
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.strategy import cost_of, is_feasible, no_plan
from qdreamer_lab.search.strategies.sweep import MOST_SLOTS, Sweep
from qdreamer_lab.search.windows import windowed_bound
from tests.search.plain_account import plain_cost
from tests.search.small_problems import random_problem

PATIENT = 600.0

HUGE = [2**40, 2**62, 2**63 - 1, 2**63, 10**30]


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> None:
    forget()


def dense(n: int = 9, m: int = 40, width: int = 4, **limits: object) -> CutProblem:
    """Blocks between random qubits."""
    rng = np.random.default_rng(5)
    pairs = np.array([rng.choice(n, 2, replace=False) for _ in range(m)], np.int64)
    sine = rng.uniform(0.1, 1, m)
    return CutProblem(n, pairs, 2 * np.log2(1 + 2 * sine), width, sine=sine, **limits)


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("cost", ["lo", "locc", "work"])
def test_more_fragments_than_can_be_counted_are_any_number(huge: int, cost: str) -> None:
    plain = search(dense(m=24), cost=cost, time_limit_s=PATIENT, rounds=0)
    forget()
    found = search(dense(m=24, max_fragments=huge), cost=cost, time_limit_s=PATIENT, rounds=0)
    assert found.log2_overhead <= plain.log2_overhead + 1e-6
    assert found.log2_lower_bound <= plain.log2_overhead + 1e-6


@pytest.mark.parametrize("huge", HUGE)
def test_wider_than_can_be_counted_is_as_wide_as_the_circuit(huge: int) -> None:
    wide = replace(dense(), max_qubits=50)
    plain = search(wide, cost="work", time_limit_s=PATIENT, rounds=0)
    for problem in (
        replace(wide, max_qubits=huge),
        replace(wide, max_qubits=huge, max_fragments=huge),
        replace(wide, max_qubits=huge, devices=(huge, huge, 2)),
    ):
        forget()
        found = search(problem, cost="work", time_limit_s=PATIENT, rounds=0)
        assert found.log2_overhead == pytest.approx(plain.log2_overhead, abs=3.0)
        assert limits_of(problem, 80).max_width == min(huge, 2**40)
    (front,) = search_pareto(wide, [huge], cost="work", time_limit_s=PATIENT, rounds=0)
    assert np.isfinite(front.log2_overhead)


@pytest.mark.parametrize("seed", [2**48 - 1, 2**48, 2**53, 2**60, 2**62 - 1])
@pytest.mark.parametrize("cost", ["lo", "locc"])
def test_any_seed_does(seed: int, cost: str) -> None:
    problem = dense(m=24)
    found = search(problem, cost=cost, seed=seed, time_limit_s=PATIENT, rounds=3)
    forget()
    again = search(problem, cost=cost, seed=seed % SEEDS, time_limit_s=PATIENT, rounds=3)
    assert np.array_equal(found.labels, again.labels)
    search_pareto(problem, [3, 4], cost=cost, seed=seed, time_limit_s=PATIENT, rounds=1)
    limited = replace(problem, max_fragments=4)
    search(limited, cost=cost, seed=seed, time_limit_s=PATIENT, rounds=3)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_frontier_of_more_pieces_than_bytes_can_number_is_not_swept(width: int) -> None:
    rng = np.random.default_rng(1)
    pairs = np.vstack([rng.permutation(600).reshape(-1, 2) for _ in range(12)])
    cost = 2 * np.log2(1 + 2 * rng.uniform(0.1, 1, len(pairs)))
    problem = CutProblem(600, pairs, cost, width, kinds=("gate",))
    graph = piece_graph(problem)
    assert len(graph.order)
    assert graph.widest > MOST_SLOTS
    best = no_plan()
    assert Sweep(room=48).improve(graph, best, 0) is best
    plan, _ = improve(graph, 0, Budget(0.0))
    assert is_feasible(graph, plan.labels)
    assert cost_of(graph, plan.labels) == pytest.approx(plan.cost)
    found = search(problem, time_limit_s=0.0)
    assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead)
    bound = windowed_bound(graph, 4, np.zeros(1, np.int64))
    assert bound <= found.log2_overhead + 1e-6


@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
def test_an_exhaustive_search_ends_when_it_is_told_to(cost: str) -> None:
    problem = dense(m=10, width=3)
    stopped = search_exhaustively(problem, cost, stop=np.ones(1, np.int64))
    assert stopped[0] is None
    assert not stopped[2]
    small = random_problem(2, max_blocks=4)
    assert search_exhaustively(small, cost, stop=np.zeros(1, np.int64))[2]


def test_an_exhaustive_search_is_told_when_time_is_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    def endless(problem, cost, upper, max_nodes, stop):
        patience = time.perf_counter() + 120
        while not stop[0] and time.perf_counter() < patience:
            time.sleep(0.005)
        told.append(int(stop[0]))
        return None, upper, False

    make_ready("locc")
    monkeypatch.setattr(nonadditive, "search_exhaustively", endless)
    for prove in (False, True):
        search(dense(m=10, width=3), cost="locc", time_limit_s=0.1, prove=prove)
    assert told == [1, 1]


def test_annealing_under_the_real_price_ends_when_it_is_told_to() -> None:
    graph = piece_graph(dense(m=60))
    plan = RandomPlan(1).improve(graph, no_plan(), 0)
    told = np.ones(1, np.int64)
    left = nonadditive._anneal(dense(m=60), "locc", graph, plan.labels, 0, told)
    assert np.array_equal(left, graph.endpoint_labels(plan.labels))
    went_on = nonadditive._anneal(dense(m=60), "locc", graph, plan.labels, 0, 0 * told)
    assert not np.array_equal(left, went_on)
