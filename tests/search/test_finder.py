"""The finder as a whole: never wrong, always feasible, deterministic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.finder import search, search_pareto
from qdreamer_lab.search.problem import CutProblem, InfeasibleError
from tests.search.finder_oracle import cheapest
from tests.search.plain_account import plain_cost, plain_widths
from tests.search.small_problems import ladder, random_problem

#: How far below the answer the oracle looks for something better, in bits.
MARGIN = 0.01

#: Long enough that no limit interrupts a search, which then ends with its rounds.
PATIENT = 600.0

#: Rounds of refinement, after which a search ends though nothing is proven.
ROUNDS = 20


def check(problem: CutProblem, cost: str, seed: int) -> bool:
    """Compare an answer with the oracle; return whether it was proven."""
    found = search(problem, cost=cost, seed=seed, time_limit_s=PATIENT, rounds=ROUNDS)
    best = cheapest(problem, found.log2_overhead + MARGIN, cost)
    assert found.log2_overhead >= best - 1e-6
    assert found.log2_lower_bound <= best + 1e-6
    if found.proven_optimal:
        assert found.log2_overhead == pytest.approx(best, abs=1e-6)
    assert plan_price(problem, found.labels, cost) == pytest.approx(found.log2_overhead, abs=1e-6)
    widths = plain_widths(problem, found.labels)
    assert max(widths.values()) <= problem.max_qubits
    if problem.max_fragments is not None:
        assert len(widths) <= problem.max_fragments
        room = problem.max_fragments * problem.max_qubits
        assert sum(widths.values()) + problem.idle_qubits <= room
    return found.proven_optimal


@pytest.mark.parametrize("block", range(10))
def test_lo_plans_are_proven_and_as_cheap_as_the_cheapest_of_all(block: int) -> None:
    for seed in range(100 * block, 100 * (block + 1)):
        problem = random_problem(seed)
        assert check(problem, "lo", seed)
        found = search(problem, seed=seed, rounds=ROUNDS)
        assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead, abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.floats(0.0, 1.0)), max_size=9),
    st.integers(1, 6),
    st.sampled_from(["lo", "joint", "locc"]),
)
def test_no_circuit_makes_a_proof_wrong(
    blocks: list[tuple[int, int, float]], max_qubits: int, cost: str
) -> None:
    pairs = np.array([(a, (a + d) % 6) for a, d, _ in blocks], np.int64).reshape(-1, 2)
    sine = np.array([s for *_, s in blocks])
    problem = CutProblem(6, pairs, 2 * np.log2(1 + 2 * sine), max_qubits, sine=sine)
    if len(blocks):
        check(problem, cost, 0)


@pytest.mark.parametrize("cost", ["joint", "locc"])
def test_shared_decompositions_are_priced_and_proven_right(cost: str) -> None:
    for seed in range(150):
        assert check(random_problem(seed), cost, seed)


def test_work_is_proven_right_on_shorter_circuits() -> None:
    for seed in range(300):
        assert check(random_problem(seed, max_blocks=4), "work", seed)


@pytest.mark.parametrize("kinds", [("gate",), ("wire",)])
def test_one_kind_of_cut_is_enough_where_the_other_is_forbidden(kinds: tuple[str, ...]) -> None:
    for seed in range(150):
        base = random_problem(seed)
        problem = replace(base, kinds=kinds, max_qubits=max(2, base.max_qubits))
        check(problem, "lo", seed)


def test_a_limit_on_fragments_is_kept() -> None:
    for seed in range(150):
        base = random_problem(seed)
        fragments = -(-base.num_qubits // base.max_qubits)
        check(replace(base, max_fragments=fragments), "lo", seed)
        check(replace(base, max_fragments=fragments + 1), "joint", seed)


def test_a_wider_device_never_costs_more_and_widths_agree_with_single_searches() -> None:
    for seed in range(60):
        problem = random_problem(seed)
        widths = list(range(1, problem.num_qubits + 1))
        together = search_pareto(problem, widths, time_limit_s=PATIENT, rounds=ROUNDS)
        costs = [found.log2_overhead for found in together]
        assert costs == sorted(costs, reverse=True)
        assert costs[-1] == 0.0
        for width, found in zip(widths, together, strict=True):
            alone = search(replace(problem, max_qubits=width), time_limit_s=PATIENT, rounds=ROUNDS)
            assert found.log2_overhead == pytest.approx(alone.log2_overhead)
            assert found.proven_optimal


@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
def test_one_seed_gives_one_answer(cost: str) -> None:
    rng = np.random.default_rng(3)
    pairs = np.array([rng.choice(30, 2, replace=False) for _ in range(90)])
    problem = CutProblem(30, pairs, rng.random(90) * 3, 12, sine=rng.random(90))
    first, second = (
        search(problem, cost=cost, seed=4, time_limit_s=PATIENT, rounds=ROUNDS) for _ in range(2)
    )
    assert np.array_equal(first.labels, second.labels)
    assert first.log2_overhead == second.log2_overhead


def test_time_limit_zero_still_gives_a_plan() -> None:
    rng = np.random.default_rng(5)
    pairs = np.array([rng.choice(127, 2, replace=False) for _ in range(400)])
    problem = CutProblem(127, pairs, rng.random(400) * 5, 30)
    found = search(problem, time_limit_s=0.0)
    assert max(plain_widths(problem, found.labels).values()) <= 30


def test_large_circuits_get_a_plan() -> None:
    rng = np.random.default_rng(6)
    pairs = np.array([rng.choice(400, 2, replace=False) for _ in range(6_000)])
    problem = CutProblem(400, pairs, np.full(6_000, 2 * np.log2(3)), 50)
    found = search(problem, time_limit_s=5.0)
    assert max(plain_widths(problem, found.labels).values()) <= 50
    assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead)
    assert found.log2_overhead < 0.95 * problem.gate_cost.sum() * 7 / 8


def test_a_ladder_is_cut_across_its_rails() -> None:
    """Fragments of four rungs: one place to cut, two rails of two layers each."""
    found = search(ladder(8, 8), time_limit_s=600.0)
    assert found.proven_optimal
    assert found.log2_overhead == pytest.approx(4 * 1.5)


def test_work_may_ask_for_cuts_where_none_are_needed() -> None:
    """Twenty qubits in a row fit, but two fragments of ten take a thousandth of the work."""
    pairs = np.array([[q, q + 1] for q in range(19)])
    problem = CutProblem(20, pairs, np.full(19, 2 * np.log2(3)), 20, rank=np.full(19, 2))
    found = search(problem, cost="work", time_limit_s=PATIENT, rounds=ROUNDS)
    whole = plan_price(problem, np.zeros((19, 2), np.int64), "work")
    assert found.log2_overhead < whole - 6


def test_of_equally_cheap_plans_the_balanced_one_is_chosen() -> None:
    pairs = np.array([[q, q + 1] for q in range(19)] * 2)
    problem = CutProblem(20, pairs, np.full(38, 2 * np.log2(3)), 14)
    found = search(problem, time_limit_s=PATIENT, rounds=ROUNDS)
    assert sorted(plain_widths(problem, found.labels).values()) == [10, 10]


def test_nothing_to_cut_costs_nothing() -> None:
    empty = CutProblem(5, np.empty((0, 2), np.int64), np.empty(0), 2)
    assert search(empty).log2_overhead == 0.0
    fits = CutProblem(3, np.array([[0, 1], [1, 2]]), np.ones(2), 3)
    assert search(fits).proven_optimal
    apart = CutProblem(4, np.array([[0, 1], [2, 3]]), np.ones(2), 2)
    assert search(apart).log2_overhead == 0.0


def test_too_few_fragments_name_the_width_that_works() -> None:
    pairs = np.array([[0, 1], [1, 2]])
    with pytest.raises(InfeasibleError, match=r"smallest max_qubits that works is 5"):
        CutProblem(10, pairs, np.ones(2), 4, max_fragments=2)
    with pytest.raises(InfeasibleError, match=r"smallest max_qubits that works is 2"):
        CutProblem(10, pairs, np.ones(2), 1, kinds=("wire",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs": np.array([[0, 5]])}, "not there"),
        ({"pairs": np.array([[1, 1]])}, "twice"),
        ({"gate_cost": np.array([np.inf])}, "finite"),
        ({"kinds": ("teleport",)}, "kinds"),
        ({"max_qubits": 0}, "max_qubits"),
        ({"max_fragments": 0}, "max_fragments"),
    ],
)
def test_nonsense_is_refused(changes: dict, message: str) -> None:
    arguments = {"num_qubits": 2, "pairs": np.array([[0, 1]]), "gate_cost": np.ones(1)}
    with pytest.raises(ValueError, match=message):
        CutProblem(**{**arguments, "max_qubits": 2, **changes})
    with pytest.raises(ValueError, match="cost must be one of"):
        search(CutProblem(**arguments, max_qubits=1), cost="cheap")


def test_a_trade_off_without_blocks_or_widths_is_no_error():
    bare = CutProblem(3, np.empty((0, 2), np.int64), np.empty(0), 1)
    assert [found.log2_overhead for found in search_pareto(bare, [1, 3])] == [0.0, 0.0]
    assert search_pareto(bare, []) == []


def test_the_exhaustive_search_agrees_with_the_sweep() -> None:
    problem = ladder(3, 4)
    _, value, complete = search_exhaustively(problem, "lo")
    assert complete
    assert value == pytest.approx(search(problem, time_limit_s=600.0).log2_overhead)
    labels, value, complete = search_exhaustively(problem, "lo", value)
    assert labels is None
    assert complete
