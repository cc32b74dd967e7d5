"""Devices and what a process remembers: no plan that does not fit, no bound that is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.devices import fits, fragment_widths
from qdreamer_lab.search.finder import make_ready, search, search_pareto
from qdreamer_lab.search.memory import forget, recall
from qdreamer_lab.search.problem import CutProblem, Found, InfeasibleError
from tests.search.finder_oracle import cheapest
from tests.search.hard_problems import SUITE, multiplier
from tests.search.small_problems import random_problem

ENDLESS = 600.0

DEVICES = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> None:
    for cost in ("lo", "joint", "locc"):
        make_ready(cost, limited=True)
    forget()


def on_devices(problem: CutProblem, devices: list[int], **changes: object) -> CutProblem:
    """The problem with devices, in any order."""
    widest_first = tuple(sorted(devices, reverse=True))
    return replace(problem, devices=widest_first, max_qubits=widest_first[0], **changes)


def keeps(problem: CutProblem, found: Found) -> bool:
    """Whether a plan fits on the devices of a problem, or is as narrow as it says."""
    widths = fragment_widths(problem.pairs, found.labels)
    rooms = problem.devices
    if rooms is None:
        rooms = (problem.max_qubits,) * len(widths)
    usable = rooms[: problem.max_fragments]
    room = int(widths.sum()) + problem.idle_qubits <= sum(usable)
    return fits(widths, usable) and (problem.devices is None or room)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.one_of(DEVICES, st.integers(1, 5)), min_size=2, max_size=6),
    st.sampled_from(["lo", "joint", "locc"]),
)
def test_whatever_was_asked_before_answers_are_those_of_the_brute_force(
    seed: int, questions: list[list[int] | int], cost: str
) -> None:
    base = random_problem(seed, max_blocks=7)
    forget()
    for asked in questions:
        try:
            if isinstance(asked, int):
                problem = replace(base, max_qubits=asked)
            else:
                problem = on_devices(base, asked)
        except InfeasibleError:
            continue
        hasty = search(problem, cost=cost, time_limit_s=0.0)
        found = search(problem, cost=cost, time_limit_s=60.0)
        best = cheapest(problem, found.log2_overhead + 0.01, cost)
        for each in (hasty, found):
            assert keeps(problem, each)
            assert each.log2_lower_bound <= best + 1e-6
            price = plan_price(problem, each.labels, cost)
            assert price == pytest.approx(each.log2_overhead, abs=1e-6)
        assert found.log2_overhead == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("name", SUITE)
@pytest.mark.parametrize("cost", ["lo", "locc"])
def test_more_room_never_costs_more_on_hard_circuits(name: str, cost: str) -> None:
    base, before = SUITE[name], np.inf
    wide, half = base.num_qubits, -(-base.num_qubits // 2)
    ever_more = ([half, wide - half], [half + 1, wide - half], [half + 1, wide - half, 2])
    for devices in ever_more:
        problem = on_devices(base, list(devices))
        found = search(problem, cost=cost, time_limit_s=0.1)
        assert keeps(problem, found)
        assert found.log2_overhead <= before + 1e-9
        before = found.log2_overhead
    free = search(replace(base, max_qubits=half + 1), cost=cost, time_limit_s=0.1)
    assert free.log2_overhead <= before + 1e-9


@pytest.mark.parametrize("name", SUITE)
def test_more_time_and_more_rounds_never_cost_more_on_devices(name: str) -> None:
    base = SUITE[name]
    half = -(-base.num_qubits // 2)
    problem = on_devices(base, [half, base.num_qubits - half + 1, 1])
    before = np.inf
    for seconds in (0.0, 0.05, 0.1):
        found = search(problem, time_limit_s=seconds)
        assert found.log2_overhead <= before
        before = found.log2_overhead
    before = np.inf
    for rounds in (0, 2, 5):
        found = search(problem, time_limit_s=ENDLESS, rounds=rounds)
        assert keeps(problem, found)
        assert found.log2_overhead <= before
        before = found.log2_overhead


@pytest.mark.parametrize("cost", ["lo", "locc"])
def test_rounds_make_plans_on_devices_repeatable_whatever_was_found_before(cost: str) -> None:
    problem = on_devices(SUITE["multiplier"], [7, 4, 3])
    first = search(problem, cost=cost, seed=5, time_limit_s=ENDLESS, rounds=3)
    search(problem, cost=cost, time_limit_s=0.1)
    search(on_devices(problem, [13]), cost=cost, time_limit_s=0.0)
    second = search(problem, cost=cost, seed=5, time_limit_s=ENDLESS, rounds=3)
    assert np.array_equal(first.labels, second.labels)
    assert first.log2_overhead == second.log2_overhead


def test_the_same_devices_asked_again_are_not_searched_twice() -> None:
    problem = on_devices(SUITE["multiplier"], [7, 4, 3])
    first = search(problem, seed=3, time_limit_s=0.3)
    assert recall(problem, "lo", 3, prove=False).seconds == 0.3
    assert recall(on_devices(problem, [7, 5, 3]), "lo", 3, prove=False).seconds == 0.0
    second = search(problem, seed=3, time_limit_s=0.3)
    assert np.array_equal(first.labels, second.labels)
    assert second.log2_lower_bound == first.log2_lower_bound


def test_a_bound_of_few_devices_is_none_of_more() -> None:
    problem = SUITE["fourier"]
    narrow = search(on_devices(problem, [2] * 5), time_limit_s=ENDLESS, rounds=2)
    wide = on_devices(problem, [9, 2])
    assert recall(wide, "lo", 0, prove=False).bound == 0.0
    found = search(wide, time_limit_s=ENDLESS, rounds=2)
    assert found.log2_lower_bound < narrow.log2_lower_bound


@pytest.mark.parametrize("name", ["adder", "fourier", "layers"])
def test_enough_devices_of_one_width_are_that_width(name: str) -> None:
    base = SUITE[name]
    width = -(-base.num_qubits // 2)
    plain = search(replace(base, max_qubits=width), time_limit_s=20.0, prove=True)
    assert plain.proven_optimal
    forget()  # not to be told the answer
    needed = int(np.count_nonzero(fragment_widths(base.pairs, plain.labels)))
    for count in (needed, needed + 2, 3 * base.num_qubits):
        listed = search(on_devices(base, [width] * count), time_limit_s=20.0, prove=True)
        assert listed.proven_optimal
        assert listed.log2_overhead == pytest.approx(plain.log2_overhead, abs=1e-6)


def test_a_list_of_one_width_is_never_worse_than_what_is_known_of_the_width() -> None:
    base = multiplier(4, 7)
    plain = search(base, time_limit_s=0.3)
    fragments = int(np.count_nonzero(fragment_widths(base.pairs, plain.labels)))
    listed = search(on_devices(base, [7] * fragments), time_limit_s=0.0)
    assert listed.log2_overhead <= plain.log2_overhead + 1e-9
    again = search(base, time_limit_s=0.0)
    assert again.log2_overhead <= listed.log2_overhead + 1e-9


def test_a_trade_off_of_few_fragments_is_a_front_that_keeps_them_few() -> None:
    base = replace(SUITE["layers"], max_fragments=3)
    widths = [6, 7, 9, 12]
    front = search_pareto(base, widths, time_limit_s=0.8)
    costs = [found.log2_overhead for found in front]
    assert costs == sorted(costs, reverse=True)
    bounds = [found.log2_lower_bound for found in front]
    assert bounds == sorted(bounds, reverse=True)
    for width, found in zip(widths, front, strict=True):
        each = fragment_widths(base.pairs, found.labels)
        assert np.count_nonzero(each) <= 3
        assert each.max() <= width


def test_a_limited_search_for_which_time_is_out_says_at_once_what_it_has() -> None:
    problem = on_devices(SUITE["dense"], [6, 5])
    hasty = search(problem, time_limit_s=0.0)
    assert keeps(problem, hasty)
    assert hasty.log2_lower_bound <= hasty.log2_overhead
