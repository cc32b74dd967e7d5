"""Circuits that measure at their end: their gates, and which bit says what of which qubit.

Nothing is said of whether the gates can be cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qiskit.circuit import Measure

from pilot_kernel.primitive.circuit.measured_at_end import measurements_at_end
from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.circuit.unrolling import has_no_effect, measured_midway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qiskit import QuantumCircuit

__all__ = ["Measured", "measured_at_the_end"]


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """A circuit taken apart.

    Attributes:
        gates: What comes before the measurements, on the same qubits.
        qubit_of: The qubit that each classical bit which is written has been read off, both by
            number, by ascending bit.
        num_bits: Classical bits of the circuit, those that nothing is written to included.
        registers: The bits of each classical register, by its name.
    """

    gates: QuantumCircuit
    qubit_of: Mapping[int, int]
    num_bits: int
    registers: Mapping[str, tuple[int, ...]]

    @property
    def qubits(self) -> tuple[int, ...]:
        """The qubits that are measured, ascending."""
        return tuple(sorted(set(self.qubit_of.values())))


def measured_at_the_end(circuit: QuantumCircuit) -> Measured:
    """Take measurements off the end of a circuit.

    Args:
        circuit: It may have unbound parameters.

    Raises:
        CircuitError: If it measures nothing, or goes on with a qubit after measuring it, or reads
            its bit.
    """
    number = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    bits = {bit: place for place, bit in enumerate(circuit.clbits)}
    gates = circuit.copy_empty_like()
    at_end = measurements_at_end(circuit)
    found: dict[int, int] = {}
    for place, step in enumerate(circuit.data):
        qubits = [number[qubit] for qubit in step.qubits]
        if has_no_effect(step):
            continue
        if not step.is_standard_gate() and isinstance(step.operation, Measure):
            if place not in at_end:
                where = f"instruction {place} (measure on qubit {qubits[0]})"
                raise CircuitError(measured_midway(where))
            found[bits[step.clbits[0]]] = qubits[0]
        else:
            gates.append(step, copy=False)
    if not found:
        raise CircuitError(
            "the circuit measures nothing, so it has no outcomes: add measure_all(), or measure "
            "the qubits that matter; for expectation values use CutEstimator"
        )
    registers = {each.name: tuple(bits[bit] for bit in each) for each in circuit.cregs}
    return Measured(gates, dict(sorted(found.items())), len(bits), registers)
