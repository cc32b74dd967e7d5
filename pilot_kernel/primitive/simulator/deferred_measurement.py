"""Measurements and resets before an expectation value, replaced by gates (deferred measurement).

Nothing reads the bits, so a measurement only dephases, as a CX onto a fresh qubit does, and a reset
hands its wire over to a fresh qubit. The value is that of a pure state of more qubits: exact, with
any simulation method. At the end of a wire even that is not needed: X and Y of a measured qubit
vanish.
"""

from dataclasses import dataclass, field
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Qubit, Reset
from qiskit.circuit.library import CXGate, Initialize

from pilot_kernel.primitive.circuit.gates import kind_of

__all__ = ["Deferred", "defer"]


@dataclass(frozen=True)
class Deferred:
    """A circuit whose state is pure, or mixed by resets alone.

    Attributes:
        circuit: Gates; resets too where fresh qubits would have cost more memory.
        wires: For each qubit of the original circuit, where it ends.
        dephased: Those of `wires` on which X and Y have no expectation value.
    """

    circuit: QuantumCircuit
    wires: list[int]
    dephased: frozenset[int]


def defer(circuit: QuantumCircuit, *, pure: bool = False) -> Deferred:
    """Write measurements and resets as gates.

    Args:
        circuit: Known gates, measurements, resets and initializations, no control flow.
        pure: Never leave resets, whatever it takes.
    """
    if all(kind_of(step.operation) not in (Measure, Reset, Initialize) for step in circuit.data):
        return Deferred(circuit, list(range(circuit.num_qubits)), frozenset())
    widened = _Deferral(circuit, fresh=True).run()
    density = 2 * (circuit.num_qubits + 1)
    if pure or widened.circuit.num_qubits <= density:
        return widened
    return _Deferral(circuit, fresh=False).run()


@dataclass
class _Deferral:
    """The walk through a circuit.

    With `fresh`, resets become fresh qubits. Without, they stay, and one qubit is used for all
    measurements in turn: that is for density matrices.
    """

    circuit: QuantumCircuit
    fresh: bool
    wires: dict[Qubit, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    measured: set[int] = field(default_factory=set)
    steps: list[tuple[Any, list[int]]] = field(default_factory=list)
    width: int = 0
    spare: int | None = None

    def run(self) -> Deferred:
        self.wires = {qubit: place for place, qubit in enumerate(self.circuit.qubits)}
        self.width = self.circuit.num_qubits
        for step in self.circuit.data:
            self._take(step.operation, step.qubits)
        out = QuantumCircuit(self.width, metadata=self.circuit.metadata)
        for operation, places in self.steps:
            out.append(operation, places, copy=False)
        wires = [self.wires[qubit] for qubit in self.circuit.qubits]
        return Deferred(out, wires, frozenset(self.measured.intersection(wires)))

    def _take(self, operation: Any, qubits: Any) -> None:
        kind = kind_of(operation)
        if kind is Measure:
            self.measured.add(self.wires[qubits[0]])
            return
        if kind is Reset:
            self._reset(qubits[0])
            return
        if kind is Initialize:
            for qubit in qubits:
                self._reset(qubit)
        places = [self.wires[qubit] for qubit in qubits]
        for place in places:
            if place in self.measured:
                self._dephase(place)
        self.steps.append((operation, places))
        self.touched.update(places)

    def _reset(self, qubit: Qubit) -> None:
        place = self.wires[qubit]
        self.measured.discard(place)
        if place not in self.touched:
            return
        if self.fresh:
            self.wires[qubit] = self.width
            self.width += 1
        else:
            self.steps.append((Reset(), [place]))
            self.touched.discard(place)

    def _dephase(self, place: int) -> None:
        self.measured.discard(place)
        if place not in self.touched:
            return
        if self.fresh or self.spare is None:
            self.spare = self.width
            self.width += 1
        else:
            self.steps.append((Reset(), [self.spare]))
        self.steps.append((CXGate(), [place, self.spare]))
