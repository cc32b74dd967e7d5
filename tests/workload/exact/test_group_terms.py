"""Terms run the blocks of their own light cones, and in as few groups as are worth it."""

import itertools
from concurrent.futures import CancelledError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparseObservable, SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by, needed_gates
from qdreamer_lab.workload.circuit.pulled_back import pulled_back
from qdreamer_lab.workload.exact import group_terms as cones
from qdreamer_lab.workload.exact.group_terms import (
    block_cones,
    gate_cones,
    restricted,
    run_together,
    term_groups,
)
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.modes import EXACT
from qdreamer_lab.workload.pubs import request_of
from qdreamer_lab.workload.request import RunSettings
from tests.circuits.drawn import random_circuit
from tests.circuits.plain import bound_ansatz, ghz, kicked_ising


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.sets(st.integers(0, 4)))
def test_a_restricted_circuit_is_what_to_blocks_makes(seed, measured):
    circuit = random_circuit(seed, num_qubits=5, num_gates=7)
    label = "".join("Z" if q in measured else "I" for q in reversed(range(5)))
    one, two = restricted(to_blocks(circuit), tuple(measured)), to_blocks(circuit, label)
    np.testing.assert_array_equal(one.pairs, two.pairs)
    np.testing.assert_allclose(one.unitaries, two.unitaries)
    assert one.sources == two.sources
    assert one.measured == two.measured
    assert list(one.lone) == list(two.lone)


def test_local_terms_of_a_wide_circuit_never_run_the_union():
    num_qubits = 127
    circuit = kicked_ising(num_qubits)
    operator = SparsePauliOp.from_sparse_list([("Z", [q], 1.0) for q in range(num_qubits)], 127)
    metadata = CutEstimator(20).run([(circuit, operator)]).result()[0].metadata
    plans = metadata["plans"]
    assert len(plans) > 5
    assert all(plan.num_cuts == 0 for plan in plans)
    assert metadata["plan"] is plans[0]


def test_groups_give_the_same_value(monkeypatch):
    monkeypatch.setattr(cones, "_PER_GROUP", 0.0)
    num_qubits = 12
    circuit = kicked_ising(num_qubits)
    pairs = [(p, [q, q + 1], 0.3 + 0.1 * q) for q in range(num_qubits - 1) for p in ("ZZ", "XY")]
    operator = SparsePauliOp.from_sparse_list([*pairs, ("", [], 0.5)], num_qubits)
    expected = Statevector(circuit).expectation_value(operator).real
    whole = plan_cuts(circuit, 4)
    for plan, width in ((None, 4), (None, 3), (whole, 4)):
        found = CutEstimator(width, plan=plan).run([(circuit, operator)]).result()[0]
        assert len(found.metadata["plans"]) > 1
        assert found.data.evs == pytest.approx(expected, abs=1e-10)


def test_terms_that_run_together_at_a_glance_are_one_group(monkeypatch):
    seen = set()
    terms = [((q, "Z"),) for q in range(0, 9, 2)]
    for seed in range(40):
        gates = GateList(list(flat_gates(random_circuit(seed, num_qubits=9, num_gates=4 + seed))))
        left = pulled_back(gates, terms)
        for width, per_group in itertools.product((9, 6, 3), (2.0**6, 2.0**10, 2.0**13)):
            monkeypatch.setattr(cones, "_PER_GROUP", per_group)
            together = run_together(gates, left, width)
            seen.add(together)
            if together:
                assert term_groups(gate_cones(gates, left), width) == [(0, 1, 2, 3, 4)]
    assert seen == {True, False}


def test_overlapping_cones_stay_together():
    circuit = bound_ansatz(36, 2)
    terms = [((q, "Z"), (q + 1, "Z")) for q in range(35)]
    gates = GateList(list(flat_gates(circuit)))
    assert term_groups(gate_cones(gates, pulled_back(gates, terms)), 18) == [tuple(range(35))]
    assert term_groups(block_cones(to_blocks(circuit), terms), 18) == [tuple(range(35))]
    assert term_groups([], 18) == []
    assert term_groups(gate_cones(gates, pulled_back(gates, [()])), 18) == [(0,)]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.text("IXZ0", min_size=5, max_size=5))
