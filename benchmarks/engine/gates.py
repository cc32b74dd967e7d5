"""Circuits as plain lists of gates, which every simulator's translation starts from.

Needs NumPy and nothing else, since peers run in another environment. Qubit 0 is the least
significant bit of a state's index, and the first qubit of a gate that of its matrix.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

LETTERS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1.0]),
}


class Gate(NamedTuple):
    """A gate.

    Attributes:
        name: One of h, rx, ry, rz, cx (control first), rzz, and su4 for any matrix on two qubits.
        qubits: What it acts on.
        numbers: Its angle; of su4 the 16 entries row by row, real and imaginary part in turns.
    """

    name: str
    qubits: tuple[int, ...]
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True)
class Circuit:
    """A circuit, and Pauli strings to take the expectation values of.

    Attributes:
        name: Its family.
        qubits: Its width.
        gates: In order of application, from |0…0⟩.
        observables: Letters, and the qubit of each.
    """

    name: str
    qubits: int
    gates: tuple[Gate, ...]
    observables: tuple[tuple[str, tuple[int, ...]], ...]

    def plain(self) -> dict[str, Any]:
        """What JSON can carry; floats survive unchanged."""
        return asdict(self)

    @staticmethod
    def of(plain: dict[str, Any]) -> Circuit:
        """The inverse of `plain`."""
        gates = tuple(Gate(name, tuple(on), tuple(by)) for name, on, by in plain["gates"])
        observables = tuple((letters, tuple(on)) for letters, on in plain["observables"])
        return Circuit(plain["name"], plain["qubits"], gates, observables)


def su4_matrix(gate: Gate) -> np.ndarray:
    """The (4, 4) complex128 matrix of an su4 gate."""
    return np.array(gate.numbers).view(complex).reshape(4, 4)


def su4(matrix: np.ndarray, qubits: tuple[int, int]) -> Gate:
    """The gate of a (4, 4) unitary."""
    numbers = np.ascontiguousarray(matrix, dtype=complex).view(float)
    return Gate("su4", qubits, tuple(numbers.ravel().tolist()))


def matrix_of(gate: Gate) -> np.ndarray:
    """The matrix of any gate, (2, 2) or (4, 4)."""
    if gate.name == "su4":
        return su4_matrix(gate)
    if gate.name == "h":
        return np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    if gate.name == "cx":
        return np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
    half = gate.numbers[0] / 2
    if gate.name == "rzz":
        one, other = cmath.exp(-1j * half), cmath.exp(1j * half)
        return np.diag([one, other, other, one])
    letter = LETTERS[gate.name[1].upper()]
    return math.cos(half) * np.eye(2) - 1j * math.sin(half) * letter


def applied(state: np.ndarray, matrix: np.ndarray, qubits: tuple[int, ...]) -> np.ndarray:
    """A matrix on some qubits of a state of shape (2,) * n, whose last axis is qubit 0."""
    axes = [state.ndim - 1 - qubit for qubit in reversed(qubits)]
    count = len(axes)
    tensor = np.asarray(matrix).reshape((2,) * (2 * count))
    product = np.tensordot(tensor, state, (range(count, 2 * count), axes))
    return np.moveaxis(product, range(count), axes)


def dense_values(circuit: Circuit) -> list[float]:
    """Expectation values from matrices alone, the oracle of every translation; small widths."""
    state = np.zeros((2,) * circuit.qubits, dtype=complex)
    state[(0,) * circuit.qubits] = 1
    for gate in circuit.gates:
        state = applied(state, matrix_of(gate), gate.qubits)
    values = []
    for letters, qubits in circuit.observables:
        image = state
        for letter, qubit in zip(letters, qubits, strict=True):
            image = applied(image, LETTERS[letter], (qubit,))
        values.append(float(np.vdot(state, image).real))
    return values
