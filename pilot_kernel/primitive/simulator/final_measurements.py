"""Circuits that only measure at their end: their gates, and which bit says what of which qubit."""

from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, ControlFlowOp, Measure

from pilot_kernel.primitive.circuit.gates import WITHOUT_EFFECT, kind_of

__all__ = ["Measured", "measured_last"]


@dataclass(frozen=True, eq=False)
class Measured:
    """A circuit taken apart.

    Attributes:
        gates: What comes before the measurements; resets may be in it.
        qubit_of: The qubit, by number, that each bit that is written has been read off.
    """

    gates: QuantumCircuit
    qubit_of: dict[Clbit, int]


def measured_last(circuit: QuantumCircuit) -> Measured | str:
    """Take measurements off the end of a circuit.

    Args:
        circuit: As it was rewritten for simulators.

    Returns:
        The parts; or what is in the way, in words that go on after the circuit's name.
    """
    gates = QuantumCircuit(list(circuit.qubits), global_phase=circuit.global_phase)
    number = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    qubit_of: dict[Clbit, int] = {}
    read: set[Any] = set()
    for step in circuit.data:
        kind = kind_of(step.operation)
        if kind is Measure:
            qubit_of[step.clbits[0]] = number[step.qubits[0]]
            read.add(step.qubits[0])
        elif isinstance(step.operation, ControlFlowOp):
            return "has control flow"
        elif kind in WITHOUT_EFFECT:
            continue
        elif step.clbits:
            return f"has an instruction {step.operation.name!r} on classical bits"
        elif not read.isdisjoint(step.qubits):
            return f"acts on a qubit with {step.operation.name!r} after it was measured"
        else:
            gates.append(step.operation, step.qubits, copy=False)
    return Measured(gates, qubit_of)
