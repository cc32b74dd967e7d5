"""The normal form is the circuit: same operator, fewer pieces, and a clear no to the rest."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2, random_iqp
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator, Statevector, random_unitary

from qdreamer_lab.errors import CircuitError, ObservableError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.schmidt import gate_cut_gamma, local_terms, schmidt_coefficients
from tests.circuits.drawn import random_rzz
from tests.circuits.plain import of_unitaries


def rebuilt(blocks):
    """The blocks as a Qiskit circuit."""
    circuit = of_unitaries(blocks.num_qubits, blocks.pairs, blocks.unitaries)
    for qubit, unitary in blocks.lone.items():
        circuit.unitary(unitary, [qubit])
    return circuit


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(0, 8), st.integers(0, 10_000))
def test_blocks_multiply_to_the_circuit(num_qubits, depth, seed):
    circuit = random_circuit(num_qubits, depth, max_operands=min(4, num_qubits), seed=seed)
    blocks = to_blocks(circuit)
    assert Operator(rebuilt(blocks)).equiv(Operator(circuit))


def test_a_run_on_one_pair_is_one_block():
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rz(0.3, 1)
    circuit.barrier()
    circuit.cx(1, 0)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.x(2)
    blocks = to_blocks(circuit)
    assert blocks.pairs.tolist() == [[0, 1], [1, 2], [0, 1]]
    assert blocks.sources == ((0, 1, 2, 4), (5, 7), (6,))
    assert Operator(rebuilt(blocks)).equiv(Operator(circuit))


def test_only_the_light_cone_stays():
    circuit = QuantumCircuit(5)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(3, 4)
    circuit.cx(2, 3)
    circuit.h(4)
    blocks = to_blocks(circuit, observables=["IIIZI", "IIIXI"])
    assert blocks.pairs.tolist() == [[0, 1], [1, 2]]
    assert blocks.measured == (1,)
    assert sorted(blocks.lone) == [3, 4]
    state = Statevector(rebuilt(blocks))
    for label in ("IIIZI", "IIIXI"):
        expected = Statevector(circuit).expectation_value(Operator.from_label(label))
        assert state.expectation_value(Operator.from_label(label)) == pytest.approx(expected)


def test_twenty_thousand_gates_take_little_work():
    circuit = random_rzz(np.random.default_rng(0), 200, 20_000)
    start = time.thread_time()
    assert to_blocks(circuit).num_blocks > 19_000
    assert time.thread_time() - start < 3.0


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda c: (c.measure_all(), c.x(0)), r"instruction 2 \(measure on qubit 0\)"),
        (lambda c: c.reset(1), "reset on qubit 1"),
        (lambda c: c.initialize([1, 0], 1), "initialize on qubit 1"),
        (lambda c: c.rx(Parameter("theta"), 0), "unbound parameters: theta"),
        (lambda c: c.rx(np.inf, 0), r"instructions \(0, 1\) is not finite"),
    ],
)
def test_what_is_not_unitary_is_refused(build, words):
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    build(circuit)
    with pytest.raises(CircuitError, match=words):
        to_blocks(circuit)


def test_classical_control_is_refused():
    circuit = QuantumCircuit(1)
    circuit.add_register(ClassicalRegister(1, "c"))
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    with pytest.raises(CircuitError, match="classical control"):
        to_blocks(circuit)


def test_an_observable_of_the_wrong_width_is_refused():
    with pytest.raises(ObservableError, match=r"3 qubits .* has 2"):
        to_blocks(QuantumCircuit(2), observables="ZZZ")


def gate(name, *params):
    circuit = QuantumCircuit(2)
    getattr(circuit, name)(*params, 0, 1)
    return Operator(circuit).data


@pytest.mark.parametrize(
    ("unitary", "gamma"),
    [
        (gate("cx"), 3),
        (gate("cz"), 3),
        (gate("swap"), 7),
        (gate("iswap"), 7),
        (gate("rzz", 0.4), 1 + 2 * np.sin(0.4)),
        (gate("rzz", -2.0), 1 + 2 * np.sin(2.0)),
        (gate("cp", 0.6), 1 + 2 * np.sin(0.3)),
        (np.eye(4), 1),
    ],
)
def test_gamma_of_known_gates(unitary, gamma):
    dressing = np.kron(random_unitary(2, seed=1).data, random_unitary(2, seed=2).data)
    assert gate_cut_gamma(np.array([dressing @ unitary]))[0] == pytest.approx(gamma, abs=1e-9)


def test_coefficients_are_normalised_and_terms_rebuild_the_block():
    unitaries = np.array([random_unitary(4, seed=k).data for k in range(5)])
    assert np.sum(schmidt_coefficients(unitaries) ** 2, axis=1) == pytest.approx(np.ones(5))
    for unitary in unitaries:
        low, high = local_terms(unitary)
        total = sum(np.kron(h, lo) for lo, h in zip(low, high, strict=True))
        np.testing.assert_allclose(total, unitary, atol=1e-12)


def test_rank_follows_the_gate():
    ranks = [
        len(local_terms(u)[0]) for u in (np.eye(4), gate("cx"), gate("rzz", 0.1), gate("swap"))
    ]
    assert ranks == [1, 2, 2, 4]


def test_wide_library_gates_are_decomposed():
    circuit = efficient_su2(3, reps=1).assign_parameters(np.linspace(0, 1, 12))
    circuit.append(random_iqp(3, seed=1).to_gate(), [0, 1, 2])
    circuit.ccx(2, 0, 1)
    blocks = to_blocks(circuit)
    assert Operator(rebuilt(blocks)).equiv(Operator(circuit))
    assert max(max(s) for s in blocks.sources) == len(circuit.data) - 1
