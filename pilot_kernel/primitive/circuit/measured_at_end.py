"""Measurements that a circuit ends in: which they are, and the circuit without them.

Values are of the state before them, wherever observables are asked for: a circuit that was written
to be sampled has the same values as without its measurements.
"""

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, CircuitInstruction, Clbit, Delay, Measure, Qubit
from qiskit.circuit.library import IGate
from qiskit.circuit.store import Store

from pilot_kernel.primitive.circuit.gates import kind_of

__all__ = ["measurements_at_end", "without_measurements_at_end"]

_IDLE = frozenset({Barrier, Delay, IGate})
"""What may follow a measurement."""


def measurements_at_end(circuit: QuantumCircuit) -> frozenset[int]:
    """The measurements after which nothing happens to their qubits, and whose bits nothing reads.

    Returns:
        Their places in the circuit's data; none of those within control flow, boxes, and
        instructions with a definition.
    """
    if not circuit.num_clbits:
        return frozenset()
    found: set[int] = set()
    busy: set[Qubit] = set()
    read: set[Clbit] = set()
    data = circuit.data
    for place in range(len(data) - 1, -1, -1):
        step = data[place]
        if step.is_standard_gate():
            if step.name != "id":
                busy.update(step.qubits)
        elif _is_measurement(step):
            if busy.isdisjoint(step.qubits) and read.isdisjoint(step.clbits):
                found.add(place)
            else:
                busy.update(step.qubits)
        elif kind_of(step.operation) not in _IDLE:
            busy.update(step.qubits)
            # A store names no bits, whichever its expression reads.
            read.update(circuit.clbits if isinstance(step.operation, Store) else step.clbits)
        if len(busy) == circuit.num_qubits:
            break
    return frozenset(found)


def without_measurements_at_end(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit without the measurements that it ends in; itself if there are none.

    Its classical bits stay, and so do its name, its metadata and its layout.
    """
    found = measurements_at_end(circuit)
    if not found:
        return circuit
    left = circuit.copy_empty_like()
    for place, step in enumerate(circuit.data):
        if place not in found:
            left.append(step, copy=False)
    return left


def _is_measurement(step: CircuitInstruction) -> Any:
    return bool(step.clbits) and kind_of(step.operation) is Measure
