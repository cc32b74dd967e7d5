"""One cut run beside what was predicted for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab.dreamer.advice.run_prediction import estimator_for, waited_for
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workflow.run import Run
    from qdreamer_lab.workflow.steps.fragments import FragmentSession

__all__ = ["CutRun", "Way", "ansatz", "last_z", "run_cut"]


@dataclass(frozen=True, eq=False)
class Way:
    """A way to run a circuit.

    Attributes:
        width: Most qubits of a fragment that are allowed.
        prediction: What it is predicted to take.
        planning_s: What predicting took, the search for cuts included.
        recommended: Whether Q-Dreamer thought it the best.
    """

    width: int
    prediction: Prediction
    planning_s: float
    recommended: bool


@dataclass(frozen=True, kw_only=True)
class CutRun:
    """What was predicted, and what came of it.

    Attributes:
        qubits: Of the circuit.
        number: Which of the circuits with so many qubits.
        width: Most qubits of a fragment that were allowed.
        way: The way it was run, in words.
        recommended: Whether Q-Dreamer thought it the best.
        cuts: How many cuts there were.
        predicted_s: Wall time that was predicted.
        interval_s: Between which two it was expected in four of five cases.
        planning_s: What the prediction took, the search for cuts included.
        measured_s: Wall time that the run took, with cuts that had been found.
        value: The expectation value.
        error: Its standard error; 0 if it is exact.
        tasks: How many tasks it took.
    """

    qubits: int
    number: int
    width: int
    way: str
    recommended: bool
    cuts: int
    predicted_s: float
    interval_s: tuple[float, float]
    planning_s: float
    measured_s: float
    value: float
    error: float
    tasks: int

    def row(self) -> dict[str, float | int | str]:
        """As a row of a table."""
        low, high = self.interval_s
        return {
            "qubits": self.qubits,
            "circuit": self.number,
            "width": self.width,
            "way": f"{self.way} (recommended)" if self.recommended else self.way,
            "cuts": self.cuts,
            "predicted s": self.predicted_s,
            "planning s": self.planning_s,
            "measured s": self.measured_s,
            "within": "yes" if low <= self.measured_s <= high else "no",
            "value": self.value,
            "error": self.error,
            "tasks": self.tasks,
        }


def ansatz(num_qubits: int, reps: int, seed: int, angle: float | None = None) -> QuantumCircuit:
    """EfficientSU2 with linear entanglement.

    Args:
        num_qubits: How many qubits.
        reps: Repetitions of its layers.
        seed: Of the angles.
        angle: That of all rotations, in radians; None draws them.
    """
    circuit = efficient_su2(num_qubits, reps=reps, entanglement="linear")
    if angle is not None:
        return circuit.assign_parameters([angle] * circuit.num_parameters)
    angles = np.random.default_rng([seed, num_qubits]).uniform(
        -np.pi, np.pi, circuit.num_parameters
    )
    return circuit.assign_parameters(angles)


def last_z(num_qubits: int) -> SparsePauliOp:
    """Z on the last qubit."""
    return SparsePauliOp.from_sparse_list([("Z", [num_qubits - 1], 1.0)], num_qubits)


def run_cut(
    run: Run,
    session: FragmentSession,
    pub: tuple[QuantumCircuit, SparsePauliOp],
    way: Way,
    *,
    number: int,
    workers: int,
    seed: int,
    precision: float,
) -> CutRun:
    """Run a circuit in a predicted way; what is planned and contracted here is classical work.

    Args:
        run: Times it.
        session: Where fragments run.
        pub: The circuit and the observable.
        way: How.
        number: Which of the circuits with so many qubits it is.
        workers: How many workers there are.
        seed: Of plans and shots.
        precision: Standard error wanted in sampled mode; 0 in exact mode.
    """
    prediction = way.prediction
    with run.doing("classical"):
        estimator = estimator_for(prediction, session, workers, seed=seed)
    begun, clock = time.time(), time.perf_counter()
    job = estimator.run([pub], precision=precision or None)
    result: Any = waited_for(job, run.stop)[0]
    took, ended = time.perf_counter() - clock, time.time()
    record = RunRecord.of(result)
    spent = record.seconds
    tasks_s = spent.execute_s + (spent.dropped_s or 0.0)
    run.did("classical", begun, ended - tasks_s - spent.contract_s)  # plans, and writes programs
    run.did("classical", ended - spent.contract_s, ended)
    return CutRun(
        qubits=pub[0].num_qubits,
        number=number,
        width=way.width,
        way=prediction.title,
        recommended=way.recommended,
        cuts=record.plan.num_cuts if record.plan is not None else 0,
        predicted_s=prediction.makespan_s,
        interval_s=prediction.interval,
        planning_s=way.planning_s,
        measured_s=took,
        value=float(result.data.evs),
        error=float(result.data.stds),
        tasks=len(record.fragments),
    )
