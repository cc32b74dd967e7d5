"""What must hold between answers, on circuits of the kinds that are hard to cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.finder import make_ready, search, search_pareto
from qdreamer_lab.search.memory import forget, recall
from tests.search.hard_problems import SUITE, WIDE, grover
from tests.search.plain_account import plain_cost, plain_widths

ENDLESS = 600.0


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> None:
    for cost in ("lo", "joint", "locc", "work"):
        make_ready(cost)
    forget()


@pytest.mark.parametrize("name", SUITE)
def test_wider_never_costs_more_and_every_plan_keeps_its_width(name: str) -> None:
    base, before, bound = SUITE[name], np.inf, np.inf
    for width in range(base.max_qubits - 2, base.max_qubits + 3):
        problem = replace(base, max_qubits=width)
        found = search(problem, time_limit_s=0.05)
        assert found.log2_overhead <= before
        assert found.log2_lower_bound <= bound + 1e-9
        assert max(plain_widths(problem, found.labels).values()) <= width
        assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead)
        before, bound = found.log2_overhead, min(bound, found.log2_overhead)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
def test_wider_never_costs_more_on_wide_circuits_under_any_model(name: str, cost: str) -> None:
    base, before = WIDE[name], np.inf
    for width in (base.max_qubits, base.max_qubits + 1, base.max_qubits + 5):
        problem = replace(base, max_qubits=width)
        found = search(problem, cost=cost, time_limit_s=0.05)
        assert found.log2_overhead <= before + 1e-9
        assert found.log2_lower_bound <= found.log2_overhead
        assert max(plain_widths(problem, found.labels).values()) <= width
        assert plan_price(problem, found.labels, cost) == pytest.approx(found.log2_overhead)
        before = found.log2_overhead


@pytest.mark.parametrize("name", SUITE)
@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
def test_more_time_and_more_rounds_never_cost_more(name: str, cost: str) -> None:
    problem, before = SUITE[name], np.inf
    for seconds in (0.0, 0.05, 0.15):
        found = search(problem, cost=cost, time_limit_s=seconds)
        assert found.log2_overhead <= before
        before = found.log2_overhead
    before = np.inf
    for rounds in (0, 2, 5):
        found = search(problem, cost=cost, time_limit_s=ENDLESS, rounds=rounds)
        assert found.log2_overhead <= before
        before = found.log2_overhead


@pytest.mark.parametrize("name", SUITE)
def test_what_may_share_more_never_costs_more(name: str) -> None:
    problem = SUITE[name]
    for seconds, rounds in ((ENDLESS, 2), (0.15, None)):  # the first knows of no other search
        lo, joint, locc = (
            search(problem, cost=cost, time_limit_s=seconds, rounds=rounds)
            for cost in ("lo", "joint", "locc")
        )
        assert locc.log2_overhead <= joint.log2_overhead + 1e-9
        assert joint.log2_overhead <= lo.log2_overhead + 1e-9
    assert plan_price(problem, locc.labels, "locc") == pytest.approx(locc.log2_overhead)


@pytest.mark.parametrize("name", SUITE)
@pytest.mark.parametrize("cost", ["lo", "locc"])
def test_rounds_make_a_seed_repeatable_whatever_was_found_before(name: str, cost: str) -> None:
    problem = SUITE[name]
    first = search(problem, cost=cost, seed=5, time_limit_s=ENDLESS, rounds=4)
    search(problem, cost=cost, time_limit_s=0.05)
    second = search(problem, cost=cost, seed=5, time_limit_s=ENDLESS, rounds=4)
    assert np.array_equal(first.labels, second.labels)
    assert first.log2_overhead == second.log2_overhead


def test_the_same_question_gets_the_same_answer_and_is_not_searched_twice() -> None:
    problem = SUITE["multiplier"]
    first = search(problem, seed=3, time_limit_s=0.2)
    second = search(problem, seed=3, time_limit_s=0.2)
    assert np.array_equal(first.labels, second.labels)
    assert (first.log2_overhead, first.log2_lower_bound) == (
        second.log2_overhead,
        second.log2_lower_bound,
    )


def test_a_proof_is_looked_for_though_the_question_was_asked_without() -> None:
    problem = SUITE["regular"]
    unproven = search(problem, time_limit_s=0.02)
    assert recall(problem, "lo", 0, prove=False).seconds == 0.02
    assert recall(problem, "lo", 0, prove=True).seconds == 0.0
    proven = search(problem, time_limit_s=0.02, prove=True)
    assert proven.log2_overhead <= unproven.log2_overhead
    assert recall(problem, "lo", 0, prove=True).seconds == 0.02


@pytest.mark.parametrize("name", ["adder", "fourier", "layers", "grover"])
def test_names_of_qubits_and_the_direction_of_time_do_not_matter(name: str) -> None:
    whole = grover(4, 2, 3) if name == "grover" else SUITE[name]
    base = replace(whole, max_qubits=-(-whole.num_qubits // 2))
    rng = np.random.default_rng(1)
    renamed = rng.permutation(base.num_qubits)[base.pairs]
    turned = replace(
        base, pairs=base.pairs[::-1].copy(), gate_cost=base.gate_cost[::-1].copy(), sine=None
    )
    answers = [
        search(problem, time_limit_s=20.0, prove=True)
        for problem in (base, replace(base, pairs=renamed), turned)
    ]
    assert all(found.proven_optimal for found in answers)
    assert np.ptp([found.log2_overhead for found in answers]) < 1e-6


def test_a_trade_off_is_a_front_and_agrees_with_what_is_asked_afterwards() -> None:
    base = SUITE["multiplier"]
    widths = [9, 5, 7, 6, 8]
    front = search_pareto(base, widths, time_limit_s=1.0)
    costs = dict(zip(widths, (found.log2_overhead for found in front), strict=True))
    assert [costs[w] for w in sorted(widths)] == sorted(costs.values(), reverse=True)
    for width in widths:
        alone = search(replace(base, max_qubits=width), time_limit_s=0.05)
        assert alone.log2_overhead <= costs[width] + 1e-9


def test_a_plan_for_fewer_fragments_or_kinds_is_not_taken_from_one_that_breaks_the_limit() -> None:
    base = SUITE["layers"]
    free, gates, few = (  # rounds: the first may not have had the least of the time
        search(problem, time_limit_s=ENDLESS, rounds=2)
        for problem in (base, replace(base, kinds=("gate",)), replace(base, max_fragments=3))
    )
    assert gates.log2_overhead >= free.log2_overhead - 1e-9
    assert few.log2_overhead >= free.log2_overhead - 1e-9
    assert sum(plain_widths(base, gates.labels).values()) == base.num_qubits
    assert len(plain_widths(base, few.labels)) <= 3
