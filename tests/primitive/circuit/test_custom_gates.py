"""Circuits for devices: a gate is what its definition says, and a sweep what each point says."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    ControlledGate,
    ControlModifier,
    Gate,
    Instruction,
    InverseModifier,
    Parameter,
)
from qiskit.circuit.library import HGate, get_standard_gate_name_mapping
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator, Pauli, Statevector, random_clifford
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.custom_gates import unrolled
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.run import run_pubs
from tests.primitive.vendor_devices import FORMATS, Vendor

LINE = GenericBackendV2(
    5, ["rz", "sx", "x", "cx"], coupling_map=[[0, 1], [1, 2], [2, 3], [3, 4]], noise_info=False
)
DEVICES = {"ideal": AerSimulator(), "line": LINE}
GATES = get_standard_gate_name_mapping()
OTHERS = (
    *("diagonal", "multiplexer", "initialize", "pauli", "unitary", "mcx", "kraus", "if_else"),
    *("save_state", "qft", "clifford", "permutation", "barrier"),
)
ROOM = type("Room", (), {"name": "room", "memory_per_worker_bytes": 2**30})


def _inner():
    inner = QuantumCircuit(2)
    inner.ry(0.7, 0)
    inner.cx(0, 1)
    inner.rx(0.3, 1)
    inner.h(0)
    return inner


def _own(name, definition, kind=Gate):
    sizes = (2,) if kind is Gate else (2, 0)
    gate = kind(name, *sizes, [])
    gate.definition = definition
    return gate


def _written(circuit, device, shots=10):
    (pub,) = for_device([SamplerPub.coerce((circuit,), shots)], device, [ROOM], None)
    return pub.circuit


def _probabilities(written):
    """Of the circuit's own qubits, wherever they were laid out."""
    bare = written.remove_final_measurements(inplace=False)
    layout = written.layout
    places = layout.final_index_layout() if layout else range(written.num_qubits)
    return Statevector(bare).probabilities(list(places))


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@pytest.mark.parametrize("kind", [Gate, Instruction])
def test_a_gate_is_what_its_definition_says_whatever_its_name(device, kind):
    for name in (*GATES, *OTHERS):
        circuit, truth = QuantumCircuit(3), QuantumCircuit(3)
        circuit.h([0, 1, 2])
        truth.h([0, 1, 2])
        circuit.append(_own(name, _inner(), kind), [0, 2])
        truth.compose(_inner(), [0, 2], inplace=True)
        outer = QuantumCircuit(2)
        outer.append(_own(name, _inner(), kind), [1, 0])
        circuit.append(_own("cx", outer, kind), [2, 1])  # one within another
        truth.compose(_inner(), [1, 2], inplace=True)
        found = _probabilities(_written(circuit, device))
        wanted = Statevector(truth).probabilities()
        np.testing.assert_allclose(found, wanted, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_operations_that_are_no_instructions_are_written_out(device):
    circuit, truth = QuantumCircuit(3), QuantumCircuit(3)
    clifford = random_clifford(2, seed=3)
    for each in (circuit, truth):
        each.rx(0.4, range(3))
    circuit.append(clifford, [2, 0])
    circuit.append(AnnotatedOperation(clifford, InverseModifier()), [0, 1])
    truth.compose(clifford.to_circuit(), [2, 0], inplace=True)
    truth.compose(clifford.to_circuit().inverse(), [0, 1], inplace=True)
    found = _probabilities(_written(circuit, device))
    np.testing.assert_allclose(found, Statevector(truth).probabilities(), atol=1e-9)


def test_gates_are_written_out_below_controls_and_in_bodies():
    own = _own("swap", _inner())
    controlled = ControlledGate("cswap", 3, [], num_ctrl_qubits=1, base_gate=own)
    definition = QuantumCircuit(3)
    definition.append(AnnotatedOperation(own, ControlModifier(1)), range(3))
    controlled.definition = definition
    circuit = QuantumCircuit(3)
    circuit.append(controlled, [2, 0, 1])
    truth = QuantumCircuit(3)
    truth.append(_inner().to_gate().control(1), [2, 0, 1])
    assert Operator(unrolled(circuit)).equiv(Operator(truth))

    looped, plain = QuantumCircuit(2, 2), QuantumCircuit(2, 2)
    with looped.for_loop(range(3)):
        looped.append(own, [0, 1])
    for _ in range(3):
        plain.compose(_inner(), [0, 1], inplace=True)
    looped.measure([0, 1], [0, 1])
    (result,) = run_pubs(
        [SamplerPub.coerce((_written(looped, AerSimulator()),), 4000)], AerSimulator(), seed=1
    )
    counts = result.data.c.get_int_counts()
    found = np.array([counts.get(k, 0) for k in range(4)]) / 4000
    wanted = Statevector(plain.remove_final_measurements(inplace=False)).probabilities()
    np.testing.assert_allclose(found, wanted, atol=0.04)


def test_what_is_qiskits_own_stays_as_it_is():
    circuit = QuantumCircuit(3, 1)
    circuit.initialize([1, 0], 0)
    circuit.h(0)
    circuit.mcx([0, 1], 2)
    circuit.crx(0.3, 0, 1, ctrl_state=0)
    circuit.barrier(label="mine")
    circuit.delay(10, 0)
    circuit.measure(0, 0)
    assert unrolled(circuit) is circuit


def test_a_gate_without_definition_is_the_devices_or_refused():
    circuit = QuantumCircuit(2, 1)
    circuit.append(Gate("x", 1, []), [0])
    circuit.measure(0, 0)
    with pytest.raises(PubError, match="'x' has neither a definition nor a matrix"):
        _written(circuit, AerSimulator())
    target = Target(num_qubits=1)
    target.add_instruction(Gate("flip", 1, []), {(0,): None})
    native = QuantumCircuit(1)
    native.append(Gate("flip", 1, []), [0])
    assert unrolled(native, target) is native
    native.data.clear()
    half_turn = QuantumCircuit(1)
    half_turn.h(0)
    other = Gate("flip", 1, [])
    other.definition = half_turn
    native.append(other, [0])
    assert unrolled(native, target).count_ops() == {"h": 1}


def test_a_gate_with_a_matrix_only_is_that_matrix():
    class Turn(Gate):
        def __init__(self):
            super().__init__("z", 1, [])

        def __array__(self, dtype=None, copy=None):
            return HGate().to_matrix()

    circuit = QuantumCircuit(1)
    circuit.append(Turn(), [0])
    assert Operator(unrolled(circuit)).equiv(Operator(HGate()))


def _parametrised():
    """Every parametrised gate of Qiskit's library, its controlled and open-controlled forms."""
    for name, gate in GATES.items():
        if gate.params and gate.num_clbits == 0 and name != "delay":
            kind, count = type(gate), len(gate.params)
            yield name, kind, count
            if gate.num_qubits < 3:
                yield f"open {name}", lambda *p, k=kind: k(*p).control(1, ctrl_state=0), count
                yield f"two {name}", lambda *p, k=kind: k(*p).control(1), count


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_a_sweep_gives_what_each_point_gives(device):
    rng = np.random.default_rng(1)
    a, b = Parameter("a"), Parameter("b")
    for name, make, count in _parametrised():
        expressions = [a + 0.2, 2 * b, a * b, a - b][:count]
        gate = make(*expressions)
        width = gate.num_qubits
        circuit = QuantumCircuit(max(1, width))
        circuit.ry(0.8, circuit.qubits)
        circuit.append(gate, range(width))
        circuit.rx(0.6, circuit.qubits)
        rows = rng.uniform(-3, 3, (3, 2 if len(circuit.parameters) == 2 else 1))
        measured = circuit.measure_all(inplace=False)
        (pub,) = for_device([SamplerPub.coerce((measured, rows), 1)], device, [ROOM], None)
        for row in rows:
            found = _probabilities(pub.circuit.assign_parameters(row))
            truth = Statevector(circuit.assign_parameters(row)).probabilities()
            np.testing.assert_allclose(found, truth, atol=1e-8, err_msg=name)


def test_values_of_a_sweep_on_a_device_that_returns_counts():
    t = Parameter("t")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.crx(t, 0, 1)
    angles = np.array([0.3, 1.1, 2.5])
    device = Vendor(FORMATS["hexadecimal"], target=LINE.target)
    pub = EstimatorPub.coerce((circuit, "ZZ", angles), 0.02)
    (result,) = run_pubs(for_device([pub], device, [ROOM], None), device, seed=1)
    bound = [circuit.assign_parameters([angle]) for angle in angles]
    truth = [Statevector(each).expectation_value(Pauli("ZZ")).real for each in bound]
    assert (np.abs(result.data.evs - truth) < 5 * result.data.stds).all()


def test_angles_that_a_device_cannot_turn_by_are_not_in_its_terms():
    rx = Parameter("rx")
    target = Target(num_qubits=1)
    target.add_instruction(GATES["rx"].__class__(np.pi / 2), {(0,): None})
    target.add_instruction(GATES["rz"].__class__(rx), {(0,): None})
    target.add_instruction(GATES["measure"], {(0,): None})
    device = Vendor(FORMATS["hexadecimal"], target=target)
    circuit = QuantumCircuit(1)
    circuit.rx(np.pi / 2, 0)
    circuit.measure_all()
    assert _written(circuit, device) is circuit
    other = QuantumCircuit(1)
    other.rx(0.3, 0)
    other.measure_all()
    with pytest.raises(PubError, match=r"cannot be written for vendor: it has no rx\(0\.3\) there"):
        _written(other, device)
