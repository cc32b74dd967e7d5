"""Probes of uncut runs: matrix product states and stabilizer states of small circuits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit

from qdreamer_lab.dreamer.model.probe import Probe
from qdreamer_lab.dreamer.uncut.cost import chain_counts, clifford_counts
from qdreamer_lab.dreamer.uncut.shape import chain_shape, clifford_shape
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.uncut.circuit import uncut_circuit
from qdreamer_lab.workload.uncut.tasks import matrix_product_state_task, stabilizer_task

if TYPE_CHECKING:
    from qdreamer_lab.workload.uncut.circuit import UncutCircuit

__all__ = ["chain_probes", "clifford_probes"]


def chain_probes(_cores: int = 1) -> list[Probe]:
    """Matrix product states, such that every coefficient matters in some; each takes one core."""
    found = []
    for qubits, layers, apart, together, spread in (
        (3, 1, 1, 1, 1), (40, 1, 1, 1, 40), (8, 1, 30, 1, 2), (12, 3, 1, 60, 2), (60, 2, 1, 60, 40),
        (12, 4, 1, 1, 12), (14, 5, 1, 1, 14), (12, 5, 2, 40, 12), (14, 6, 1, 1, 14),
        (14, 7, 1, 1, 14), (8, 1, 1, 30, 0), (20, 2, 30, 1, 0), (12, 3, 1, 60, 0),
    ):  # fmt: skip
        whole = _whole(qubits, layers, apart, together, spread, clifford=False)
        chain = whole.chain()
        assert chain is not None
        function, arguments, _ = matrix_product_state_task(whole, chain.svd)
        name = f"chain {qubits} {layers} {apart} {together}"
        counts = chain_counts(chain_shape(whole, chain))
        found.append(Probe(name, partial(function, *arguments), counts))
    return found


def clifford_probes(_cores: int = 1) -> list[Probe]:
    """Clifford circuits, such that every coefficient matters in some; each takes one core."""
    found = []
    for qubits, layers, apart in ((3, 1, 1), (20, 10, 1), (20, 4, 300), (100, 1, 1000)):
        whole = _whole(qubits, layers, apart, 1, 2, clifford=True)
        function, arguments, _ = stabilizer_task(whole)
        name = f"clifford {qubits} {layers} {apart}"
        counts = clifford_counts(clifford_shape(whole))
        found.append(Probe(name, partial(function, *arguments), counts))
    return found


def _whole(
    qubits: int, layers: int, apart: int, together: int, spread: int, *, clifford: bool
) -> UncutCircuit:
    """A chain of rotations and CX.

    Args:
        qubits: How many.
        layers: Of rotations and CX.
        apart: Observables.
        together: Pauli strings in each.
        spread: Qubits from the first to the last letter of a string, which are its only ones; 0 for
            letters on half of all qubits.
        clifford: Rotate by quarter turns.
    """
    rng = np.random.default_rng(qubits)
    circuit = QuantumCircuit(qubits)
    for _ in range(layers):
        for qubit in range(qubits):
            angle = rng.integers(4) * np.pi / 2 if clifford else rng.uniform(0.5, 2.5)
            circuit.ry(angle, qubit)
        for qubit in range(qubits - 1):
            circuit.cx(qubit, qubit + 1)
    observables = []
    for _ in range(apart):
        strings = [_string(rng, qubits, min(spread, qubits)) for _ in range(together)]
        observables.append(tuple(ProductTerm(1.0, string) for string in dict.fromkeys(strings)))
    if apart == together == 1:
        observables = [(ProductTerm(1.0, tuple((q, "Z") for q in range(qubits))),)]
    return uncut_circuit(circuit, observables)


def _string(rng: np.random.Generator, qubits: int, spread: int) -> tuple[tuple[int, str], ...]:
    if spread == 0:
        some = rng.permutation(qubits)[: qubits // 2]
        return tuple(sorted((int(qubit), "XYZ"[rng.integers(3)]) for qubit in some))
    first = int(rng.integers(qubits - spread + 1))
    ends = {first: "XYZ"[rng.integers(3)], first + spread - 1: "XYZ"[rng.integers(3)]}
    return tuple(sorted(ends.items()))
