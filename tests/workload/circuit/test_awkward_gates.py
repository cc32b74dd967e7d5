"""Circuits whose gates are easily misread, against dense simulation of what they mean."""

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    InverseModifier,
    Parameter,
    PowerModifier,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.library import (
    CCXGate,
    MCPhaseGate,
    MCXGate,
    PauliEvolutionGate,
    PermutationGate,
    PhaseGate,
    RXGate,
    RYGate,
    SwapGate,
    UnitaryGate,
    XGate,
)
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector, random_unitary
from qiskit_aer import AerSimulator
from scipy.linalg import expm

from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.errors import CircuitError, PubError
from qdreamer_lab.workload.circuit.gates import flat_gates
from tests.circuits.awkward_pairs import NAMES, STANDARD, awkward_pair

OBSERVABLES = ["ZIIII", "IXZII", "XXIIZ", "IIIYY", "ZZZZZ"]


def dense(circuit):
    """The product of the gates that were read."""
    whole = Operator(np.eye(1 << circuit.num_qubits))
    for gate in flat_gates(circuit):
        whole = whole.compose(Operator(gate.matrix), list(gate.qubits))
    return whole.data


def same_up_to_phase(circuit):
    size = 1 << circuit.num_qubits
    overlap = abs(np.vdot(dense(circuit), Operator(circuit).data))
    return overlap == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize("part", range(8))
def test_values_are_those_of_what_the_gates_mean(part):
    for seed in range(15 * part, 15 * part + 15):
        pair = awkward_pair(seed)
        want = [
            [state.expectation_value(SparsePauliOp(name)).real for name in OBSERVABLES]
            for state in pair.states()
        ]
        estimator = CutEstimator(4 + seed % 2)
        pub = (pair.circuit, OBSERVABLES, pair.values[:, None, :])
        got = estimator.run([pub]).result()[0].data.evs
        assert np.allclose(got, want, atol=1e-8), seed
        bound = pair.circuit.assign_parameters(pair.values[0])
        plan = plan_cuts(bound, 3)
        assert max(fragment.width for fragment in plan.fragments) <= 3


def test_every_standard_gate_is_read_right_with_controls_of_any_kind():
    rng = np.random.default_rng(5)
    for gate in STANDARD:
        if gate.params:
            gate = gate.base_class(*rng.uniform(0, 3, len(gate.params)))
        for controls in range(6 - gate.num_qubits):
            one = gate
            if controls:
                state, annotated = int(rng.integers(1 << controls)), bool(rng.integers(2))
                one = gate.control(controls, ctrl_state=state, annotated=annotated)
            circuit = QuantumCircuit(one.num_qubits)
            circuit.append(one, rng.permutation(one.num_qubits).tolist())
            assert same_up_to_phase(circuit), (one.name, controls)


@pytest.mark.parametrize("controls", [2, 3, 4, 5])
def test_open_controls_are_read_right(controls):
    rng = np.random.default_rng(controls)
    for state in rng.permutation(1 << controls)[:10].tolist():
        for gate in (XGate(), PhaseGate(0.4), RYGate(0.7)):
            circuit = QuantumCircuit(controls + 1)
            circuit.append(
                gate.control(controls, ctrl_state=state, annotated=False), range(controls + 1)
            )
            assert same_up_to_phase(circuit), (gate.name, state)


@pytest.mark.parametrize(
    "gate",
    [
        CCXGate(),
        MCXGate(5),
        MCPhaseGate(0.4, 3),
        XGate().control(3, ctrl_state="010", annotated=False),
        SwapGate().control(2, annotated=False),
        RXGate(0.3).control(3, annotated=False),
        PermutationGate([3, 0, 1, 4, 2]),
    ],
)
def test_wide_gates_fall_apart_into_no_more_gates_than_qiskit_finds(gate):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    flat = transpile(circuit, basis_gates=["u", "cx"], optimization_level=1, seed_transpiler=0)
    two = sum(len(one.qubits) == 2 for one in flat_gates(circuit))
    assert 0 < two <= flat.num_nonlocal_gates()


