"""`find_cuts`: the least price by the addon's own account, in circuits that the addon can run."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import (
    CXGate,
    GlobalPhaseGate,
    PauliEvolutionGate,
    RZGate,
    UnitaryGate,
    XXPlusYYGate,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import Operator, SparsePauliOp
from qiskit_addon_cutting import (
    DeviceConstraints,
    OptimizationParameters,
    cut_wires,
    expand_observables,
    partition_problem,
)
from qiskit_addon_cutting.qpd import QPDBasis

from qdreamer_lab import CutPlan, find_cuts
from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.addon.decomposition import unitary_of_basis
from qdreamer_lab.workload.circuit.schmidt import gate_cut_gamma
from tests.circuits.drawn import random_unitary

WIRES_MIXED_UP = "ignore:a wire is cut again after another:UserWarning"


def own_gate(name, angle=0.7):
    """Not what its name says."""
    circuit = QuantumCircuit(2, name=name)
    circuit.rxx(angle, 0, 1)
    circuit.h(0)
    return circuit.to_gate()


def random_gate(rng):
    """A two-qubit gate, and the price of cutting it by the addon's account of what it is."""
    named = get_standard_gate_name_mapping().values()
    pairs = [gate for gate in named if isinstance(gate, Gate) and gate.num_qubits == 2]
    kind = rng.integers(6)
    if kind <= 2:
        gate = pairs[rng.integers(len(pairs))]
        gate = gate.base_class(*rng.uniform(0, 6, len(gate.params)))
        return gate, QPDBasis.from_instruction(gate).overhead
    if kind == 3:
        gate = UnitaryGate(random_unitary(rng))
        return gate, QPDBasis.from_instruction(gate).overhead
    if kind == 4:
        angle = rng.uniform(0, 3)
        name = ["swap", "cx", "iswap", "barrier", "move", "cut_wire", "qpd_2q"][rng.integers(7)]
        return own_gate(name, angle), (1 + 2 * abs(math.sin(angle))) ** 2
    gate = [CXGate(ctrl_state=0), RZGate(0.9).control(1, ctrl_state=0, annotated=False)][
        rng.integers(2)
    ]
    return gate, QPDBasis.from_instruction(gate).overhead


def cheaper_plan(pairs, prices, width, limit):
    """Whether some gate and wire cuts cheaper than `limit` keep to the width; all are tried."""
    last, wires, ends = {}, [], []
    for block, pair in enumerate(pairs):
        for side, qubit in enumerate(pair):
            ends.append((block, side))
            if qubit in last:
                wires.append((last[qubit], (block, side)))
            last[qubit] = (block, side)
    for cut_gates in subsets(range(len(pairs))):
        price = math.prod(prices[k] for k in cut_gates)
        for cut_wires_here in subsets(range(len(wires))):
            if price * 16 ** len(cut_wires_here) >= limit * (1 - 1e-6):
                break
            kept = [wire for k, wire in enumerate(wires) if k not in cut_wires_here]
            inside = [((k, 0), (k, 1)) for k in range(len(pairs)) if k not in cut_gates]
            if widest(ends, kept, inside) <= width:
                return True
    return False


def subsets(items):
    items = list(items)
    for size in range(len(items) + 1):
        yield from itertools.combinations(items, size)


def widest(ends, wires, inside):
    """Most pieces of wire that are connected through gates."""
    place = {end: end for end in ends}

    def root(end):
        while place[end] != end:
            end = place[end]
        return end

    for one, other in wires:
        place[root(other)] = root(one)
    pieces = {end: root(end) for end in ends}
    place = {piece: piece for piece in pieces.values()}
    for one, other in inside:
        place[root(pieces[other])] = root(pieces[one])
    sizes = {}
    for piece in list(place):
        sizes[root(piece)] = sizes.get(root(piece), 0) + 1
    return max(sizes.values(), default=1)


def partitioned(marked):
    """The addon's subcircuits, by its own way or, where it mixes wires up, by ours."""
    order = [step.qubits[0] for step in marked.data if step.name == "cut_wire"]
    runs = [qubit for qubit, _ in itertools.groupby(order)]
    if len(runs) > len(set(runs)):
        marked = CutPlan.from_circuit(marked).to_circuit(moves=True)
    return partition_problem(cut_wires(marked)).subcircuits


