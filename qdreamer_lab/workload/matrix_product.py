"""Simulating a whole circuit as a matrix product state with Qiskit Aer: what runs on a worker.

It takes arrays and gives values; it must not know plans, circuits of users or sessions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab.errors import MethodError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.pauli_sums import PauliSum

__all__ = ["TRUNCATION", "GateRow", "WholeResult", "operators", "run_product_state"]

TRUNCATION = 1e-22
"""Weight of Schmidt coefficients that may be dropped at a time: amplitudes are kept to its square
root, which is near rounding."""


@dataclass(frozen=True, eq=False, slots=True)
class GateRow:
    """A circuit on consecutive qubits as plain arrays.

    Attributes:
        num_qubits: n.
        pairs: (m, 2) int64; low and high qubit of each block.
        unitaries: (m, 4, 4).
        lone: (k,) int64; qubits without blocks that have a gate.
        matrices: (k, 2, 2) those gates.
    """

    num_qubits: int
    pairs: NDArray[np.int64]
    unitaries: NDArray[np.complex128]
    lone: NDArray[np.int64]
    matrices: NDArray[np.complex128]


@dataclass(frozen=True, eq=False, slots=True)
class WholeResult:
    """What a worker hands back.

    Attributes:
        values: (observables,) expectation values.
        seconds: wall time on the worker.
    """

    values: NDArray[np.float64]
    seconds: float


def run_product_state(row: GateRow, sums: tuple[PauliSum, ...], threads: int) -> WholeResult:
    """Expectation values of a circuit applied to |0…0⟩.

    Args:
        row: the circuit.
        sums: observables.
        threads: that Aer may start; 0 for as many as it likes.

    Raises:
        MethodError: if Aer gives up.
    """
    # Loaded late: it takes a second, which only those should pay who need it.
    from qiskit_aer.library import SaveExpectationValue

    start = time.perf_counter()
    circuit = _circuit(row)
    values = np.zeros(len(sums))
    for number, one in enumerate(sums):
        values[number] = sum(coefficient for coefficient, string in one if not string)
        for places, operator in operators(one):
            label = f"{number} {len(circuit.data)}"
            circuit.append(SaveExpectationValue(operator, label), places)
    if circuit.data:
        result = _simulator(threads, max(row.num_qubits, 63)).run(circuit).result()
        if not result.success:
            raise MethodError(f"Aer's matrix product state simulator gave up: {result.status}")
        for label, value in result.data(0).items():
            values[int(label.split()[0])] += float(np.real(value))
    return WholeResult(values, time.perf_counter() - start)


def _circuit(row: GateRow) -> QuantumCircuit:
    circuit = QuantumCircuit(row.num_qubits)
    for qubit, matrix in zip(row.lone.tolist(), row.matrices, strict=True):
        circuit.append(UnitaryGate(matrix, check_input=False), [qubit])
    for pair, unitary in zip(row.pairs.tolist(), row.unitaries, strict=True):
        circuit.append(UnitaryGate(unitary, check_input=False), pair)
    return circuit


def operators(one: PauliSum) -> list[tuple[list[int], SparsePauliOp]]:
    """An observable without its identity: the strings on each set of qubits, which Aer wants apart.

    It goes through all qubits of an operator for every string of it.
    """
    found: dict[tuple[int, ...], list[tuple[str, float]]] = {}
    for value, string in one:
        if string:
            letters = "".join(letter for _, letter in reversed(string))
            found.setdefault(tuple(qubit for qubit, _ in string), []).append((letters, value))
    return [(list(places), SparsePauliOp.from_list(rows)) for places, rows in found.items()]


@lru_cache(maxsize=4)
def _simulator(threads: int, num_qubits: int) -> Any:
    """Aer says that it takes 63 qubits, and takes any number."""
    from qiskit_aer import AerSimulator

    return AerSimulator(
        method="matrix_product_state",
        n_qubits=num_qubits,
        max_parallel_threads=threads,
        mps_lapack=True,
        matrix_product_state_truncation_threshold=TRUNCATION,
    )