class OnlyAMatrix(Gate):
    """A gate without a definition."""

    def __init__(self, name, matrix):
        super().__init__(name, int(np.log2(len(matrix))), [])
        self.matrix = matrix

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.matrix, dtype=dtype)


@pytest.mark.parametrize("name", NAMES)
def test_a_gate_with_only_a_matrix_is_its_matrix_whatever_its_name(name):
    for num_qubits in (1, 2, 3):
        matrix = random_unitary(1 << num_qubits, seed=num_qubits).data
        circuit = QuantumCircuit(num_qubits)
        circuit.append(OnlyAMatrix(name, matrix), range(num_qubits))
        assert abs(np.vdot(dense(circuit), matrix)) == pytest.approx(1 << num_qubits)


@pytest.mark.parametrize("name", ["x", "h", "cx", "swap"])
def test_modifiers_act_on_what_a_gate_means(name):
    inside = QuantumCircuit(2, name=name)
    inside.h(0)
    inside.crz(0.7, 0, 1)
    inside.global_phase = 0.4
    matrix = Operator(inside).power(-2).data
    circuit = QuantumCircuit(4)
    modifiers = [InverseModifier(), PowerModifier(2), ControlModifier(2, 1)]
    circuit.append(AnnotatedOperation(inside.to_gate(), modifiers), [0, 1, 2, 3])
    want = np.eye(16, dtype=complex)
    where = [1 + 4 * k for k in range(4)]  # the controls are qubits 0 and 1, in the state 01
    want[np.ix_(where, where)] = matrix
    assert abs(np.vdot(dense(circuit), want)) == pytest.approx(16)


def test_a_pauli_evolution_is_its_product_formula_however_few_its_qubits():
    operator = SparsePauliOp(["XX", "ZI", "IZ", "YY"], [0.9, 0.8, 0.5, 0.3])
    gate = PauliEvolutionGate(operator, time=1.3)
    formula, exponential = Operator(gate.definition), expm(-1.3j * operator.to_matrix())
    assert abs(np.vdot(formula.data, exponential)) < 3.9
    values = []
    for one in (gate, gate.definition.to_gate(), UnitaryGate(formula)):
        circuit = QuantumCircuit(2)
        circuit.h([0, 1])
        circuit.append(one, [0, 1])
        circuit.cx(0, 1)
        values.append(CutEstimator(1).run([(circuit, "XX")]).result()[0].data.evs)
    want = Statevector(circuit).expectation_value(SparsePauliOp("XX")).real
    assert np.allclose(values, want)


def test_states_at_the_start_of_wires_are_no_obstacle():
    circuit = QuantumCircuit(4, 1)
    circuit.delay(10, 0)
    circuit.barrier()
    circuit.reset([0, 1])
    circuit.initialize([0.6, 0.8j], 0)
    circuit.initialize("1+", [1, 2])
    inside = QuantumCircuit(2, 1)
    inside.reset(1)
    inside.cx(0, 1)
    circuit.append(inside.to_instruction(), [2, 3], [0])
    circuit.cx(0, 1)
    got = CutEstimator(2).run([(circuit, ["ZZII", "IIYX", "IIZZ"])]).result()[0].data.evs
    plain = QuantumCircuit(4)
    plain.prepare_state([0.6, 0.8j], 0)
    plain.h(1)
    plain.x(2)
    plain.cx(2, 3)
    plain.cx(0, 1)
    state = Statevector(plain)
    want = [state.expectation_value(SparsePauliOp(s)).real for s in ("ZZII", "IIYX", "IIZZ")]
    assert np.allclose(got, want)


def with_body(condition):
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    own = QuantumCircuit(1, name="x")
    own.ry(Parameter("t"), 0)
    with condition(circuit):
        circuit.append(own.to_gate(), [0])
        circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "ZI"]), Parameter("u")), [0, 1])
    return circuit


