"""Circuits that take samples as angles: a feature map, the overlap of two, a classifier."""

from __future__ import annotations

import math

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import real_amplitudes

__all__ = ["classifier", "feature_map", "overlap"]

_SAMPLE, _OTHER, _WEIGHTS = "a_sample", "b_other", "c_weights"
"""Qiskit takes values in the order of the parameters' names."""


def feature_map(qubits: int, reps: int, name: str) -> QuantumCircuit:
    """Each feature turns its qubit by π times it, neighbours by π times their product.

    Args:
        qubits: As many as a sample has features.
        reps: Repetitions.
        name: Of its parameters.
    """
    made = QuantumCircuit(qubits)
    angles = ParameterVector(name, qubits)
    for _ in range(reps):
        for qubit in range(qubits):
            made.ry(math.pi * angles[qubit], qubit)
        for qubit in range(qubits - 1):
            made.rzz(math.pi * angles[qubit] * angles[qubit + 1], qubit, qubit + 1)
    return made


def overlap(qubits: int, reps: int) -> QuantumCircuit:
    """A circuit that is in |0…0⟩ with the probability |⟨φ(x)|φ(y)⟩|²; parameters x, then y."""
    left, right = feature_map(qubits, reps, _SAMPLE), feature_map(qubits, reps, _OTHER)
    return left.compose(right.inverse())


def classifier(qubits: int, reps: int, layers: int) -> QuantumCircuit:
    """A feature map and rotations with weights behind it; parameters x, then w.

    A sample's class is the sign of the mean of Z over all qubits.
    """
    weights = real_amplitudes(qubits, reps=layers, entanglement="linear")
    named = ParameterVector(_WEIGHTS, weights.num_parameters)
    bound = weights.assign_parameters(dict(zip(weights.parameters, named, strict=True)))
    return feature_map(qubits, reps, _SAMPLE).compose(bound)
