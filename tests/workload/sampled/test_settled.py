"""Cuts that what is measured settles: three circuits, and the values of the whole circuit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from qdreamer_lab import CutEstimator, CutSampler
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.sampled.simulate import exact_tensor
from tests.workload.sampled.device.cut_devices import Elsewhere
from tests.workload.sampled.lowered import dense_values, lowered

ACROSS = {
    "cx": lambda c: c.cx(1, 2),
    "xc": lambda c: c.cx(2, 1),
    "cz": lambda c: c.cz(1, 2),
    "cp": lambda c: c.cp(0.7, 1, 2),
    "rzz": lambda c: c.rzz(0.9, 1, 2),
    "cry": lambda c: c.cry(1.1, 1, 2),
    "rxx": lambda c: c.rxx(0.4, 1, 2),
    "ryx": lambda c: (c.sdg(1), c.rxx(0.8, 1, 2), c.s(1)),
}
"""Gates between the second and the third of four qubits, of two terms each."""


def circuit_with(gate, after=lambda circuit: None):
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(0.4 + 0.3 * qubit, qubit)
        circuit.rz(0.2 * qubit, qubit)
    circuit.cx(0, 1)
    circuit.cx(3, 2)
    ACROSS[gate](circuit)
    after(circuit)
    return circuit


def assert_right(circuit, run, observables):
    found = run.gluing.values([exact_tensor(fragment) for fragment in run.fragments])
    np.testing.assert_allclose(found, dense_values(circuit, observables), atol=1e-9)


@pytest.mark.parametrize(
    ("gate", "variants"),
    [
        ("cx", [1, 2]),
        ("xc", [2, 1]),
        ("cz", [1, 2]),
        ("cp", [1, 2]),
        ("rzz", [1, 2]),
        ("cry", [1, 2]),
        ("rxx", [4, 4]),
        ("ryx", [4, 4]),
    ],
)
def test_a_side_that_is_measured_along_its_axis_settles_a_cut(gate, variants):
    circuit = circuit_with(gate)
    observables = ["ZZZZ", "IZZI", "IIZI", "ZIII", "0110"]
    run = lowered(circuit, [[0, 0], [1, 1], [0, 1]], observables)
    assert [fragment.num_variants for fragment in run.fragments] == variants
    assert_right(circuit, run, observables)


@pytest.mark.parametrize(
    ("observables", "settled"),
    [
        (["ZZZZ"], True),
        (["XXIX", "XXZX"], True),  # one basis; whatever the other side reads
        (["ZZIZ", "XZIX"], True),  # the control is not measured
        (["IIXI"], False),
        (["IIZI", "IIXI"], False),
        (["IIYI"], False),
    ],
)
def test_what_is_measured_decides(observables, settled):
    circuit = circuit_with("cx")
    run = lowered(circuit, [[0, 0], [1, 1], [0, 1]], observables)
    assert (len(run.fragments[0].legs[0].side.operations) == 1) == settled
    assert_right(circuit, run, observables)


@pytest.mark.parametrize(
    ("after", "settled"),
    [
        (lambda c: c.rz(0.3, 1), True),
        (lambda c: c.x(1), True),
        (lambda c: c.cp(0.5, 0, 1), True),
        (lambda c: c.cx(1, 0), True),
        (lambda c: c.ry(0.3, 1), False),
        (lambda c: c.h(1), False),
        (lambda c: c.cx(0, 1), False),
    ],
)
def test_what_follows_on_the_qubit_decides(after, settled):
    circuit = circuit_with("cx", after)
    blocks = 3 + (len({2, len(circuit.data[-1].qubits)}) == 1)
    labels = [[0, 0], [1, 1], [0, 1], [0, 0]][:blocks]
    run = lowered(circuit, labels, ["ZZZZ", "IIZI"])
    assert (len(run.fragments[0].legs[0].side.operations) == 1) == settled
    assert_right(circuit, run, ["ZZZZ", "IIZI"])


gates = st.tuples(st.sampled_from(sorted(ACROSS)), st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(gates.filter(lambda gate: gate[1] != gate[2]), min_size=2, max_size=6),
    st.lists(st.sampled_from(["rz", "ry", "none"]), min_size=6, max_size=6),
    st.lists(st.text("IZXY", min_size=4, max_size=4), min_size=1, max_size=3),
    st.sampled_from(["lo", "joint"]),
)
def test_values_are_those_of_the_whole_circuit(drawn, between, observables, cost):
    """Several cuts behind each other, settled or not: two qubits on either side."""
    circuit = QuantumCircuit(4)
    circuit.ry(0.5, range(4))
    for (gate, one, other), turn in zip(drawn, between, strict=False):
        small = QuantumCircuit(4)
        ACROSS[gate](small)
        for step in small.data:
            places = [{1: one, 2: other}[small.find_bit(q).index] for q in step.qubits]
            circuit.append(step.operation, places)
        if turn != "none":
            getattr(circuit, turn)(0.7, one)
    labels = to_blocks(circuit).pairs // 2
    run = lowered(circuit, labels, observables, cost)
    if len(set(np.ravel(labels).tolist())) == 2:
        assert_right(circuit, run, observables)


def ghz(qubits):
    circuit = QuantumCircuit(qubits)
    circuit.ry(0.9, 0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


@pytest.mark.parametrize("midway", [None, False])
@pytest.mark.parametrize("device", [False, True])
def test_distributions_take_three_circuits_for_a_cut(device, midway):
    how = {"backend": Elsewhere(), "mid_circuit": midway} if device else {"mode": "sampled"}
    circuit = ghz(4)
    true = Statevector(circuit).probabilities()
    circuit.measure_all()
    (result,) = CutSampler(2, **how, seed=1).run([circuit], shots=40_000).result()
    assert result.record.plan.num_cuts == 1
    assert result.record.variants == 3
    found = result.distribution
    assert (np.abs(found.quasi() - true) < 5 * found.stds() + 1e-3).all()
    # As good as shots of the whole circuit, but for those that the two sides share.
    assert found.stds().max() < 3 * np.sqrt(0.25 / 40_000)


def test_error_bars_are_right():
    circuit = ghz(4)
    true = dense_values(circuit, ["ZIII"])[0]
    off = []
    for seed in range(60):
        cut = CutEstimator(2, shots=2000, seed=seed)
        (result,) = cut.run([(circuit, ["ZIII", "IIIX"])]).result()
        off.append((result.data.evs[0] - true) / result.data.stds[0])
    assert abs(np.mean(off)) < 4.5 / np.sqrt(len(off))
    assert 0.7 < np.std(off) < 1.4
