"""From a circuit and what is looked at to the program of its state.

Gates that nobody sees are left out, and so are qubits that they alone act on. It must not run
anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.program import Step
from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by, needed_gates
from qdreamer_lab.workload.fragment.program import FragmentProgram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["StateProgram", "state_program"]


@dataclass(frozen=True, eq=False, slots=True)
class StateProgram:
    """What to simulate, and where the circuit's qubits are.

    Attributes:
        program: A fragment without cuts.
        place: The local qubit of each of the circuit's qubits that the state has.
    """

    program: FragmentProgram
    place: dict[int, int]


def state_program(circuit: QuantumCircuit, terms: Sequence[Factors]) -> StateProgram:
    """Lower a circuit to one program.

    Args:
        circuit: Unitary and bound.
        terms: What is looked at: expectation values of these, or, for measurements, projectors on
            |0⟩ of all qubits that are measured.

    Raises:
        CircuitError: It holds something that is no unitary.
    """
    gates = GateList(flat_gates(circuit))
    seen = measured_by(terms)
    kept = needed_gates(gates, seen)
    blocks = blocks_of_gates(gates, circuit.num_qubits, tuple(seen), among=kept)
    pairs = blocks.pairs.tolist()
    used = sorted({*blocks.pairs.ravel().tolist(), *seen})
    place = {qubit: k for k, qubit in enumerate(used)}
    steps = [
        Step((place[qubit],), matrix[None])
        for qubit, matrix in blocks.lone.items()
        if qubit in place and not np.array_equal(matrix, np.eye(2))
    ]
    steps += [
        Step((place[low], place[high]), unitary[None])
        for (low, high), unitary in zip(pairs, blocks.unitaries, strict=True)
    ]
    wires = tuple(place.items())
    return StateProgram(FragmentProgram(0, max(1, len(used)), tuple(steps), (), wires), place)
