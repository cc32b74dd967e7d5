"""Which qubits of a circuit are idle, and the circuit without them: they stay |0>."""

from collections import Counter
from collections.abc import Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Clbit, Measure, Qubit, Reset

from pilot_kernel.primitive.circuit.gates import kind_of

__all__ = ["qubits_at_work", "qubits_in_use", "with_registers", "without_idle"]


def qubits_in_use(circuit: QuantumCircuit) -> frozenset[int]:
    """The qubits that anything but a barrier or a delay acts on."""
    used = {
        qubit
        for step in circuit.data
        if step.operation.name not in ("barrier", "delay")
        for qubit in step.qubits
    }
    return frozenset(circuit.find_bit(qubit).index for qubit in used)


def qubits_at_work(circuit: QuantumCircuit) -> list[int]:
    """The qubits that have to be simulated; at least one, unless the circuit has none.

    A qubit that is only measured or reset is idle too, if nothing else writes the bits that it is
    measured into: bits start as 0.

    Args:
        circuit: A circuit in known gates.
    """
    writers = Counter(_written_bits(circuit))
    used: set[Qubit] = set()
    for step in circuit.data:
        kind = kind_of(step.operation)
        trivial = kind is Reset or (kind is Measure and writers[step.clbits[0]] == 1)
        if not trivial:
            used.update(step.qubits)
    found = [place for place, qubit in enumerate(circuit.qubits) if qubit in used]
    return found or [0][: circuit.num_qubits]


def without_idle(circuit: QuantumCircuit, kept: list[int]) -> QuantumCircuit:
    """The circuit on some of its qubits; what acts on others only is left out."""
    if len(kept) == circuit.num_qubits:
        return circuit
    return _rebuilt(circuit, [circuit.qubits[place] for place in kept], circuit.cregs)


def with_registers(
    circuit: QuantumCircuit, registers: Sequence[ClassicalRegister]
) -> QuantumCircuit:
    """The circuit with some of its classical registers."""
    return _rebuilt(circuit, circuit.qubits, registers)


def _rebuilt(
    circuit: QuantumCircuit, qubits: Sequence[Qubit], registers: Sequence[ClassicalRegister]
) -> QuantumCircuit:
    rebuilt = QuantumCircuit(metadata=circuit.metadata)
    rebuilt.add_bits(qubits)
    rebuilt.add_bits(circuit.clbits)
    for register in registers:
        rebuilt.add_register(register)
    inside = set(qubits)
    for step in circuit.data:
        if inside.issuperset(step.qubits):
            rebuilt.append(step.operation, step.qubits, step.clbits, copy=False)
    return rebuilt


def _written_bits(circuit: QuantumCircuit) -> list[Clbit]:
    """Classical bits, each as often as something may write it."""
    found: list[Clbit] = []
    for step in circuit.data:
        if getattr(step.operation, "blocks", ()):
            found.extend(list(step.clbits) * 2)
        elif kind_of(step.operation) is Measure:
            found.append(step.clbits[0])
    return found
