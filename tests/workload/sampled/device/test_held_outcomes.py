"""Devices that measure only at the end: outcomes of gate cuts wait on qubits of their own."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector
from qiskit_ibm_runtime.fake_provider import FakeManilaV2, FakeVigoV2

from qdreamer_lab import CutEstimator, CutSampler
from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.sampled.device.check import check_device, measures_midway
from qdreamer_lab.workload.sampled.device.held_outcomes import held_by, most_held, ways_to_hold
from tests.circuits.drawn import random_circuit, random_labels, random_unitary
from tests.workload.sampled.device.cut_devices import (
    DEVICES,
    Elsewhere,
    assert_measures_last,
    assert_same,
    chain,
    line,
    lowered,
)


class AtTheEnd(Elsewhere):
    """A device that takes no gate after any measurement, as AQT's do, and says so as IBM's do."""

    def __init__(self, qubits=6, says=True):
        super().__init__(line("rz", "sx", "x", "cx").target if qubits == 5 else None)
        self.name, self._says = "at_the_end", says

    def configuration(self):
        class Said:
            multi_meas_enabled = not self._says

        return Said()

    def run(self, run_input, **options):
        for circuit in run_input:
            assert_measures_last(circuit)
        return super().run(run_input, **options)


@pytest.mark.parametrize("level", [1, 3])
@pytest.mark.parametrize("device", DEVICES)
@given(seed=st.integers(0, 10**6), qubits=st.integers(2, 4))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_form_does_what_simulators_compute(seed, qubits, device, level):
    circuit = random_circuit(seed, qubits, 4, general=seed % 2 == 0)
    labels = random_labels(to_blocks(circuit).pairs, np.random.default_rng(seed), 2)
    run = lowered(circuit, labels, ["ZXYl"[:qubits], "IZ+X"[:qubits]])
    limit = DEVICES[device].num_qubits
    if all(f.program.width + most_held(f) <= limit for f in run.fragments):
        assert_same(circuit, run, DEVICES[device], level, midway=False, picked=4)


def test_every_variant_of_a_cut_gate():
    circuit, run = chain(wire=False)
    assert_same(circuit, run, DEVICES["line"], 3, midway=False, picked=99)
    assert ways_to_hold(run.fragments[0]) == {(), (0,)}


def test_a_cut_block_of_full_rank():
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.unitary(random_unitary(np.random.default_rng(5)), [2, 1])
    circuit.cx(0, 1)
    run = lowered(circuit, [[0, 0], [0, 1], [0, 0]], ["ZZZ"])
    assert_same(circuit, run, DEVICES["line"], 3, midway=False, picked=99)


def test_what_nothing_follows_is_measured_itself():
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, range(3))
    circuit.cx(0, 1)
    circuit.cx(1, 2)  # nothing is asked of qubit 1
    run = lowered(circuit, [[0, 0], [0, 1]], ["ZIZ"])
    assert [most_held(fragment) for fragment in run.fragments] == [0, 0]  # the other side turns
    assert_same(circuit, run, DEVICES["line"], 3, midway=False, picked=99)


def test_a_qubit_that_a_wire_cut_measures_goes_on():
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, range(3))
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(0, 2)
    run = lowered(circuit, [[0, 1], [1, 1], [1, 1]], ["ZZZ"])
    assert most_held(run.fragments[0]) == 1
    assert_same(circuit, run, DEVICES["line"], 1, midway=False, picked=99)


def test_only_variants_that_measure_need_more_qubits():
    _, run = chain(wire=False)
    (inner, _) = run.fragments
    seen = set()
    for variant in range(inner.num_variants):
        measuring = len(inner.operations(variant)[0].kraus) > 1
        read = 1 in dict(inner.basis(variant).letters)  # the qubit whose gate is cut
        assert held_by(inner, variant) == ((0,) if measuring and read else ())
        seen.add((measuring, read))
    assert len(seen) == 4


def test_a_device_with_too_few_qubits_is_refused_early():
    _, run = chain(wire=False)
    device = FakeVigoV2()  # of five qubits
    check_device(run.fragments, device, midway=False)
    wide = random_circuit(3, 6, 1)
    for k in range(5):
        wide.cx(k, k + 1)
    labels = [[0, 0] if 5 not in pair else [0, 1] for pair in to_blocks(wide).pairs.tolist()]
    assert [0, 1] in labels
    full = lowered(wide, labels, ["Z" * 6])
    with pytest.raises(DeviceError, match=r"at the end .* has 5 qubits; fragment 0 needs 5, and 1"):
        check_device(full.fragments, device, midway=False)
    with pytest.raises(DeviceError, match=r'max_qubits=4 or less, .*kinds=\("wire",\)'):
        check_device(full.fragments, device, midway=False)
    check_device(full.fragments, device)


def three(circuit):
    state = Statevector(circuit)
    return [state.expectation_value(Pauli(label)).real for label in ("ZZZ", "XIY", "IXZ")]


@pytest.mark.parametrize("says", [True, False])
def test_an_estimator_on_a_device_that_takes_nothing_after_a_measurement(says):
    circuit, _ = chain(wire=False)
    device = AtTheEnd(says=says)
    cut = CutEstimator(2, backend=device, shots=40_000, seed=2, mid_circuit=None if says else False)
    (result,) = cut.run([(circuit, ["ZZZ", "XIY", "IXZ"])]).result()
    assert (np.abs(result.data.evs - three(circuit)) < 5 * result.data.stds).all()
    assert (result.data.stds < 0.1).all()
    assert len(result.record.notes) == 2  # one of each fragment
    for note in result.record.notes:
        assert "wait for the end of its circuits on up to 1 more qubit, with one CX each" in note


def test_what_it_costs_is_said_before_anything_is_sent():
    device = AtTheEnd()
    circuit = QuantumCircuit(4)
    circuit.ry(0.4, range(4))
    for one, two in ((0, 1), (2, 3), (1, 2), (0, 1), (2, 3)):
        circuit.rzz(0.5, one, two)
        circuit.rx(0.3, [one, two])
    midway = CutEstimator(2, backend=Elsewhere(), shots=9000, seed=2)
    cut = CutEstimator(2, backend=device, shots=9000, seed=2)
    said, usual = (each.dry_run([(circuit, "ZZZZ")]) for each in (cut, midway))
    assert device.jobs == []
    assert any("wait for the end of its circuits on up to 1 more qubit" in n for n in said.notes)
    assert not any("wait" in note for note in usual.notes)
    assert said.devices[0].circuits == usual.devices[0].circuits
    (result,) = cut.run([(circuit, "ZZZZ")]).result()
    truth = Statevector(circuit).expectation_value(Pauli("ZZZZ")).real
    assert abs(result.data.evs - truth) < 5 * result.data.stds
    assert set(result.record.notes) & set(said.notes)


def test_distributions_too():
    circuit, _ = chain(wire=False)
    device = AtTheEnd()
    sampler = CutSampler(2, backend=device, seed=4)
    result = sampler.run([circuit.measure_all(inplace=False)], shots=60_000).result()[0]
    quasi, stds = result.distribution.quasi(), result.distribution.stds()
    truth = Statevector(circuit).probabilities()
    assert (np.abs(quasi - truth) < 5 * np.maximum(stds, 1e-3)).all()


def test_who_says_so():
    assert not measures_midway(FakeVigoV2())
    assert measures_midway(FakeManilaV2())
    assert measures_midway(Elsewhere())
    for provider in ("qiskit_aqt_provider.aqt_resource", "qiskit_ionq.ionq_backend"):
        made = type("Backend", (Elsewhere,), {"__module__": provider})
        assert not measures_midway(made())
