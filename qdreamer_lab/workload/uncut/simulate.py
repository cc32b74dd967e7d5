"""Simulating a whole circuit: what runs on a worker in an uncut run.

It takes arrays and gives values; it must not know plans, circuits of users or sessions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.execution.threads import one_thread
from qdreamer_lab.workload.uncut.matrix_product_state import MatrixProductState
from qdreamer_lab.workload.uncut.stabilizer import string_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.pauli_sums import PauliSum
    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.uncut.stabilizer import CliffordGates

__all__ = ["GateRow", "UncutResult", "run_matrix_product_state", "run_stabilizer"]


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
class UncutResult:
    """What a worker hands back.

    Attributes:
        values: (observables,) expectation values.
        seconds: Wall time on the worker.
    """

    values: NDArray[np.float64]
    seconds: float


def run_matrix_product_state(row: GateRow, sums: tuple[PauliSum, ...]) -> UncutResult:
    """Expectation values of a circuit applied to |0…0⟩.

    Args:
        row: The circuit.
        sums: Observables.
    """
    start = time.perf_counter()
    with one_thread():  # more are no faster at bond dimensions up to hundreds
        state = MatrixProductState(row.num_qubits)
        for qubit, matrix in zip(row.lone.tolist(), row.matrices, strict=True):
            state.apply_one(qubit, matrix)
        for (low, high), unitary in zip(row.pairs.tolist(), row.unitaries, strict=True):
            state.apply_two(low, high, unitary)
        found = state.values(string for each in sums for _, string in each if string)
    found[()] = 1.0
    values = [sum(coefficient * found[string] for coefficient, string in each) for each in sums]
    return UncutResult(np.array(values, np.float64), time.perf_counter() - start)


def run_stabilizer(
    num_qubits: int,
    pairs: NDArray[np.int64],
    gates: CliffordGates,
    strings: tuple[Factors, ...],
    sums: list[tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> UncutResult:
    """Expectation values of a Clifford circuit applied to |0…0⟩.

    Args:
        num_qubits: Places for qubits.
        pairs: (m, 2) low and high qubit of each gate, in order.
        gates: What they do.
        strings: Pauli strings of all observables.
        sums: Per observable, the coefficients of its strings and their numbers.
    """
    start = time.perf_counter()
    found = string_values(num_qubits, pairs, gates, strings)
    values = np.array([coefficients @ found[which] for coefficients, which in sums])
    return UncutResult(values, time.perf_counter() - start)