@pytest.mark.filterwarnings(WIRES_MIXED_UP)
@pytest.mark.parametrize("part", range(8))
def test_no_plan_is_cheaper_by_the_addons_account(part):
    rng = np.random.default_rng(part)
    for _ in range(25):
        num_qubits = int(rng.integers(3, 5))
        width = int(rng.integers(2, num_qubits))
        circuit = QuantumCircuit(num_qubits)
        pairs, prices = [], []
        for _ in range(rng.integers(1, 7)):
            gate, price = random_gate(rng)
            pair = rng.choice(num_qubits, 2, replace=False).tolist()
            circuit.append(gate, pair)
            circuit.ry(0.4, pair[0])
            pairs.append(pair)
            prices.append(price)
        if rng.random() < 0.5:
            circuit.barrier()
        optimization = OptimizationParameters(seed=1)
        marked, said = find_cuts(circuit, optimization, DeviceConstraints(width))
        assert said["minimum_reached"]
        assert not cheaper_plan(pairs, prices, width, said["sampling_overhead"])
        bases = [step.operation.basis.overhead for step in marked.data if step.name == "qpd_2q"]
        wires = sum(kind == "Wire Cut" for kind, _ in said["cuts"])
        assert said["sampling_overhead"] == pytest.approx(math.prod(bases) * 16**wires)
        assert max(part.num_qubits for part in partitioned(marked).values()) <= width
        plan = CutPlan.from_circuit(marked, width)
        assert 2**plan.log2_overhead <= said["sampling_overhead"] * (1 + 1e-6)


def row_of_cx(num_qubits):
    circuit = QuantumCircuit(num_qubits)
    for low in range(num_qubits - 1):
        circuit.cx(low, low + 1)
    return circuit


def test_a_gamma_that_is_not_kept_is_named():
    row = row_of_cx(4)
    settings = OptimizationParameters(seed=1, max_gamma=26)
    with pytest.warns(UserWarning, match="gamma is 27, above max_gamma=26: no plan has less"):
        marked, said = find_cuts(row, settings, DeviceConstraints(1))
    assert said["sampling_overhead"] == pytest.approx(27**2)
    assert len(said["cuts"]) == marked.count_ops()["qpd_2q"] == 3
    for most in (27, 27.5, 1024, math.inf):  # filterwarnings makes any warning an error
        find_cuts(row, OptimizationParameters(seed=1, max_gamma=most), DeviceConstraints(1))


def test_a_gamma_beyond_all_floats_can_be_named():
    dense = QuantumCircuit(2)
    for k in range(1400):
        dense.cx(k % 2, 1 - k % 2)
        dense.h(0)
    with pytest.warns(UserWarning, match=r"gamma is 2\^2\d\d\d\.\d, above max_gamma=1024: no plan"):
        find_cuts(dense, OptimizationParameters(seed=1, wire_lo=False), DeviceConstraints(1))


def test_a_number_of_backjumps_is_said_to_have_no_effect():
    row = row_of_cx(3)
    for number in (0, 5, 20_000):
        settings = OptimizationParameters(seed=1, max_backjumps=number)
        with pytest.warns(UserWarning, match=f"max_backjumps={number} has no effect"):
            _, said = find_cuts(row, settings, DeviceConstraints(2))
        assert said["sampling_overhead"] == pytest.approx(9)
    find_cuts(row, OptimizationParameters(seed=1, max_backjumps=None), DeviceConstraints(2))


@pytest.mark.parametrize(
    "setting",
    [
        {"max_gamma": 0.5},
        {"max_gamma": math.nan},
        {"max_gamma": "1024"},
        {"max_gamma": True},
        {"max_gamma": 10**400},
        {"max_backjumps": -1},
        {"max_backjumps": 1.5},
    ],
)
def test_settings_that_make_no_sense_are_named(setting):
    (name,) = setting
    with pytest.raises(PlanError, match=name):
        find_cuts(row_of_cx(3), OptimizationParameters(seed=1, **setting), DeviceConstraints(2))


