"""The circuit and the observables of figure 3 of Kim et al., Nature 618, 500 (2023).

127 qubits in a heavy-hexagonal lattice. A step turns every qubit about X by the angle θ and every
pair of neighbours about ZZ by -π/2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

if TYPE_CHECKING:
    from qiskit.circuit import ParameterExpression

NUM_QUBITS = 127
NUM_STEPS = 5

String = tuple[tuple[int, str], ...]
"""A Pauli string: (qubit, letter), by ascending qubit."""


@dataclass(frozen=True)
class Observable:
    """An observable of the figure.

    Attributes:
        name: What it is called in the table.
        panel: Of figure 3.
        strings: Coefficient and Pauli string of each term.
        at_half_pi: Its value at θ = π/2, where all gates are Clifford gates: of the weighted
            strings ± what a single Z becomes in five steps; of the magnetization what follows.
    """

    name: str
    panel: str
    strings: tuple[tuple[float, String], ...]
    at_half_pi: float

    @property
    def operator(self) -> SparsePauliOp:
        """In Qiskit's form."""
        listed = [
            ("".join(letter for _, letter in string), [qubit for qubit, _ in string], coefficient)
            for coefficient, string in self.strings
        ]
        return SparsePauliOp.from_sparse_list(listed, NUM_QUBITS)


def _string(**letters: tuple[int, ...]) -> String:
    return tuple(sorted((q, letter) for letter, qubits in letters.items() for q in qubits))


OBSERVABLES = (
    Observable(
        "magnetization",
        "a",
        tuple((1 / NUM_QUBITS, ((qubit, "Z"),)) for qubit in range(NUM_QUBITS)),
        0.0,
    ),
    Observable(
        "weight 10",
        "b",
        ((1.0, _string(X=(13, 29, 31), Y=(9, 30), Z=(8, 12, 17, 28, 32))),),
        1.0,
    ),
    Observable(
        "weight 17",
        "c",
        (
            (
                1.0,
                _string(
                    X=(37, 41, 52, 56, 57, 58, 62, 79),
                    Y=(75,),
                    Z=(38, 40, 42, 63, 72, 80, 90, 91),
                ),
            ),
        ),
        -1.0,
    ),
)


def lattice() -> list[tuple[int, int]]:
    """The 144 pairs of neighbours of the 127-qubit Eagle processors.

    Raises:
        RuntimeError: If the fake backend has another lattice.
    """
    from qiskit_ibm_runtime.fake_provider import FakeSherbrooke

    coupling = FakeSherbrooke().coupling_map.get_edges()
    edges = sorted({(min(pair), max(pair)) for pair in coupling})
    if len(edges) != 144 or {qubit for pair in edges for qubit in pair} != set(range(NUM_QUBITS)):
        raise RuntimeError("this is not the lattice of an Eagle processor")
    return edges


def circuit_of(
    angle: float | ParameterExpression, edges: list[tuple[int, int]], num_qubits: int = NUM_QUBITS
) -> QuantumCircuit:
    """Five steps at an angle, or with a parameter."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(NUM_STEPS):
        circuit.rx(angle, range(num_qubits))
        for first, second in edges:
            circuit.rzz(-math.pi / 2, first, second)
    return circuit


def swept(edges: list[tuple[int, int]]) -> QuantumCircuit:
    """The circuit with θ as its parameter."""
    return circuit_of(Parameter("theta"), edges)
