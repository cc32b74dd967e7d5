"""How likely a shot is free of errors, against sums by hand and against what noisy devices do."""

import math

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import CXGate, RZGate, SXGate, XGate
from qiskit.transpiler import (
    InstructionProperties,
    QubitProperties,
    Target,
    generate_preset_pass_manager,
)
from scipy.stats import spearmanr

from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.primitive.device.shot_success import success
from qdreamer_lab import CutEstimator, QDreamerError
from tests.circuits.drawn import random_circuit
from tests.workload.sampled.device.cut_devices import Elsewhere
from tests.workload.test_dry_run import chain


def target(one=0.01, two=0.05, read=0.1, t1=1e-4, t2=5e-5):
    made = Target(num_qubits=3, qubit_properties=[QubitProperties(t1=t1, t2=t2)] * 3)
    qubits = [(k,) for k in range(3)]
    pairs = [(0, 1), (1, 2)]
    made.add_instruction(SXGate(), {at: InstructionProperties(1e-7, one) for at in qubits})
    made.add_instruction(CXGate(), {at: InstructionProperties(1e-6, two) for at in pairs})
    made.add_instruction(Measure(), {at: InstructionProperties(2e-6, read) for at in qubits})
    return made


def test_errors_of_gates_and_readout_multiply():
    circuit = QuantumCircuit(3, 2)
    circuit.sx(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    assert success(circuit, target()) == pytest.approx(0.99 * 0.95 * 0.9**2)


def test_a_qubit_that_waits_forgets():
    circuit = QuantumCircuit(3, 1)
    circuit.sx(0)
    circuit.sx(1)
    circuit.cx(1, 2)  # which qubit 0 waits for, since it is to meet qubit 1
    circuit.cx(0, 1)
    waited = 1e-6  # of 1.1 µs, 0.1 are its own gate's
    kept = 0.5 + math.exp(-waited / 1e-4) / 6 + math.exp(-waited / 5e-5) / 3
    assert success(circuit, target(one=0, two=0)) == pytest.approx(kept)
    assert success(circuit, target(one=0, two=0, t1=None, t2=None)) == 1.0


def test_what_is_not_told_counts_as_perfect():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.barrier()
    circuit.measure(0, 0)
    assert success(circuit, Elsewhere().target) == 1.0


def test_of_a_value_counts_what_reaches_its_bits():
    circuit = QuantumCircuit(3, 3)
    circuit.sx(0)
    circuit.sx(1)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.cx(1, 2)  # after the last that qubit 0 has to do with
    circuit.sx(0)
    circuit.measure([1, 2], [1, 2])
    of = {bits: success(circuit, target(t1=None, t2=None), bits) for bits in ((0,), (1,), (2, 0))}
    assert of[0,] == pytest.approx(0.99**2 * 0.95 * 0.9)
    assert of[1,] == pytest.approx(0.99**2 * 0.95**2 * 0.9)  # qubit 0 is done with
    assert of[2, 0] == pytest.approx(0.99**2 * 0.95**2 * 0.9**2)
    assert success(circuit, target(), ()) == 1.0


def test_it_ranks_circuits_as_noisy_devices_do():
    """Circuits there and back again, of many depths, on two unlike devices."""
    predicted, observed = [], []
    for number, name in enumerate(["fake_manila", "fake_vigo", "fake_manila", "fake_vigo"] * 3):
        there = random_circuit(number, 4, 1 + number)
        circuit = there.copy()
        circuit.barrier()
        circuit.compose(there.inverse(), inplace=True)
        circuit.measure_all()
        device = backend_named(name)
        manager = generate_preset_pass_manager(1, backend=device, seed_transpiler=number)
        written = manager.run(circuit)
        counts = device.run(written, shots=8000, seed_simulator=number).result().get_counts()
        predicted.append(success(written, device.target))
        observed.append(counts.get("0000", 0) / 8000)
    assert spearmanr(predicted, observed).statistic >= 0.7


def test_the_better_device_is_preferred_if_fidelity_is():
    def device(name, error):
        made = Elsewhere(_line(error))
        made.name = name
        return made

    bad, good = device("bad", 0.08), device("good", 0.005)
    placed = {}
    for prefer in ("time", "fidelity"):
        cut = CutEstimator(3, backend=[bad, good], prefer=prefer, shots=400, seed=1)
        (result,) = cut.run([(chain(), "Z" * 6)]).result()
        placed[prefer] = sorted({row.device for row in result.record.fragments})
    assert placed == {"time": ["bad", "good"], "fidelity": ["good"]}
    with pytest.raises(QDreamerError, match="unknown prefer 'luck'; there is 'time', 'fidelity'"):
        CutEstimator(3, prefer="luck")


def _line(error):
    made = Target(num_qubits=6)
    for gate in (RZGate(Parameter("x")), SXGate(), XGate(), Measure()):
        made.add_instruction(gate, {(k,): InstructionProperties(1e-7, 1e-4) for k in range(6)})
    pairs = [(k, k + 1) for k in range(5)] + [(k + 1, k) for k in range(5)]
    made.add_instruction(CXGate(), {at: InstructionProperties(1e-6, error) for at in pairs})
    return made