def test_settings_that_are_left_out_ask_for_nothing():
    bare = SimpleNamespace(seed=1, gate_lo=True, wire_lo=True)
    _, said = find_cuts(row_of_cx(3), bare, SimpleNamespace(qubits_per_subcircuit=2))
    assert said["sampling_overhead"] == pytest.approx(9)


def test_subcircuits_may_be_for_devices_of_several_widths():
    constraints = SimpleNamespace(qubits_per_subcircuit={4: 1, 1: 2})
    circuit = row_of_cx(6)
    marked, said = find_cuts(circuit, OptimizationParameters(seed=1), constraints)
    assert said["sampling_overhead"] == pytest.approx(81)
    assert sorted(part.num_qubits for part in partitioned(marked).values()) == [1, 1, 4]


def test_general_unitaries_are_dearer_for_the_addon_and_left_whole():
    circuit = QuantumCircuit(3)
    circuit.unitary(random_unitary(np.random.default_rng(5)), [0, 1])
    circuit.cx(1, 2)
    circuit.ry(0.3, 1)
    circuit.rzz(np.pi / 6, 1, 2)
    dear = circuit.data[0]
    best = float(gate_cut_gamma(np.array([dear.matrix]))[0]) ** 2
    assert best < 36 < QPDBasis.from_instruction(dear.operation).overhead
    marked, said = find_cuts(
        circuit, OptimizationParameters(seed=1, wire_lo=False), DeviceConstraints(2)
    )
    assert said["sampling_overhead"] == pytest.approx(36)
    assert (marked.data[0].name, said["minimum_reached"]) == ("unitary", True)


def test_a_gate_that_is_cut_is_the_one_that_was_written():
    gates = [
        own_gate("swap"),
        own_gate("cx"),
        CXGate(ctrl_state=0),
        XXPlusYYGate(0.4, 0.3),
        PauliEvolutionGate(SparsePauliOp(["XX", "ZI"]), 1.3).definition.to_gate(),
        PauliEvolutionGate(SparsePauliOp(["XX", "ZI"]), 1.3),
    ]
    for gate in gates:
        circuit = QuantumCircuit(2)
        circuit.append(gate, [0, 1])
        marked, _ = find_cuts(circuit, OptimizationParameters(seed=1), DeviceConstraints(1))
        want = (
            Operator(circuit.decompose(reps=2)).data if gate is gates[-1] else Operator(gate).data
        )
        found = unitary_of_basis(marked.data[0].operation.basis)
        assert abs(np.vdot(found, want)) == pytest.approx(4)


@pytest.mark.parametrize("symbol", [None, Parameter("a")])
def test_phases_barriers_and_beginnings_do_not_keep_the_addon_from_partitioning(symbol):
    circuit = QuantumCircuit(3)
    circuit.reset(0)
    circuit.initialize([0.6, 0.8], 1)
    circuit.append(GlobalPhaseGate(0.3 if symbol is None else symbol), [])
    circuit.append(own_gate("phase").inverse().power(2), [0, 1])
    circuit.barrier()
    circuit.cx(1, 2)
    circuit.barrier(label="end")
    marked, _ = find_cuts(circuit, OptimizationParameters(seed=1), DeviceConstraints(2))
    assert marked.global_phase == (0.3 if symbol is None else symbol)
    whole = cut_wires(marked)
    wide = expand_observables(SparsePauliOp("ZZZ").paulis, circuit, whole)
    problem = partition_problem(whole, observables=wide)
    assert sorted(part.num_qubits for part in problem.subcircuits.values()) == [1, 2]


def test_a_one_qubit_gate_with_a_name_of_the_addons_stays_a_gate():
    circuit = QuantumCircuit(3)
    for name in ("cut_wire", "barrier", "qpd_measure"):
        inner = QuantumCircuit(1, name=name)
        inner.h(0)
        circuit.append(inner.to_gate(), [1])
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    marked, said = find_cuts(circuit, OptimizationParameters(seed=1), DeviceConstraints(2))
    assert len(said["cuts"]) == 1
    parts = partition_problem(cut_wires(marked)).subcircuits.values()
    assert sorted(part.num_qubits for part in parts) == [1, 2]
    plan = CutPlan.from_circuit(marked)
    assert plan.num_cuts == 1
