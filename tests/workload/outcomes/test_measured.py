"""Measurements come off the end of a circuit, and what is no end is refused."""

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.outcomes.measured import measured_at_the_end


def test_bits_are_named_by_number_and_the_last_measurement_of_a_bit_counts():
    circuit = QuantumCircuit(
        QuantumRegister(3, "q"), ClassicalRegister(2, "a"), ClassicalRegister(2, "b")
    )
    circuit.h(0)
    circuit.measure(2, 3)
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.measure([0, 1], [3, 0])
    found = measured_at_the_end(circuit)
    assert dict(found.qubit_of) == {0: 1, 3: 0}
    assert found.qubits == (0, 1)
    assert found.registers == {"a": (0, 1), "b": (2, 3)}
    assert [step.name for step in found.gates.data] == ["h", "cx"]
    assert circuit.count_ops()["measure"] == 3


def measured_early():
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.measure(1, 1)
    return circuit


def reset_late():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "told"),
    [
        (measured_early(), "instruction 0 .measure on qubit 0. is a mid-circuit measurement"),
        (reset_late(), "measure on qubit 0. is a mid-circuit measurement"),
        (QuantumCircuit(2), "measures nothing.*measure_all"),
        (QuantumCircuit(2, 2), "measures nothing"),
    ],
)
def test_what_is_no_end_is_refused(circuit, told):
    with pytest.raises(CircuitError, match=told):
        measured_at_the_end(circuit)
