"""Where only wires may be cut: the search goes on, blocks stay whole, and what would work does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.search import finder
from qdreamer_lab.search.budget import Budget
from qdreamer_lab.search.finder import search, search_pareto
from qdreamer_lab.search.memory import forget
from qdreamer_lab.search.problem import CutProblem, InfeasibleError
from qdreamer_lab.search.schedule import first_plans, improve
from qdreamer_lab.search.strategies.connected_parts import Connected
from qdreamer_lab.search.strategies.cycle import Cycle
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.separate_blocks import Separate
from qdreamer_lab.search.strategies.strategy import cost_of, is_feasible, no_plan
from tests.search.finder_oracle import cheapest
from tests.search.plain_account import plain_cost, plain_widths
from tests.search.small_problems import random_problem

#: Long enough that no limit interrupts a search, which then ends with its rounds.
PATIENT = 600.0


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> None:
    forget()


def tangle(seed: int, n: int, m: int, width: int, **limits: object) -> CutProblem:
    """Blocks between random qubits, none of which may be cut."""
    rng = np.random.default_rng(seed)
    pairs = np.array([rng.choice(n, 2, replace=False) for _ in range(m)], np.int64)
    sine = rng.uniform(0.1, 1, m)
    cost, rank = 2 * np.log2(1 + 2 * sine), np.full(m, 2)
    return CutProblem(n, pairs, cost, width, sine=sine, rank=rank, kinds=("wire",), **limits)


def check(problem: CutProblem, labels: np.ndarray) -> None:
    """A plan cuts no gate and keeps the limits."""
    assert np.array_equal(labels[:, 0], labels[:, 1])
    widths = plain_widths(problem, labels)
    assert max(widths.values()) <= problem.max_qubits
    assert len(widths) <= (problem.max_fragments or len(widths))


@pytest.mark.parametrize(("width", "limits"), [(18, {}), (30, {"max_fragments": 4})])
def test_the_search_goes_on_and_finds_better_plans(width: int, limits: dict[str, int]) -> None:
    problem = tangle(1, 40, 160, width, **limits)
    graph = piece_graph(problem)
    none, made = improve(graph, 0, Budget(np.inf, 0))
    assert made == 0
    more, made = improve(graph, 0, Budget(np.inf, 12))
    assert made == 12
    assert more.cost < none.cost
    assert is_feasible(graph, more.labels)
    check(problem, graph.endpoint_labels(more.labels))


@pytest.mark.parametrize("cost", ["locc", "work"])
def test_the_search_goes_on_under_every_cost_model(cost: str) -> None:
    problem = tangle(1, 24, 60, 12)
    brief = search(problem, cost=cost, time_limit_s=PATIENT, rounds=0)
    long = search(problem, cost=cost, time_limit_s=PATIENT, rounds=12)
    assert long.log2_overhead < brief.log2_overhead
    check(problem, long.labels)


@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
@pytest.mark.parametrize("seed", range(6))
def test_what_no_time_gives_is_never_lost_to_more_of_it(cost: str, seed: int) -> None:
    problem = tangle(seed, 12, 60, 7)
    at_once = search(problem, cost=cost, time_limit_s=0.0)
    forget()
    later = search(problem, cost=cost, time_limit_s=PATIENT, rounds=2)
    assert later.log2_overhead <= at_once.log2_overhead + 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100))
def test_cycles_move_whole_blocks(seed: int, draw: int) -> None:
    base = random_problem(seed)
    problem = replace(base, kinds=("wire",), max_qubits=max(2, base.max_qubits))
    graph = piece_graph(problem)
    plan = Separate().improve(graph, no_plan(), 0)
    for cycle in (Cycle(coarsest=2), Cycle(other=plan.labels), Cycle(labels=4)):
        found = cycle.improve(graph, plan, draw)
        assert found.cost < FORBIDDEN
        assert found.cost == pytest.approx(cost_of(graph, found.labels))
        check(problem, graph.endpoint_labels(found.labels))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["lo", "locc", "work"]))
def test_answers_and_bounds_are_those_of_the_brute_force(seed: int, cost: str) -> None:
    base = random_problem(seed, max_blocks=7)
    problem = replace(base, kinds=("wire",), max_qubits=max(2, base.max_qubits))
    found = search(problem, cost=cost, time_limit_s=PATIENT, rounds=20)
    best = cheapest(problem, found.log2_overhead + 0.01, cost)
    assert found.log2_overhead >= best - 1e-6
    assert found.log2_lower_bound <= best + 1e-6
    if cost == "lo":
        assert found.log2_overhead == pytest.approx(best, abs=1e-6)
        assert plain_cost(problem, found.labels) == pytest.approx(best, abs=1e-6)


def test_parts_that_fit_are_not_cut_even_in_no_time() -> None:
    one, other = tangle(3, 8, 40, 8), tangle(4, 8, 40, 8)
    pairs = np.vstack((one.pairs, other.pairs + 8))
    order = np.random.default_rng(0).permutation(80)
    problem = CutProblem(16, pairs[order], np.full(80, 3.0), 8, kinds=("wire",))
    for limits in ({}, {"max_fragments": 2}, {"devices": (8, 8)}):
        found = search(replace(problem, **limits), time_limit_s=0.0)
        assert found.log2_overhead == 0.0
        assert found.proven_optimal
    graph = piece_graph(problem)
    assert Connected().improve(graph, no_plan(), 0).cost == 0.0
    narrow = piece_graph(replace(problem, max_qubits=7))
    assert not len(Connected().improve(narrow, no_plan(), 0).labels)


def test_in_no_time_not_every_wire_is_cut() -> None:
    graph = piece_graph(tangle(0, 16, 48, 8))
    apart, _, swept = first_plans(graph, 0)
    assert swept.cost < apart.cost / 2
    assert search(tangle(0, 16, 48, 8), time_limit_s=0.0).log2_overhead <= swept.cost


@pytest.mark.parametrize("seed", range(25))
def test_the_width_that_is_named_works(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, fragments = int(rng.integers(4, 12)), int(rng.integers(2, 5))
    problem = tangle(seed, n, int(rng.integers(n, 3 * n)), 1, max_fragments=fragments)
    with pytest.raises(InfeasibleError) as caught:
        search(problem, time_limit_s=0.5)
    wide = replace(problem, max_qubits=caught.value.smallest_max_qubits)
    found = search(wide, time_limit_s=0.0)
    if not found.proven_optimal or found.log2_overhead > 0:
        check(wide, found.labels)
    together = search_pareto(problem, [wide.max_qubits, n], time_limit_s=0.0)
    assert together[0].log2_overhead <= found.log2_overhead + 1e-9


def test_a_count_of_qubits_is_no_hint_where_wires_are_cut() -> None:
    problem = tangle(0, 8, 24, 3, max_fragments=3)  # 3 fragments of 3 hold 8 qubits, but no cut
    with pytest.raises(InfeasibleError, match="at most") as caught:
        search(problem, time_limit_s=0.5)
    assert caught.value.smallest_max_qubits > 3
    few = tangle(0, 8, 24, 2, max_fragments=3)
    assert few.is_hopeless
    with pytest.raises(InfeasibleError, match="at most"):
        search(few, time_limit_s=0.5)
    with pytest.raises(InfeasibleError, match="of 3 qubits it works"):
        replace(few, kinds=("gate", "wire"), max_fragments=None, devices=(2, 2, 2))


@pytest.mark.parametrize("works", [5, 6, 23, 39, 40])
def test_what_would_work_is_found_by_bisection(works: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def any_plan(graph, seed, stop, *, thorough):
        tried.append(graph.limits.max_width)
        if graph.limits.max_width < works:
            return no_plan()
        return replace(no_plan(), cost=0.0)

    monkeypatch.setattr(finder, "any_plan", any_plan)
    problem = tangle(0, 40, 60, 4, max_fragments=10)
    assert finder._smallest_width(problem, 0, np.inf) == works
    assert len(tried) <= 2 * (1 + math.ceil(math.log2(40)))


def test_without_time_what_would_work_is_a_single_fragment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "HINT_S", 0.0)
    problem = tangle(0, 40, 60, 4, max_fragments=10)
    assert finder._smallest_width(problem, 0, 0.0) == 40
