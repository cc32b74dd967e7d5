"""Random circuits, with angles that are free where one circuit is run at many points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.random import random_circuit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["angles", "circuit", "mean_z_of_counts"]


def circuit(num_qubits: int, depth: int, seed: Sequence[int], *, free: bool) -> QuantumCircuit:
    """A random circuit of Qiskit's gates on one and two qubits.

    Args:
        num_qubits: How many qubits.
        depth: Layers of random gates.
        seed: Of the gates.
        free: Whether a layer of Y rotations with parameters comes first.
    """
    number = int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
    gates = random_circuit(num_qubits, depth, max_operands=min(2, num_qubits), seed=number)
    made = QuantumCircuit(num_qubits)
    if free:
        for qubit, angle in enumerate(ParameterVector("a", num_qubits)):
            made.ry(angle, qubit)
    return made.compose(gates)


def angles(num_points: int, num_qubits: int, seed: Sequence[int]) -> NDArray[np.float64]:
    """Values of a circuit's parameters: points x qubits, in radians."""
    return np.random.default_rng(list(seed)).uniform(-np.pi, np.pi, (num_points, num_qubits))


def mean_z_of_counts(counts: dict[str, int], num_qubits: int) -> float:
    """The mean of Z over all qubits and shots.

    Args:
        counts: How often each bit string was seen.
        num_qubits: Length of the strings.
    """
    ones = sum(count * bits.count("1") for bits, count in counts.items())
    return 1 - 2 * ones / (num_qubits * sum(counts.values()))
