"""Where points are evaluated: in this process, as tasks of a run, or cut into fragments."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.workflow.variational.on_worker import expectation_values, packed_problem
from qdreamer_lab.workload.estimator import CutEstimator

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
        self._submitting = threading.Lock()  # starts are threads, and a run counts its tasks

    def __call__(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """(points,) values."""
        parts = np.array_split(points, min(self._tasks, len(points)))
        with self._submitting:
            works = [
                self._run.submit(
                    *("quantum", expectation_values, self._packed, part),
                    *(self._shots, seed + k, self._device),
                    options=self._options,
                )
                for k, part in enumerate(parts)
            ]
        return np.concatenate(self._run.results(works))


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
        self._session = _Noted(run.session)
        self._make: Callable[[], CutEstimator] = lambda: CutEstimator(
            max_qubits, mode="exact", session=self._session, on=on, seed=seed
        )
        self._of_thread = threading.local()

    def __call__(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """(points,) values, exact to rounding."""
        self._run.check()
        if not hasattr(self._of_thread, "estimator"):
            self._of_thread.estimator = self._make()
        with self._run.doing("classical"):  # plans and contracts, while workers are idle
            result = self._of_thread.estimator.run([(*self._pub, points)]).result()
        return np.asarray(result[0].data.evs, np.float64)

    def observed(self) -> None:
        """Count the tasks that were submitted as the run's."""
        records = self._run.session.history(self._session.keys)
        self._run.observe(records, "quantum", sum(record.ran_s or 0.0 for record in records))


class _Noted:
    """A session that notes which tasks are submitted; it is what `CutEstimator` needs of one."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.keys: list[str] = []
        self.backend, self.candidates = session.backend, session.candidates
        self.pilots_for = session.pilots_for

    def submit(self, fn: Callable[..., Any], /, *args: Any, **how: Any) -> Any:
        """Submit a task."""
        task = self._session.submit(fn, *args, **how)
        self.keys.append(task.key)
        return task
