"""Circuits to spread over ranks: families that differ in how far their gates reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.synthesis import synth_qft_full

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FAMILIES", "circuit_of"]


def circuit_of(family: str, qubits: int, layers: int, seed: int) -> QuantumCircuit:
    """A circuit of a family.

    Args:
        family: One of `FAMILIES`.
        qubits: At least two.
        layers: How often its layer is repeated.
        seed: Of its random numbers.
    """
    return FAMILIES[family](qubits, layers, np.random.default_rng(seed))


def _random(qubits: int, layers: int, random: np.random.Generator) -> QuantumCircuit:
    """Rotations on all qubits, then CX gates on pairs drawn anew in each layer."""
    circuit = QuantumCircuit(qubits)
    for _ in range(layers):
        for qubit in range(qubits):
            circuit.u(*random.uniform(-np.pi, np.pi, 3), qubit)
        order = random.permutation(qubits).tolist()
        for control, target in zip(order[::2], order[1::2], strict=False):
            circuit.cx(control, target)
    return circuit


def _qft(qubits: int, layers: int, random: np.random.Generator) -> QuantumCircuit:
    """Fourier transforms of random product states; their last swaps only trade wires."""
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(random.uniform(-np.pi, np.pi), qubit)
    transform = synth_qft_full(qubits)
    for _ in range(layers):
        circuit.compose(transform, inplace=True)
    return circuit


def _ising(qubits: int, layers: int, random: np.random.Generator) -> QuantumCircuit:
    """Steps in time of an Ising chain in a transverse field, with random couplings."""
    circuit = QuantumCircuit(qubits)
    circuit.h(range(qubits))
    for _ in range(layers):
        for qubit in range(qubits - 1):
            circuit.rzz(random.uniform(0, np.pi), qubit, qubit + 1)
        for qubit in range(qubits):
            circuit.rx(random.uniform(0, np.pi), qubit)
    return circuit


def _efficient_su2(qubits: int, layers: int, random: np.random.Generator) -> QuantumCircuit:
    """The paper's ansatz, at random angles."""
    circuit = efficient_su2(qubits, entanglement="linear", reps=layers)
    return circuit.assign_parameters(random.uniform(-np.pi, np.pi, circuit.num_parameters))


FAMILIES: dict[str, Callable[[int, int, np.random.Generator], QuantumCircuit]] = {
    "random": _random,
    "qft": _qft,
    "ising": _ising,
    "efficient-su2": _efficient_su2,
}
