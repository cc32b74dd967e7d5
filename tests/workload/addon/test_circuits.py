"""Plans and qiskit-addon-cutting understand each other's cut circuits."""

import numpy as np
import pytest
import qiskit_addon_cutting
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import PauliList, SparsePauliOp, Statevector
from qiskit_addon_cutting import cut_wires, expand_observables, partition_problem
from qiskit_addon_cutting.automated_cut_finding import DeviceConstraints, OptimizationParameters
from qiskit_addon_cutting.instructions import CutWire, Move
from qiskit_addon_cutting.qpd import TwoQubitQPDGate

from qdreamer_lab import CutEstimator, CutPlan, find_cuts, plan_cuts
from qdreamer_lab.errors import CircuitError, InfeasiblePlanError, PlanError
from qdreamer_lab.workload.addon.decomposition import unitary_of_basis
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.partition import lone_labels
from qdreamer_lab.workload.cut.wire_segments import connected
from tests.circuits.drawn import random_circuit, random_labels, random_unitary

WIRES_MIXED_UP = "ignore:a wire is cut again after another:UserWarning"


def places(plan):
    return [(type(c).__name__, getattr(c, "block", None) or c.qubit, c) for c in plan.cuts]


@pytest.mark.filterwarnings(WIRES_MIXED_UP)
@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(0, 8))
def test_a_cut_circuit_says_all_that_a_plan_does(seed, num_qubits, num_gates):
    rng = np.random.default_rng(seed)
    blocks = to_blocks(random_circuit(seed, num_qubits, num_gates, general=True))
    labels = connected(blocks.pairs, random_labels(blocks.pairs, rng))
    plan = CutPlan(blocks, labels, lone_labels(blocks, labels, 99), 99)
    again = CutPlan.from_circuit(plan.to_circuit(), 99)
    assert np.array_equal(again.labels, plan.labels)
    assert np.array_equal(again.blocks.pairs, blocks.pairs)
    assert np.array_equal(again.lone_labels, plan.lone_labels)
    assert again.log2_overhead == pytest.approx(plan.log2_overhead)
    overlap = np.einsum("kij,kij->k", again.blocks.unitaries.conj(), blocks.unitaries)
    assert np.abs(overlap) == pytest.approx(4)


@pytest.mark.filterwarnings(WIRES_MIXED_UP)
@pytest.mark.parametrize("seed", range(6))
def test_the_addon_takes_our_cut_circuits(seed):
    plan = plan_cuts(random_circuit(seed, 6, 9, general=True), 3)
    problem = partition_problem(plan.to_circuit(moves=True))
    widths = [circuit.num_qubits for circuit in problem.subcircuits.values()]
    assert sorted(widths) == sorted(f.width for f in plan.fragments)
    overhead = np.prod([basis.overhead for basis in problem.bases])
    assert np.log2(overhead) == pytest.approx(plan.log2_overhead)


def chain_of_three():
    circuit = QuantumCircuit(3)
    circuit.ry(0.8, range(3))
    circuit.cx(0, 1)
    circuit.rx(0.4, 1)
    circuit.cx(1, 2)
    circuit.ry(0.5, 2)
    return circuit


@pytest.mark.parametrize("kinds", [("gate",), ("wire",)])
def test_the_addons_own_workflow_gives_the_right_value(kinds):
    circuit, observable = chain_of_three(), "ZZX"
    cut = plan_cuts(circuit, 2, kinds=kinds).to_circuit()
    moved = cut_wires(cut)
    wide = expand_observables(PauliList([observable]), cut, moved)
    problem = partition_problem(moved, observables=wide)
    experiments, weights = qiskit_addon_cutting.generate_cutting_experiments(
        problem.subcircuits, problem.subobservables, num_samples=np.inf
    )
    from qiskit_addon_cutting.utils.simulation import ExactSampler

    results = {k: ExactSampler().run(list(v)).result() for k, v in experiments.items()}
    values = qiskit_addon_cutting.reconstruct_expectation_values(
        results, weights, problem.subobservables
    )
    want = Statevector(circuit).expectation_value(SparsePauliOp(observable)).real
    assert values[0] == pytest.approx(want, abs=1e-8)


def test_wires_cut_by_turns_get_a_warning_and_a_way_out():
    circuit = QuantumCircuit(3)
    for low, high in ((0, 1), (1, 2), (1, 2), (0, 1)):
        circuit.cx(low, high)
        circuit.ry(0.3, low)
    blocks = to_blocks(circuit, merge=False)
    plan = CutPlan(blocks, np.array([[0, 0], [1, 2], [1, 1], [0, 0]]), np.zeros(0, int), 4)
    with pytest.warns(UserWarning, match="moves=True"):
        plan.to_circuit()
    moved = plan.to_circuit(moves=True)
    assert moved.num_qubits == 6
    joined = QuantumCircuit(6)
    for step in moved.data:
        qubits = [moved.find_bit(qubit).index for qubit in step.qubits]
        if step.name == "unitary":
            joined.append(step.operation, qubits)
        elif step.operation.label == "cut_move":  # to a qubit still in |0>, where a swap is one
            joined.swap(*qubits)
        else:
            joined.unitary(unitary_of_basis(step.operation.basis), qubits)
    letters = ["I"] * 6
    for qubit in moved.qregs[0]:
        letters[5 - moved.find_bit(qubit).index] = "Z"
    got = Statevector(joined).expectation_value(SparsePauliOp("".join(letters)))
    want = Statevector(circuit).expectation_value(SparsePauliOp("ZZZ"))
    assert got.real == pytest.approx(want.real)