def refused():
    yield with_body(lambda c: c.if_test((c.clbits[0], 1))), "if_else .* uses classical control"
    yield with_body(lambda c: c.while_loop((c.clbits[0], 1))), "while_loop .*classical control"
    stored = QuantumCircuit(1)
    stored.add_var("a", expr.lift(True))
    yield stored, r"\(store\) uses classical control"
    measured = QuantumCircuit(2)
    measured.measure_all()
    measured.h(0)
    yield measured, r"is a mid-circuit measurement.*session\.run"
    inside = QuantumCircuit(1, 1)
    inside.measure(0, 0)
    holding = QuantumCircuit(1, 1)
    holding.append(inside.to_instruction(), [0], [0])
    yield holding, "holds a measurement"
    late = QuantumCircuit(2)
    late.cx(0, 1)
    late.initialize([0.6, 0.8], 1)
    yield late, "initialize on qubit 1.* resets a qubit that gates have acted on"
    opaque = QuantumCircuit(2)
    opaque.append(Gate("x", 2, []), [0, 1])
    yield opaque, "neither a definition nor a matrix"
    crooked = QuantumCircuit(1)
    crooked.append(UnitaryGate(np.ones((2, 2)), check_input=False), [0])
    yield crooked, "is not unitary"


@pytest.mark.parametrize(("circuit", "words"), list(refused()))
def test_what_is_no_unitary_circuit_is_one_clear_error_before_anything_runs(circuit, words):
    pub = (circuit, "Z" * circuit.num_qubits, np.full(circuit.num_parameters, 0.3))
    with pytest.raises(CircuitError, match="PUB 0: .*" + words):
        CutEstimator(1).run([pub])


def test_a_box_is_its_body():
    circuit = QuantumCircuit(2)
    circuit.ry(0.4, 0)
    with circuit.box():
        circuit.cx(0, 1)
    got = CutEstimator(1).run([(circuit, "IZ")]).result()[0].data.evs
    assert got == pytest.approx(np.cos(0.4))


def test_delays_of_any_length_change_nothing():
    circuit = QuantumCircuit(2)
    angle, length = Parameter("z"), Parameter("a")
    circuit.ry(angle, 0)
    circuit.delay(length, 0)
    circuit.cx(0, 1)
    values = np.array([[0.5, 0.3], [100, 0.8]])
    got = CutEstimator(1).run([(circuit, "ZI", values)]).result()[0].data.evs
    assert np.allclose(got, np.cos(values[:, 1]))
    assert len(list(flat_gates(circuit.assign_parameters(values[0])))) == 2


def test_pubs_come_as_a_list():
    circuit = QuantumCircuit(1)
    estimator = CutEstimator(1)
    assert len(estimator.run([]).result()) == 0
    for pubs in (circuit, (circuit, "Z"), None, [circuit]):
        with pytest.raises(PubError, match="list of PUBs"):
            estimator.run(pubs)
    with pytest.raises(PubError, match="PUB 0: "):
        estimator.run([(circuit, "Q")])


def test_settings_can_be_read_as_from_qiskits_estimators():
    estimator = CutEstimator(1, default_precision=0.1, seed=7)
    assert (estimator.default_precision, estimator.seed) == (0.1, 7)
    assert CutEstimator(1).seed is None


def test_states_and_unused_classical_bits_run_on_a_device_too():
    angle = Parameter("a")
    own = QuantumCircuit(2, name="own")
    own.ry(angle, 0)
    own.cx(0, 1)
    circuit = QuantumCircuit(3, 1)
    circuit.reset(0)
    circuit.initialize([0.6, 0.8], 0)
    circuit.append(own.to_gate(), [0, 1])
    inside = QuantumCircuit(2, 1)
    inside.crz(0.8, 0, 1)
    inside.h(0)
    circuit.append(inside.to_instruction(), [0, 1], [0])
    circuit.cx(1, 2)
    backend = AerSimulator(seed_simulator=1)
    estimator = CutEstimator(2, backend=backend, shots=40_000, seed=2)
    data = estimator.run([(circuit, ["ZII", "IXX"], [[0.7]])]).result()[0].data
    want = CutEstimator(2).run([(circuit, ["ZII", "IXX"], [[0.7]])]).result()[0].data.evs
    assert (np.abs(data.evs - want) < 5 * data.stds).all()
