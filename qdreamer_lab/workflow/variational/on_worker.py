"""What runs on a worker: one circuit at many points, known from the last time."""

from __future__ import annotations

import pickle
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.workflow.circuits_here import run_circuits
from qdreamer_lab.workflow.timed_call import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp

__all__ = ["expectation_values", "packed_problem", "warm_up"]


def packed_problem(circuit: QuantumCircuit, hamiltonian: SparsePauliOp) -> bytes:
    """A circuit and what is looked at, as they travel: opened once by each worker."""
    return pickle.dumps((circuit, hamiltonian))


@lru_cache(maxsize=16)
def _opened(packed: bytes) -> tuple[QuantumCircuit, SparsePauliOp]:
    found: tuple[QuantumCircuit, SparsePauliOp] = pickle.loads(packed)  # noqa: S301 as tasks are
    return found


def expectation_values(
    packed: bytes, points: NDArray[np.float64], shots: int, seed: int, device: str
) -> Split:
    """Values of one observable in one circuit at many points.

    Args:
        packed: As `packed_problem` makes it.
        points: (points, angles).
        shots: Of each point, which is a standard error of 1 / sqrt(shots) for each Pauli string; 0
            for exact values, and a QPU's default.
        seed: Of the random numbers of simulators.
        device: "CPU" or "GPU".

    Returns:
        (points,) values, and how long translating took.
    """
    began = time.perf_counter()
    precision = 1 / np.sqrt(shots) if shots else None
    pubs: list[Any] = [(*_opened(packed), points)]
    result, ran = run_circuits(pubs, seed=seed, device=device, precision=precision)
    values = np.asarray(result[0].data.evs, np.float64)
    return Split(values, {"classical": max(0.0, time.perf_counter() - began - ran)})


def warm_up() -> None:
    """Run a small circuit, so that nothing is loaded or compiled later."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.quantum_info import SparsePauliOp

    angles = ParameterVector("angle", 2)
    circuit = QuantumCircuit(2)
    circuit.rx(angles[0], 0)
    circuit.rzz(angles[1], 0, 1)
    packed = packed_problem(circuit, SparsePauliOp(["ZI", "XX"]))
    expectation_values(packed, np.zeros((3, 2)), 0, 0, "CPU")
