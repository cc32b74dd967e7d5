"""A second provider: the local simulators of Amazon Braket, which work offline.

Its SDK pins an old cloudpickle, so it is in no extra, and these tests run where it is installed.
"""

import numpy as np
import pytest

pytest.importorskip("qiskit_braket_provider")

from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_braket_provider import BraketLocalBackend, BraketSampler

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.run import run_pubs
from pilot_kernel.primitive.device.self_test import check_device
from qdreamer_lab import CutEstimator, plan_cuts

pytestmark = pytest.mark.filterwarnings("ignore")
"""The SDK warns of itself."""


@pytest.fixture(scope="module")
def backend():
    return BraketLocalBackend()


def _sampled(backend, *pubs):
    return run_pubs(for_device(list(pubs), backend, (), None), backend)


def test_it_passes_the_self_test_through_its_own_sampler(backend, monkeypatch):
    calls = []
    run = BraketSampler.run

    def counted(self, pubs, **options):
        calls.append({pub.shots for pub in pubs})
        return run(self, pubs, **options)

    monkeypatch.setattr(BraketSampler, "run", counted)
    monkeypatch.setattr(BraketLocalBackend, "run", lambda *_, **__: pytest.fail("run by us"))
    check_device(backend)
    assert calls == [{200}]


@settings(max_examples=15)
@given(st.data())
def test_bits_are_read_wherever_they_are_measured(data):
    width = data.draw(st.integers(1, 5))
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    registers = [ClassicalRegister(size, f"r{k}") for k, size in enumerate(sizes)]
    circuit = QuantumCircuit(QuantumRegister(width), *registers)
    on = [bool(data.draw(st.booleans())) for _ in range(width)]
    for qubit in np.flatnonzero(on).tolist():
        circuit.x(qubit)
    bits = data.draw(st.permutations(range(circuit.num_clbits)))[:width]
    qubits = data.draw(st.permutations(range(width)))[: len(bits)]
    circuit.measure(qubits, bits)
    right = sum(on[qubit] << bit for qubit, bit in zip(qubits, bits, strict=True))
    (result,) = _sampled(BraketLocalBackend(), SamplerPub(circuit, shots=3))
    begin = 0
    for register in registers:
        value = (right >> begin) & ((1 << register.size) - 1)
        assert result.data[register.name].get_int_counts() == {value: 3}
        begin += register.size


def test_values_are_those_of_dense_simulation(backend):
    theta = Parameter("theta")
    circuit = QuantumCircuit(3)
    circuit.ry(theta, 0)
    circuit.cx(0, 1)
    circuit.rx(0.4, 1)
    circuit.cx(1, 2)
    angles = np.linspace(0.2, 2.8, 4)
    observables = [SparsePauliOp("ZZI"), SparsePauliOp.from_list([("XXY", 1.5), ("IZI", -0.5)])]
    pub = EstimatorPub.coerce((circuit, [[o] for o in observables], angles), 0.03)
    (result,) = _sampled(backend, pub)
    states = [Statevector(circuit.assign_parameters([angle])) for angle in angles]
    truth = np.array([[s.expectation_value(o).real for s in states] for o in observables])
    assert (np.abs(result.data.evs - truth) < 5 * result.data.stds + 1e-12).all()


def test_cut_circuits_run_there(backend):
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.rx(0.3, 1)
    circuit.cx(1, 2)
    plan = plan_cuts(circuit, max_qubits=2, kinds=("wire",))
    estimator = CutEstimator(2, plan=plan, backend=backend, mode="sampled", seed=1)
    data = estimator.run([(circuit, "ZZZ")], precision=0.1).result()[0].data
    truth = Statevector(circuit).expectation_value(SparsePauliOp("ZZZ")).real
    assert abs(data.evs - truth) < 5 * data.stds


def test_measurements_on_the_way_are_refused(backend):
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    with pytest.raises(QpuError, match="has mid-circuit measurements"):
        _sampled(backend, SamplerPub(circuit, shots=5))
