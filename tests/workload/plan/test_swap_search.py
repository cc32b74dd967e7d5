"""Cuts are priced against swaps: against all plans of small circuits, and where that is plain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap

from qdreamer_lab import CutEstimator, CutPlan, plan_cuts
from qdreamer_lab.errors import PlanError
from qdreamer_lab.search.problem import CutProblem
from qdreamer_lab.workload.cut.coupling_map import read_couplings
from qdreamer_lab.workload.cut.cuts import GateCut, Swaps
from qdreamer_lab.workload.plan.cheaper_plans import CheaperPlans
from qdreamer_lab.workload.plan.swap_count import SwapCounter
from tests.circuits.drawn import random_circuit
from tests.workload.plan.swap_oracle import all_plans, fewest_swaps, pieces

LINE = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
GRID = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]
WHOLE = {"time_limit_s": 60.0, "rounds": 2}
"""Ends with a proof, long before the time is up."""


def rotations(pairs, angle=0.7):
    circuit = QuantumCircuit(1 + max(map(max, pairs)))
    for number, pair in enumerate(pairs):
        circuit.rzz(angle + 0.01 * number, *pair)
    return circuit


def cut_pairs(plan):
    return {cut.qubits for cut in plan.cuts if isinstance(cut, GateCut)}


def drawn_pairs(seed, num_qubits, count):
    rng = np.random.default_rng(seed)
    pairs = []
    while len(pairs) < count:
        pair = tuple(sorted(rng.choice(num_qubits, 2, replace=False).tolist()))
        if not pairs or pairs[-1] != pair:
            pairs.append(pair)
    return pairs


@settings(deadline=None, max_examples=12)
@given(
    st.integers(0, 10**6),
    st.integers(3, 6),
    st.integers(3, 6),
    st.sampled_from([LINE, GRID]),
    st.sampled_from([0.05, 0.7, 2.0, 9.0]),
    st.integers(2, 6),
)
def test_no_plan_of_all_costs_less(seed, num_qubits, count, edges, price, width):
    circuit = rotations(drawn_pairs(seed, num_qubits, count))
    plan = plan_cuts(circuit, width, coupling_map=edges, swap_price=price, **WHOLE)
    assert plan.proven_optimal
    pairs, gates = plan.blocks.pairs.tolist(), 2 * np.log2(plan.blocks.gammas)
    counter, least = SwapCounter(read_couplings(edges)), np.inf
    for labels, bits in all_plans(pairs, gates, width, plan.log2_total + 1e-6):
        swaps = sum(counter.swaps(np.array(each)) for each in pieces(pairs, labels))
        least = min(least, bits + price * swaps)
    assert plan.log2_total == pytest.approx(least, abs=1e-9)
    assert plan.swaps.total == sum(
        counter.swaps(np.array(each)) for each in pieces(pairs, plan.labels)
    )


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(1, 6), st.booleans())
def test_swaps_are_none_where_none_are_needed_and_never_too_few(seed, num_qubits, count, grid):
    edges = [(a, b) for a, b in GRID if max(a, b) < 5] if grid else LINE[:4]
    pairs = drawn_pairs(seed, num_qubits, count) if num_qubits > 2 else [(0, 1)]
    counted = SwapCounter(read_couplings(edges)).swaps(np.array(pairs))
    fewest = fewest_swaps(pairs, edges, 5)
    assert counted >= fewest
    assert (counted == 0) == (fewest == 0)


def test_the_one_block_that_a_line_has_no_place_for_is_cut():
    circuit = rotations([(0, 1), (1, 2), (2, 3), (3, 4), (2, 5)])
    plan = plan_cuts(circuit, 6, coupling_map=LINE, swap_price=9.0, **WHOLE)
    assert cut_pairs(plan) <= {(1, 2), (2, 3), (2, 5)}
    assert (plan.num_cuts, plan.swaps.total, len(plan.fragments)) == (1, 0, 2)
    assert plan.proven_optimal


def test_of_three_arms_the_cheapest_is_cut():
    circuit = QuantumCircuit(6)
    circuit.compose(rotations([(0, 1), (1, 2), (2, 3), (3, 4)]), range(5), inplace=True)
    circuit.rzz(0.1, 2, 5)
    plan = plan_cuts(circuit, 6, coupling_map=LINE, swap_price=1.0, **WHOLE)
    assert cut_pairs(plan) == {(2, 5)}
    assert plan.swaps.total == 0


def test_a_ring_on_a_line_becomes_two_lines_or_stays_whole():
    ring = rotations([(k, k + 1) for k in range(5)] + [(0, 5)])
    dear, cheap = (plan_cuts(ring, 6, coupling_map=LINE, swap_price=p, **WHOLE) for p in (9, 0.01))
    assert (dear.num_cuts, dear.swaps.total) == (2, 0)
    assert cheap.num_cuts == 0
    assert cheap.swaps.total > 0
    assert cheap.log2_total == pytest.approx(0.01 * cheap.swaps.total)


def test_long_range_blocks_are_cut_where_fewest_cuts_would_leave_swaps():
    """A weak block joins two lines in their middles, for which a line has no place."""
    circuit = rotations([(0, 1), (1, 2), (3, 4), (4, 5)], 1.5)
    circuit.rzz(0.05, 1, 4)
    without = plan_cuts(circuit, 6)
    plan = plan_cuts(circuit, 6, coupling_map=LINE, swap_price=0.5, **WHOLE)
    assert without.num_cuts == 0
    assert cut_pairs(plan) == {(1, 4)}
    assert plan.swaps == Swaps((0, 0), 0.5)


def test_dearer_swaps_are_fewer_and_cuts_then_cost_more():
    circuit = rotations(drawn_pairs(3, 6, 8), 0.3)
    plans = [
        plan_cuts(circuit, 6, coupling_map=LINE, swap_price=p, **WHOLE)
        for p in (0.0, 0.1, 0.4, 1.0, 3.0)
    ]
    assert all(plan.proven_optimal for plan in plans)
    swaps = [plan.swaps.total for plan in plans]
    bits = [plan.log2_cost for plan in plans]
    assert swaps == sorted(swaps, reverse=True)
    assert bits == sorted(bits)
    assert swaps[0] > swaps[-1]
    assert bits[0] == 0.0


@pytest.mark.parametrize("cost", ["lo", "joint", "locc"])
def test_limits_and_kinds_are_kept_under_all_models(cost):
    circuit = random_circuit(4, 6, 8)
    for options in ({"kinds": ("gate",)}, {"kinds": ("wire",)}, {"max_fragments": 2}):
        options["time_limit_s"] = 0.2
        plan = plan_cuts(circuit, 5, cost=cost, coupling_map=LINE, swap_price=2.0, **options)
        kinds = {"gate" if isinstance(cut, GateCut) else "wire" for cut in plan.cuts}
        assert kinds <= set(options.get("kinds", ("gate", "wire")))
        assert max(fragment.width for fragment in plan.fragments) <= 5
        assert len(plan.fragments) <= options.get("max_fragments", 99)
        assert plan.log2_lower_bound <= plan.log2_total + 1e-9


def test_a_plan_for_a_map_runs_and_comes_back_from_its_file(tmp_path):
    circuit = rotations([(0, 1), (1, 2), (2, 3), (3, 4), (2, 5)])
    circuit.ry(0.4, range(6))
    plan = plan_cuts(circuit, 6, coupling_map=CouplingMap(LINE), swap_price=9.0, **WHOLE)
    observable = SparsePauliOp(["ZZXIYZ", "IXIIIZ"], [0.7, -0.2])
    got = CutEstimator(6, plan=plan).run([(circuit, observable)]).result()[0].data.evs
    assert got == pytest.approx(Statevector(circuit).expectation_value(observable).real, abs=1e-10)
    assert "and 0 swaps at 9 bits, proven optimal" in plan.summary
    plan.save(tmp_path / "plan.json")
    again = CutPlan.load(tmp_path / "plan.json")
    assert again.swaps == plan.swaps
    assert again.summary == plan.summary


def test_qubits_without_blocks_need_no_swaps():
    circuit = QuantumCircuit(3)
    circuit.h(2)
    circuit.cx(0, 1)
    plan = plan_cuts(circuit, 3, coupling_map=[(0, 1), (1, 2)])
    assert plan.swaps.each == (0, 0)
    alone = QuantumCircuit(1)
    alone.h(0)
    assert plan_cuts(alone, 1, coupling_map=[(0, 1)]).swaps.each == (0,)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 4), st.floats(0.5, 12))
def test_all_plans_below_a_limit_are_listed(seed, num_qubits, count, limit):
    pairs = drawn_pairs(seed, num_qubits, count) if num_qubits > 2 else [(0, 1)]
    gates = np.random.default_rng(seed).uniform(0.5, 6, len(pairs))
    problem = CutProblem(num_qubits, np.array(pairs, np.int64), gates, 3)
    plans = CheaperPlans(problem, "lo", 10**6)
    found = [labels.ravel().tolist() for labels in plans.below(lambda: limit)]
    wanted = [labels.ravel().tolist() for labels, _ in all_plans(pairs, gates, 3, limit - 1e-9)]
    assert plans.complete
    assert found == wanted
    few = CheaperPlans(problem, "lo", 1)
    assert list(few.below(lambda: limit)) == []
    assert not few.complete


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"swap_price": 1.0}, "swap_price needs a coupling_map"),
        ({"coupling_map": LINE, "swap_price": -1}, "at least 0, got -1"),
        ({"coupling_map": LINE, "swap_price": float("nan")}, "at least 0, got nan"),
        ({"coupling_map": LINE, "swap_price": "much"}, "at least 0, got 'much'"),
        ({"coupling_map": [(0, 1)]}, "have 3 qubits, but the coupling map has 2"),
        ({"coupling_map": [(0, 1), (2, 3)]}, "falls into 2 parts, of 2, 2 qubits"),
        ({"coupling_map": [(0, 1), (3, 4)]}, "falls into 3 parts, of 2, 2, 1 qubits"),
        ({"coupling_map": []}, "has no pairs of qubits"),
        ({"coupling_map": [(0, 0)]}, "pairs of two different qubits, counted from 0, got"),
        ({"coupling_map": [(0, 1, 2)]}, "pairs of two different qubits"),
        ({"coupling_map": "fake_torino"}, "must be a CouplingMap, a backend"),
        ({"coupling_map": 5}, "must be a CouplingMap, a backend"),
        ({"coupling_map": LINE, "cost": "work"}, "which need no swaps"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words):
    with pytest.raises(PlanError, match=words):
        plan_cuts(rotations([(0, 1), (1, 2)]), 3, **options)


def test_one_map_is_not_that_of_several_devices():
    with pytest.raises(PlanError, match="give one width"):
        plan_cuts(rotations([(0, 1), (1, 2)]), [2, 2], coupling_map=LINE)
