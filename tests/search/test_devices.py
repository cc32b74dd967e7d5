"""Devices of several widths: what fits by trying everything, and plans by an independent search."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.devices import devices_of, fits, fragment_widths, packed_on
from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.finder import search
from qdreamer_lab.search.memory import forget
from qdreamer_lab.search.problem import CutProblem, Found, InfeasibleError
from tests.search.finder_oracle import cheapest
from tests.search.plain_account import plain_cost, plain_widths
from tests.search.small_problems import random_problem

#: Long enough that small circuits are always searched to the end.
PATIENT = 60.0

WIDTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def fits_somehow(widths: list[int], devices: list[int]) -> bool:
    """Whether some assignment of fragments to different devices holds, by trying all."""
    if len(widths) > len(devices):
        return False
    return any(
        all(w <= d for w, d in zip(widths, chosen, strict=False))
        for chosen in permutations(devices, len(widths))
    )


@given(st.lists(st.integers(0, 6), max_size=5), WIDTHS)
def test_fragments_fit_if_some_assignment_of_them_does(
    widths: list[int], devices: list[int]
) -> None:
    given = np.array(widths, np.int64)
    descending = sorted(devices, reverse=True)
    held = [width for width in widths if width]
    assert fits(given, descending) == fits_somehow(held, devices)
    if fits(given, descending):
        place = devices_of(given)
        assert sorted(place) == list(range(len(widths)))
        assert all(w <= descending[d] for w, d in zip(widths, place, strict=True) if w)


@given(WIDTHS, WIDTHS)
def test_what_is_packed_keeps_to_its_device(widths: list[int], devices: list[int]) -> None:
    descending = sorted(devices, reverse=True)
    place = packed_on(np.array(widths), descending)
    load = np.bincount(place, widths, len(devices))
    assert np.all(load[: len(devices)] <= descending)
    for width, device in zip(widths, place, strict=True):
        if device >= len(devices):  # nowhere was room for it
            assert np.all(np.array(descending) - load[: len(devices)] < width)


@pytest.mark.parametrize("seed", range(20))
def test_widths_are_runs_along_wires(seed: int) -> None:
    problem = random_problem(seed)
    labels = np.random.default_rng(seed).integers(0, 3, problem.pairs.shape)
    found = fragment_widths(problem.pairs, labels)
    assert {f: w for f, w in enumerate(found.tolist()) if w} == plain_widths(problem, labels)


def on_devices(problem: CutProblem, devices: list[int], **changes: object) -> CutProblem:
    """The problem with devices, in any order."""
    widest_first = tuple(sorted(devices, reverse=True))
    return replace(problem, devices=widest_first, max_qubits=widest_first[0], **changes)


def answer(problem: CutProblem, cost: str = "lo", seed: int = 0) -> Found | None:
    """What the finder finds; None if it says that there is no plan."""
    try:
        return search(problem, cost=cost, seed=seed, time_limit_s=PATIENT)
    except InfeasibleError:
        return None


def check(problem: CutProblem, cost: str, seed: int) -> bool:
    """Compare an answer with the brute force; return whether there is a plan."""
    assert problem.devices is not None
    found = answer(problem, cost, seed)
    if found is None:
        assert cheapest(problem, 9e4, cost) >= 9e4
        return False
    best = cheapest(problem, found.log2_overhead + 0.01, cost)
    assert found.proven_optimal
    assert found.log2_overhead == pytest.approx(best, abs=1e-6)
    assert found.log2_lower_bound == pytest.approx(best, abs=1e-6)
    assert plan_price(problem, found.labels, cost) == pytest.approx(found.log2_overhead, abs=1e-6)
    widths = list(plain_widths(problem, found.labels).values())
    usable = list(problem.devices)[: problem.max_fragments]
    assert fits_somehow(widths, usable)
    assert sum(widths) + problem.idle_qubits <= sum(usable)
    if cost == "lo":
        assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead, abs=1e-6)
    return True


def drawn(seed: int, max_blocks: int) -> CutProblem | None:
    """A random circuit on random devices, sometimes with one kind of cut or fewer fragments."""
    rng = np.random.default_rng(10**6 + seed)
    problem = random_problem(seed, max_blocks=max_blocks)
    devices = rng.integers(1, max(2, problem.num_qubits), rng.integers(1, 6)).tolist()
    fewer = int(rng.integers(1, len(devices) + 1)) if rng.random() < 0.2 else None
    kinds = [("gate", "wire"), ("gate", "wire"), ("gate",), ("wire",)][int(rng.integers(4))]
    try:
        return on_devices(problem, devices, kinds=kinds, max_fragments=fewer)
    except InfeasibleError:
        usable = sorted(devices, reverse=True)[:fewer]
        assert sum(usable) < problem.num_qubits
        return None


@pytest.mark.parametrize("block", range(5))
def test_plans_on_devices_are_proven_and_as_cheap_as_the_cheapest_of_all(block: int) -> None:
    drawings = [drawn(seed, 10) for seed in range(300 * block, 300 * (block + 1))]
    planned = sum(check(each, "lo", 0) for each in drawings if each is not None)
    assert planned > 120


@pytest.mark.parametrize(("cost", "blocks"), [("joint", 7), ("locc", 7), ("work", 4)])
def test_no_cost_model_makes_a_plan_on_devices_wrong(cost: str, blocks: int) -> None:
    drawings = [drawn(seed, blocks) for seed in range(80)]
    planned = sum(check(each, cost, 0) for each in drawings if each is not None)
    assert planned > 35


def test_the_exhaustive_search_knows_devices() -> None:
    for seed in range(1_000):
        problem = drawn(seed, 7)
        if problem is None:
            continue
        labels, value, complete = search_exhaustively(problem, "lo", 30.0)
        assert complete
        assert value == pytest.approx(cheapest(problem, 30.0), abs=1e-6)
        if labels is not None:
            assert fits(fragment_widths(problem.pairs, labels), problem.devices)


def test_the_wide_fragment_need_not_come_first() -> None:
    problem = CutProblem(3, np.array([[0, 1], [1, 2]]), np.array([1.0, 5.0]), 3)
    labels, value, complete = search_exhaustively(on_devices(problem, [2, 1]), "lo")
    assert labels is not None
    assert (labels.tolist(), value, complete) == ([[0, 1], [1, 1]], 1.0, True)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 5), st.floats(0.05, 1.0)),
        min_size=1,
        max_size=9,
    ),
    WIDTHS,
    st.integers(1, 6),
    st.integers(0, 4),
)
def test_more_and_wider_devices_never_cost_more(
    blocks: list[tuple[int, int, float]], devices: list[int], another: int, which: int
) -> None:
    pairs = np.array([(a, (a + d) % 6) for a, d, _ in blocks], np.int64)
    cost = 2 * np.log2(1 + 2 * np.array([s for *_, s in blocks]))
    problem = CutProblem(6, pairs, cost, 1)

    def bits(widths: list[int]) -> float:
        try:
            found = answer(on_devices(problem, widths))
        except InfeasibleError:
            return np.inf
        return np.inf if found is None else found.log2_overhead

    base = bits(devices)
    wider = [width + (place == which % len(devices)) for place, width in enumerate(devices)]
    assert bits(wider) <= base + 1e-6
    assert bits([*devices, another]) <= base + 1e-6
    # Devices as wide as the widest, and as many as there can be fragments, are any number of it.
    plain = search(replace(problem, max_qubits=max(devices)), time_limit_s=PATIENT)
    assert plain.log2_overhead <= base + 1e-6
    assert bits([max(devices)] * 18) == pytest.approx(plain.log2_overhead, abs=1e-6)


def test_devices_of_one_width_are_a_width_and_a_number_of_fragments() -> None:
    for seed in range(150):
        base = random_problem(seed)
        width = base.max_qubits
        needed = -(-base.num_qubits // width)
        for count in (needed, needed + 1):
            forget()  # else the second would start from the plan of the first
            limited = search(replace(base, max_fragments=count), time_limit_s=PATIENT)
            forget()
            devices = search(on_devices(base, [width] * count), time_limit_s=PATIENT)
            assert devices.log2_overhead == limited.log2_overhead
            assert devices.log2_lower_bound == limited.log2_lower_bound
            assert np.array_equal(devices.labels, limited.labels)
        plain = search(base, time_limit_s=PATIENT)
        fragments = max(1, len(plain_widths(base, plain.labels)))
        if fragments * width >= base.num_qubits:
            enough = search(on_devices(base, [width] * fragments), time_limit_s=PATIENT)
            assert enough.log2_overhead == pytest.approx(plain.log2_overhead, abs=1e-6)


def test_a_circuit_of_some_size_gets_a_plan_that_fits() -> None:
    rng = np.random.default_rng(6)
    pairs = np.array([rng.choice(60, 2, replace=False) for _ in range(200)])
    problem = CutProblem(60, pairs, rng.random(200) * 4, 1)
    for devices in ([30, 16, 14], [40, 10, 7, 3, 3], [20] * 60, [61, 1]):
        found = search(on_devices(problem, devices), time_limit_s=0.5)
        widths = fragment_widths(pairs, found.labels)
        assert fits(widths, sorted(devices, reverse=True))
        assert plain_cost(problem, found.labels) == pytest.approx(found.log2_overhead)
        assert found.log2_lower_bound <= found.log2_overhead + 1e-9


def test_one_seed_gives_one_plan() -> None:
    problem = on_devices(random_problem(3), [3, 2, 2, 1])
    first, second = (search(problem, seed=5, time_limit_s=PATIENT) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)


def test_too_little_room_is_named_with_what_would_do() -> None:
    pairs = np.array([[0, 1], [1, 2]])
    problem = CutProblem(10, pairs, np.ones(2), 9)
    with pytest.raises(InfeasibleError, match=r"2 devices of 5, 4 qubits, 9 together.*2 .* of 5 "):
        on_devices(problem, [4, 5])
    with pytest.raises(InfeasibleError, match=r"device of 9 qubits.*one device of 10 qubits"):
        on_devices(problem, [9])
    with pytest.raises(InfeasibleError, match=r"max_fragments=1 of the 2 given"):
        on_devices(problem, [9, 9], max_fragments=1)
    row = CutProblem(4, np.array([[0, 1], [1, 2], [2, 3]]), np.ones(3), 4, kinds=("wire",))
    with pytest.raises(InfeasibleError, match=r"3 devices of 2, 2, 1 qubits.*3 .* of 2 "):
        search(on_devices(row, [1, 2, 2]))
    with pytest.raises(InfeasibleError, match=r"4 devices of 1, 1, 1, 1 qubits.*4 .* of 2 "):
        search(on_devices(row, [1] * 4))


@pytest.mark.parametrize("devices", [(), (2, 3), (2, 0), (4, 2)])
def test_devices_out_of_order_are_refused(devices: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"devices|widest"):
        CutProblem(2, np.array([[0, 1]]), np.ones(1), 3, devices=devices)
