"""Plans for devices of several widths: what they say of themselves, and what comes of running."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator, CutPlan, plan_cuts
from qdreamer_lab.errors import InfeasiblePlanError, PlanError, QDreamerError
from tests.circuits.drawn import random_circuit
from tests.circuits.plain import cx_line


def fits(plan: CutPlan) -> bool:
    """Whether every fragment has a device of its own, as the fragments say."""
    left = list(plan.devices)
    for fragment in plan.fragments:
        left.remove(fragment.device)
    return all(fragment.width <= fragment.device for fragment in plan.fragments)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(2, 7),
    st.integers(0, 10),
    st.lists(st.integers(1, 7), min_size=1, max_size=5),
    st.sampled_from(["lo", "joint", "locc", "work"]),
    st.sampled_from([("gate", "wire"), ("gate",)]),
    st.randoms(),
)
def test_every_plan_fits_and_its_order_makes_no_difference(
    seed, num_qubits, num_gates, widths, cost, kinds, random
):
    circuit = random_circuit(seed, num_qubits, num_gates, general=True)
    # The last qubit has no gate: it takes room on some device all the same.
    wider = QuantumCircuit(num_qubits + 1)
    wider.compose(circuit, range(num_qubits), inplace=True)
    if sum(widths) <= num_qubits:
        with pytest.raises(InfeasiblePlanError, match="do not fit on"):
            plan_cuts(wider, widths)
        return
    plan = plan_cuts(wider, widths, cost=cost, kinds=kinds)
    assert fits(plan)
    assert sum(fragment.width for fragment in plan.fragments) >= num_qubits + 1
    random.shuffle(widths)
    again = plan_cuts(wider, {w: widths.count(w) for w in widths}, cost=cost, kinds=kinds)
    assert np.array_equal(again.labels, plan.labels)
    assert again.summary == plan.summary


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 10),
    st.lists(st.integers(1, 5), min_size=2, max_size=5).filter(lambda widths: sum(widths) >= 6),
    st.lists(st.text("IXYZ", min_size=6, max_size=6), min_size=1, max_size=4, unique=True),
)
def test_values_are_those_of_the_whole_circuit(seed, num_gates, widths, terms):
    circuit = random_circuit(seed, 6, num_gates, general=True)
    observable = SparsePauliOp(terms, np.linspace(0.3, 1.0, len(terms)))
    want = Statevector(circuit).expectation_value(observable).real
    plan = plan_cuts(circuit, widths)
    if plan.log2_overhead > 40:  # many cuts of small fragments: right, but slow
        return
    for chosen in (None, plan):
        result = CutEstimator(widths, plan=chosen).run([(circuit, observable)]).result()[0]
        assert result.data.evs == pytest.approx(want, abs=1e-9)
        for each in result.metadata["plans"]:
            assert each.devices == tuple(sorted(widths, reverse=True))
            assert fits(each)


def test_values_from_shots_are_within_their_errors():
    circuit = random_circuit(1, 7, 9)
    observable = SparsePauliOp(["ZZXIYZI", "IXIIIZZ"], [0.7, -0.2])
    estimator = CutEstimator([4, 2, 2], shots=200_000, seed=3)
    result = estimator.run([(circuit, observable)]).result()[0]
    want = Statevector(circuit).expectation_value(observable).real
    assert abs(result.data.evs - want) < 5 * result.data.stds
    assert result.metadata["plan"].devices == (4, 2, 2)
    assert fits(result.metadata["plan"])


def test_a_plan_says_where_its_fragments_go():
    plan = plan_cuts(cx_line(9), [2, 5, 3, 1])
    assert plan.devices == (5, 3, 2, 1)
    assert plan.max_qubits == 5
    by_width = sorted((f.width, f.device) for f in plan.fragments)
    assert all(device == need for need, (_, device) in zip((2, 3, 5), by_width, strict=False))
    assert "; 1 unused" in plan.summary
    assert all(f"on a device of {f.device}" in str(plan) for f in plan.fragments)
    assert plan.summary in plan.draw()
    wide = plan_cuts(cx_line(50), [30, 25])
    assert "25 qubits of 25" in wide.draw() or "20 qubits of 25" in wide.draw()
    many = plan_cuts(cx_line(20), [2] * 10)
    assert "(10 devices, up to 2)" in many.summary
    assert plan_cuts(cx_line(9), 5).fragments[0].device is None


def test_more_fragments_than_devices_are_named():
    plan = plan_cuts(cx_line(9), 3)
    assert [f.width for f in plan.fragments] == [3, 3, 3]
    what = (plan.blocks, plan.labels, plan.lone_labels, 3)
    assert fits(CutPlan(*what, devices=(3, 3, 3, 1)))
    with pytest.raises(PlanError, match=r"3 fragments need .* there are 2 devices \(of 3, 3 qub"):
        CutPlan(*what, devices=(3, 3))
    with pytest.raises(PlanError, match=r"needs 3 qubits, and the device that is left .* has 2"):
        CutPlan(*what, devices=(3, 3, 2, 2))
    with pytest.raises(PlanError, match="widest first"):
        CutPlan(*what, devices=(4, 3, 3))
    with pytest.raises(PlanError, match="widest first"):
        CutPlan(*what, devices=(2, 3, 3))


def test_no_plan_names_the_devices_and_what_would_do():
    with pytest.raises(
        InfeasiblePlanError, match=r"9 qubits .* 3 devices of 4, 2, 2 .* of 3 qub"
    ) as caught:
        plan_cuts(cx_line(9), [2, 4, 2])
    assert caught.value.smallest_max_qubits == 3
    # Observables of few qubits need less room.
    assert plan_cuts(cx_line(9), [2, 4, 2], observables="IIIIIIIIZ").devices == (4, 2, 2)


def test_devices_of_any_width_take_no_memory():
    circuit = QuantumCircuit(5)
    circuit.cx(0, 1)
    for widths in (10**12, [10**12, 10**12], [10**12, 1, 1]):
        plan = plan_cuts(circuit, widths)
        assert plan.num_cuts == 0
        assert sum(fragment.width for fragment in plan.fragments) == 5


def test_an_adviser_plans_for_one_width():
    with pytest.raises(QDreamerError, match="adviser plans anew for one width"):
        CutEstimator([4, 3], adviser=object())