def test_gates_outside_the_cone_change_nothing(seed, label):
    circuit = random_circuit(seed, num_qubits=5, num_gates=9)
    term = tuple((q, letter) for q, letter in enumerate(reversed(label)) if letter != "I")
    gates = list(flat_gates(circuit))
    kept = needed_gates(GateList(gates), measured_by([term]))
    smaller = QuantumCircuit(5)
    for k in kept:
        smaller.unitary(gates[k].matrix, gates[k].qubits)
    operator = SparsePauliOp.from_sparse_observable(SparseObservable(label))
    one, two = (Statevector(c).expectation_value(operator).real for c in (circuit, smaller))
    assert one == pytest.approx(two, abs=1e-12)


def test_a_layer_that_commutes_spreads_by_one_step_in_any_order():
    circuit = QuantumCircuit(9)
    circuit.rx(0.4, range(9))
    for low in range(8):
        circuit.rzz(0.3, low, low + 1)
    gates = GateList(list(flat_gates(circuit)))
    assert needed_gates(gates, measured_by([((4, "Z"),)])) == [4]
    acted = measured_by([((4, "X"),)])
    assert [gates.qubits[k] for k in needed_gates(gates, acted)][-2:] == [(3, 4), (4, 5)]
    found = CutEstimator(9).run([(circuit, "IIIIXIIII")]).result()[0].metadata["plan"]
    assert found.blocks.num_blocks == 2
    again = CutEstimator(9, plan=found).run([(circuit, "IIIIXIIII")]).result()[0]
    assert again.metadata["plan"].blocks.num_blocks == 2


def test_a_thousand_terms_agree_with_the_state_vector():
    circuit = bound_ansatz(12, 2)
    rng = np.random.default_rng(7)
    labels = ["".join(row) for row in rng.choice(list("IIIXYZ"), (1000, 12))]
    operator = SparsePauliOp(labels, rng.normal(size=1000))
    expected = Statevector(circuit).expectation_value(operator).real
    for dtype, tolerance in (("complex128", 1e-10), ("complex64", 1e-3)):
        found = CutEstimator(5, dtype=dtype).run([(circuit, operator)]).result()[0].data.evs
        assert found == pytest.approx(expected, abs=tolerance)


def test_a_plan_of_a_run_suits_other_angles_too():
    """Also those at which gates of it have become Clifford gates, through which terms could go."""
    angle = Parameter("a")
    circuit = QuantumCircuit(6)
    for _ in range(3):
        circuit.rx(angle, range(6))
        for low in range(5):
            circuit.rzz(-np.pi / 2, low, low + 1)
    operator = SparsePauliOp(["XIZIYI", "IIYXII", "ZIIIIZ"], [0.5, 0.25, 1.0])
    values = [0.3, 0.0, np.pi / 2, 1.1]
    first = CutEstimator(3).run([(circuit, operator, values[:1])]).result()[0].metadata["plan"]
    assert 0 < first.blocks.num_blocks < 15
    found = CutEstimator(3, plan=first).run([(circuit, operator, values)]).result()[0].data.evs
    for value, each in zip(values, found, strict=True):
        state = Statevector(circuit.assign_parameters([value]))
        assert each == pytest.approx(state.expectation_value(operator).real, abs=1e-10)


def test_a_clifford_circuit_of_any_width_runs_nothing():
    num_qubits = 300
    circuit = ghz(num_qubits)
    pairs = [("ZZ", [0, 299]), ("Z", [7]), ("X" * 300, list(range(300)))]
    observables = [SparsePauliOp.from_sparse_list([(*pair, 1.0)], num_qubits) for pair in pairs]
    result = CutEstimator(2).run([(circuit, observables)]).result()[0]
    assert result.data.evs.tolist() == [1.0, 0.0, 1.0]
    assert result.metadata["fragments"] == ()
    stopped = Execution()
    stopped.stop.set()
    request = request_of(EstimatorPub.coerce((circuit, observables), 0.1))
    with pytest.raises(CancelledError):
        EXACT.runner().run(request, RunSettings(max_qubits=2), stopped)