@pytest.mark.parametrize("seed", range(5))
def test_the_gate_behind_a_decomposition_is_found(seed):
    unitary = random_unitary(np.random.default_rng(seed))
    circuit = QuantumCircuit(2)
    circuit.unitary(unitary, [0, 1])
    basis = TwoQubitQPDGate.from_instruction(circuit.data[0].operation).basis
    found = unitary_of_basis(basis)
    assert abs(np.vdot(found, unitary)) == pytest.approx(4)


def test_what_is_no_cut_gate_is_refused():
    circuit = QuantumCircuit(2)
    circuit.append(TwoQubitQPDGate.from_instruction(Move()), [0, 1])
    with pytest.raises(CircuitError, match="before cut_wires"):
        CutPlan.from_circuit(circuit)


def test_cuts_that_separate_nothing_are_dropped():
    circuit = QuantumCircuit(2)
    circuit.append(CutWire(), [0])
    circuit.cx(0, 1)
    circuit.append(CutWire(), [1])
    circuit.h(1)
    plan = CutPlan.from_circuit(circuit)
    assert (plan.num_cuts, plan.max_qubits) == (0, 2)
    with pytest.raises(PlanError, match="fragment 0 needs 2 qubits"):
        CutPlan.from_circuit(circuit, 1)
    with pytest.raises(PlanError, match="at least 1"):
        CutPlan.from_circuit(circuit, 0)


def settings_of(width, **options):
    return OptimizationParameters(seed=1, **options), DeviceConstraints(width)


@pytest.mark.filterwarnings(WIRES_MIXED_UP)
@pytest.mark.parametrize(
    ("seed", "width", "options"),
    [
        (1, 3, {}),
        (2, 2, {}),
        (3, 3, {"wire_lo": False}),
        (4, 3, {"gate_lo": True, "wire_lo": True}),
        (5, 4, {}),
    ],
)
def test_our_find_cuts_is_the_addons_but_no_worse(seed, width, options):
    circuit = random_circuit(seed, 6, 8, general=seed % 2 == 0)
    circuit.barrier()
    ours, said = find_cuts(circuit, *settings_of(width, **options))
    _, they_said = qiskit_addon_cutting.find_cuts(circuit, *settings_of(width, **options))
    assert said.keys() == they_said.keys()
    assert said["sampling_overhead"] <= they_said["sampling_overhead"] * (1 + 1e-9)
    assert said["minimum_reached"] is True
    names = {"Gate Cut": "qpd_2q", "Wire Cut": "cut_wire"}
    assert [names[kind] for kind, _ in said["cuts"]] == [ours.data[k].name for _, k in said["cuts"]]
    counts = [marked.count_ops() for marked in (ours, circuit)]
    added = {"barrier", "cut_wire"}
    sizes = [sum(n for name, n in count.items() if name not in added) for count in counts]
    assert sizes[0] == sizes[1]
    plan = CutPlan.from_circuit(ours, width)
    # The addon's decomposition of a general unitary costs more than the best one.
    best = pytest.approx(said["sampling_overhead"])
    assert 2**plan.log2_overhead == best or 2**plan.log2_overhead < said["sampling_overhead"]
    problem = partition_problem(plan.to_circuit(moves=True))
    assert max(c.num_qubits for c in problem.subcircuits.values()) <= width
    value = CutEstimator(width, plan=plan).run([(circuit, "ZZXZZZ")]).result()[0].data.evs
    want = Statevector(circuit).expectation_value(SparsePauliOp("ZZXZZZ")).real
    assert value == pytest.approx(want, abs=1e-10)


def test_find_cuts_leaves_one_qubit_gates_and_registers_alone():
    circuit = QuantumCircuit(3, 1)
    circuit.rx(Parameter("a"), 1)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    cut, said = find_cuts(circuit, *settings_of(2))
    assert said["cuts"] == [("Gate Cut", 1)] or said["cuts"] == [("Gate Cut", 2)]
    assert (cut.num_clbits, [p.name for p in cut.parameters]) == (1, ["a"])


def test_find_cuts_says_what_it_cannot_do():
    circuit = QuantumCircuit(4)
    circuit.cx(0, 1)
    with pytest.raises(PlanError, match="neither gate_lo nor wire_lo"):
        find_cuts(circuit, *settings_of(2, gate_lo=False, wire_lo=False))
    with pytest.raises(InfeasiblePlanError, match="is 2"):
        find_cuts(circuit, *settings_of(1, gate_lo=False))
    circuit.ccx(0, 1, 2)
    with pytest.raises(CircuitError, match=r"instruction 1 \(ccx on .* more than two qubits"):
        find_cuts(circuit, *settings_of(2))
    loose = QuantumCircuit(2)
    loose.rzz(Parameter("b"), 0, 1)
    with pytest.raises(CircuitError, match=r"instruction 0 \(rzz .*unbound parameters: b"):
        find_cuts(loose, *settings_of(1))
    measured = QuantumCircuit(2, 1)
    measured.measure(0, 0)
    measured.x(0)
    with pytest.raises(CircuitError, match="instruction 0"):
        find_cuts(measured, *settings_of(1))
