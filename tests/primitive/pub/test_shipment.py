import pickle

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from pilot_kernel.primitive.pub.pieces import cut
from pilot_kernel.primitive.pub.shipment import pack, unpack


def _plain():
    circuit = QuantumCircuit(2, 1)
    angles = ParameterVector("a", 2)
    circuit.ry(angles[0] + 2 * angles[1], 0)
    circuit.unitary(np.eye(4), [0, 1])
    circuit.rzz(0.1 + 1e-17, 0, 1)
    circuit.measure(1, 0)
    return circuit


def _with_a_gate_of_its_own():
    gate = Gate("mine", 1, [])
    gate.definition = QuantumCircuit(1)
    gate.definition.x(0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(gate, [0])
    circuit.measure(0, 0)
    return circuit


def _with_metadata():
    circuit = QuantumCircuit(1, 1, metadata={"what": object})
    circuit.ry(Parameter("a"), 0)
    circuit.measure(0, 0)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "in_qpy"),
    [(_plain(), True), (_with_a_gate_of_its_own(), False), (_with_metadata(), False)],
)
def test_what_arrives_is_what_was_sent(circuit, in_qpy):
    values = np.linspace(0, 1, 600 * circuit.num_parameters).reshape(600, -1)
    sampled = SamplerPub.coerce((circuit, values, 7))
    bare = circuit.remove_final_measurements(inplace=False)
    estimated = EstimatorPub.coerce((bare, "Z" * bare.num_qubits, values[:3]), 0.25)
    pieces = cut([sampled, estimated, sampled], seed=3)
    shipment = pack(pieces)
    assert isinstance(shipment.circuits, bytes) == in_qpy
    arrived = unpack(pickle.loads(pickle.dumps(shipment)))
    assert len(arrived) == len(pieces) == 7
    for sent, got in zip(pieces, arrived, strict=True):
        assert (got.number, got.shape, got.seed) == (sent.number, sent.shape, sent.seed)
        assert got.pub.circuit == sent.pub.circuit
        assert np.array_equal(
            got.pub.parameter_values.as_array(), sent.pub.parameter_values.as_array()
        )
    assert arrived[0].pub.shots == 7
    assert arrived[3].pub.precision == 0.25
    assert arrived[3].pub.observables.tolist() == estimated.observables.tolist()


def test_a_circuit_travels_once():
    circuit = _plain()
    pubs = [SamplerPub.coerce((circuit, [0.1, 0.2], 7))] * 50
    assert len(pickle.dumps(pack(cut(pubs, None)))) < 50 * 600
