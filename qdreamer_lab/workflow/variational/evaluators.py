"""Where points are evaluated: in this process, as tasks of a run, or cut into fragments."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.advice.run_prediction import waited_for
from qdreamer_lab.workflow.steps.fragments import FragmentSession
from qdreamer_lab.workflow.variational.on_worker import expectation_values, packed_problem
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp

    from qdreamer_lab.workflow.run import Run

__all__ = ["Cut", "Here", "OnWorkers"]


class Here:
    """Points are evaluated in this process.

    Args:
        circuit: With a parameter for each angle.
        hamiltonian: What is looked at.
        shots: Of each point; 0 for exact values.
    """

    def __init__(self, circuit: QuantumCircuit, hamiltonian: SparsePauliOp, shots: int = 0) -> None:
        self._packed = packed_problem(circuit, hamiltonian)
        self._shots = shots

    def __call__(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """(points,) values."""
        split = expectation_values(self._packed, points, self._shots, seed, "CPU")
        found: NDArray[np.float64] = split.value
        return found


class OnWorkers:
    """Points are evaluated by tasks.

    Args:
        run: Whose tasks they are.
        circuit: With a parameter for each angle.
        hamiltonian: What is looked at.
        shots: Of each point; 0 for exact values.
        tasks: In how many parts the points of an evaluation go to workers.
        device: "CPU" or "GPU".
        on: Where.
    """

    def __init__(
        self,
        run: Run,
        circuit: QuantumCircuit,
        hamiltonian: SparsePauliOp,
        *,
        shots: int,
        tasks: int,
        device: str,
        on: str | None,
    ) -> None:
        self._run, self._shots, self._tasks, self._device = run, shots, tasks, device
        self._packed = packed_problem(circuit, hamiltonian)
        self._options = {"on": on, "name": "values"}

    def __call__(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """(points,) values."""
        parts = np.array_split(points, min(self._tasks, len(points)))
        works = [
            self._run.submit(
                *("quantum", expectation_values, self._packed, part),
                *(self._shots, seed + k, self._device),
                options=self._options,
            )
            for k, part in enumerate(parts)
        ]
        values = np.concatenate(self._run.results(works))
        for work in works:
            work.release()
        return values


class Cut:
    """Circuits are cut, and their fragments are tasks.

    Args:
        run: Whose tasks they are.
        circuit: With a parameter for each angle.
        hamiltonian: What is looked at.
        max_qubits: Greatest width of a fragment.
        seed: Of the search for cuts.
        on: Where.
    """

    def __init__(
        self,
        run: Run,
        circuit: QuantumCircuit,
        hamiltonian: SparsePauliOp,
        *,
        max_qubits: int,
        seed: int,
        on: str | None,
    ) -> None:
        self._run, self._pub = run, (circuit, hamiltonian)
        session = FragmentSession(run, None)
        self._make: Callable[[], CutEstimator] = lambda: CutEstimator(
            max_qubits, mode="exact", session=session, on=on, seed=seed
        )
        self._of_thread = threading.local()

    def __call__(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """(points,) values, exact to rounding."""
        self._run.check()
        if not hasattr(self._of_thread, "estimator"):
            self._of_thread.estimator = self._make()
        begun = time.time()
        job = self._of_thread.estimator.run([(*self._pub, points)])
        result = waited_for(job, self._run.stop)[0]
        ended, seconds = time.time(), RunRecord.of(result).seconds
        self._run.did("classical", begun, begun + seconds.plan_s)
        self._run.did("classical", ended - seconds.contract_s, ended)
        return np.asarray(result.data.evs, np.float64)
