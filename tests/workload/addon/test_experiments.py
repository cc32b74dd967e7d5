"""Plans as the addon's subexperiments, and back from its subcircuits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_addon_cutting import (
    cut_wires,
    partition_problem,
    reconstruct_expectation_values,
)
from qiskit_addon_cutting.instructions import CutWire, Move
from qiskit_addon_cutting.qpd import TwoQubitQPDGate
from qiskit_addon_cutting.utils.simulation import ExactSampler

from qdreamer_lab import CutEstimator, CutPlan, cutting_problem, expand, plan_cuts
from qdreamer_lab.errors import CircuitError, ObservableError, PlanError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.partition import lone_labels
from qdreamer_lab.workload.cut.wire_segments import connected
from tests.circuits.drawn import random_circuit, random_labels

WIRES_MIXED_UP = "ignore:a wire is cut again after another:UserWarning"


def value(circuit, observable):
    return Statevector(circuit).expectation_value(SparsePauliOp(observable)).real


def chain():
    """Four qubits; nothing but a rotation on the last."""
    circuit = QuantumCircuit(4)
    circuit.ry(0.8, range(4))
    circuit.cx(0, 1)
    circuit.rx(0.4, 1)
    circuit.rzz(0.9, 1, 2)
    circuit.ry(0.5, 2)
    return circuit


@pytest.mark.parametrize("kinds", [("gate",), ("wire",)])
def test_the_addon_reconstructs_the_value_from_what_is_expanded(kinds):
    circuit, observables = chain(), ["IZZX", "XIIZ", "ZIZI", "IIII"]
    plan = plan_cuts(circuit, 2, kinds=kinds)
    assert plan.num_cuts == 1
    experiments, weights = expand(plan, observables)
    problem = cutting_problem(plan, observables)
    assert set(experiments) == set(problem.subobservables) == {f.id for f in plan.fragments}
    results = {key: ExactSampler().run(circuits).result() for key, circuits in experiments.items()}
    found = reconstruct_expectation_values(results, weights, problem.subobservables)
    assert found == pytest.approx([value(circuit, text) for text in observables], abs=1e-8)


def test_gate_and_wire_cuts_together():
    circuit = chain()
    circuit.cx(0, 1)
    blocks = to_blocks(circuit, ["IZZX"], merge=False)
    labels = np.array([[0, 0], [1, 1], [0, 2]])
    plan = CutPlan(blocks, labels, lone_labels(blocks, labels, 2), 2)
    experiments, weights = expand(plan, "IZZX")
    assert len(weights) == 8 * 8 * 6
    assert len(expand(plan, "IZZX", num_samples=20)[1]) <= 20
    results = {key: ExactSampler().run(circuits).result() for key, circuits in experiments.items()}
    terms = cutting_problem(plan, "IZZX").subobservables
    found = reconstruct_expectation_values(results, weights, terms)
    assert found[0] == pytest.approx(value(circuit, "IZZX"), abs=1e-8)


def test_a_qubit_that_no_observable_sees_costs_no_experiment():
    plan = plan_cuts(chain(), 2, observables=["IZZX"])
    assert (plan.lone_labels.tolist(), len(plan.fragments)) == ([-1], 2)
    assert set(expand(plan, "IZZX")[0]) == {0, 1}
    assert set(expand(plan, "ZZZX")[0]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("observables", "complaint"),
    [
        ("ZZ", "act on 2 qubits, the circuit on 4"),
        (["ZZ0Z"], "expected Pauli strings"),
        (["-ZZZZ"], "has a phase"),
    ],
)
def test_what_is_no_pauli_string_is_refused(observables, complaint):
    with pytest.raises(ObservableError, match=complaint):
        expand(plan_cuts(chain(), 2), observables)


def test_fewer_samples_than_one_are_refused():
    with pytest.raises(PlanError, match="num_samples=0"):
        expand(plan_cuts(chain(), 2), "ZZZZ", 0)


def wires_of(plan, subcircuits):
    """The wires of the circuit in the order in which `from_subcircuits` numbers them."""
    begins = dict(zip(plan.blocks.lone, plan.lone_labels.tolist(), strict=True))
    for segment in plan.segments:
        begins.setdefault(segment.qubit, segment.fragment)
    return [wire for key in subcircuits for wire in sorted(begins) if begins[wire] == key]


@pytest.mark.filterwarnings(WIRES_MIXED_UP)
@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 8))
def test_subcircuits_say_all_that_a_plan_does(seed, num_qubits, num_gates):
    rng = np.random.default_rng(seed)
    observable = "".join(rng.choice(list("XYZ"), num_qubits).tolist())
    circuit = random_circuit(seed, num_qubits, num_gates, general=True)
    blocks = to_blocks(circuit, [observable])
    labels = connected(blocks.pairs, random_labels(blocks.pairs, rng))
    plan = CutPlan(blocks, labels, lone_labels(blocks, labels, 99), 99)
    problem = cutting_problem(plan, observable)
    again = CutPlan.from_subcircuits(problem.subcircuits)
    assert again.log2_overhead == pytest.approx(plan.log2_overhead)
    assert sorted(f.width for f in again.fragments if f.num_blocks) == sorted(
        f.width for f in plan.fragments if f.num_blocks
    )
    # Both are the same circuit: the order of the wires apart, they have the same values.
    order = wires_of(plan, problem.subcircuits)
    assert sorted(order) == list(range(num_qubits))
    letters = observable[::-1]
    renamed = "".join(letters[wire] for wire in order)[::-1]
    joined = QuantumCircuit(num_qubits)
    for qubit, matrix in again.blocks.lone.items():
        joined.unitary(matrix, [qubit])
    for pair, matrix in zip(again.blocks.pairs.tolist(), again.blocks.unitaries, strict=True):
        joined.unitary(matrix, pair)
    assert value(joined, renamed) == pytest.approx(value(circuit, observable), abs=1e-7)


def test_the_addons_own_subcircuits_are_read():
    circuit = QuantumCircuit(3)
    circuit.ry(0.8, range(3))
    circuit.cx(0, 1)
    circuit.append(CutWire(), [1])
    circuit.cx(1, 2)
    circuit.append(TwoQubitQPDGate.from_instruction(circuit.data[-1].operation), [0, 2])
    problem = partition_problem(cut_wires(circuit))
    plan = CutPlan.from_subcircuits(problem.subcircuits)
    assert [type(cut).__name__ for cut in plan.cuts] == ["WireCut", "GateCut"]
    assert [f.width for f in plan.fragments] == [2, 2]
    assert 2**plan.log2_overhead == pytest.approx(16 * 9)
    got = CutEstimator(2, plan=plan)
    whole = QuantumCircuit(3)
    whole.ry(0.8, range(3))
    for pair in ((0, 1), (1, 2), (0, 2)):
        whole.cx(*pair)
    assert got.run([(whole, "ZXZ")]).result()[0].data.evs == pytest.approx(value(whole, "ZXZ"))


def halves(*gates):
    """Two one-qubit subcircuits, with a half of every gate each."""
    parts = {"A": QuantumCircuit(1), "B": QuantumCircuit(1)}
    for number, gate in enumerate(gates):
        whole = QuantumCircuit(2)
        whole.append(TwoQubitQPDGate.from_instruction(gate), [0, 1])
        whole.data[0].operation.label = f"cut_{number}"
        for half in whole.decompose().data:
            side = "AB"[half.operation.qubit_id]
            parts[side].append(half.operation, [0])
    return parts


def test_halves_that_do_not_fit_are_refused():
    from qiskit.circuit.library import CXGate, CZGate

    good = halves(CXGate(), CZGate())
    assert CutPlan.from_subcircuits(good).num_cuts == 2
    with pytest.raises(CircuitError, match=r"cut 0 needs two halves.*qubit 0 of subcircuit 'A'"):
        CutPlan.from_subcircuits({"A": good["A"]})
    with pytest.raises(CircuitError, match="the halves of cut 0 are of different gates"):
        CutPlan.from_subcircuits({**halves(CXGate()), "B": halves(CZGate())["B"]})
    good["A"].data = list(reversed(good["A"].data))
    with pytest.raises(CircuitError, match="contradict each other"):
        CutPlan.from_subcircuits(good)
    nameless = halves(CXGate())
    nameless["A"].data[0].operation.label = "cut"
    with pytest.raises(CircuitError, match="ends in _ and the cut's number"):
        CutPlan.from_subcircuits(nameless)


def test_a_qubit_that_serves_two_wires_is_refused():
    again = halves(Move())
    again["A"].h(0)
    with pytest.raises(CircuitError, match="qubit 0 of subcircuit 'A' is used again"):
        CutPlan.from_subcircuits(again)
    before = halves(Move())
    busy = QuantumCircuit(1)
    busy.h(0)
    before["B"] = busy.compose(before["B"])
    with pytest.raises(CircuitError, match="qubit 0 of subcircuit 'B' is used before"):
        CutPlan.from_subcircuits(before)
