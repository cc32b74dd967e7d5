"""What an estimation is asked for and what it gives, whatever the mode.

`CutEstimator` makes a `Request` of a PUB and hands it to one function per mode, which returns an
`Estimate`. Descriptions only: nothing runs here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.circuit.terms import ProductTerm
    from qdreamer_lab.workload.execution.dispatch import FragmentRow, SessionLike
    from qdreamer_lab.workload.execution.progress import Progress
    from qdreamer_lab.workload.execution.watch import Watch
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["METHODS", "Estimate", "Request", "RunOptions"]

METHODS = ("statevector", "matrix_product_state", "stabilizer")
"""How circuits are simulated."""


@dataclass(frozen=True, eq=False, slots=True)
class Request:
    """Expectation values that are wanted.

    Attributes:
        source: the circuit as it was given.
        values: for each set of parameter values (a binding), every parameter's by name.
        circuits: the circuit with each binding.
        observables: the terms of each distinct observable.
        pairs: (values, 2) int64; the binding and the observable of each value wanted.
        precision: standard error wanted.
    """

    source: QuantumCircuit
    values: tuple[dict[str, float], ...]
    circuits: tuple[QuantumCircuit, ...]
    observables: tuple[tuple[ProductTerm, ...], ...]
    pairs: NDArray[np.int64]
    precision: float


@dataclass(frozen=True, eq=False, slots=True)
class RunOptions:
    """How a request is to be run; `CutEstimator` explains each.

    Attributes:
        max_qubits: greatest width of a fragment.
        plan: a plan to use instead of making one.
        session: where tasks run; None is this process.
        on: kind of worker or pilot, as the session takes it.
        seed: an explicit integer.
        memory_limit_bytes: most memory for a task or the reconstruction.
        progress: told after every task.
        dtype: "complex128" or "complex64", of state vectors.
        stop: set from elsewhere to give up.
        shots: in sampled mode, shots of each binding, whatever the precision.
        max_shots: in sampled mode, most shots of a binding for a precision.
        entropy: in sampled mode, where the shots' randomness comes from.
        backend: in sampled mode, the device that runs circuits; None for simulators.
        fallback: kind of worker or pilot for what the device cannot run.
        watch: follows the workers; None does without.
        method: how circuits are simulated, one of `METHODS`; all but the first run them uncut.
        most_workers: most workers that may be busy for this run at once; None for all.
    """

    max_qubits: int
    plan: CutPlan | None
    session: SessionLike | None
    on: str | None
    seed: int
    memory_limit_bytes: int | None
    progress: Progress | None
    dtype: str
    stop: threading.Event
    shots: int | None = None
    max_shots: int = 10_000_000
    entropy: tuple[int, ...] = (0,)
    backend: BackendV2 | None = None
    fallback: str | None = None
    watch: Watch | None = None
    method: str = "statevector"
    most_workers: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """Expectation values with their error and their story.

    Attributes:
        evs: (values,) float64, in the order of `Request.pairs`.
        stds: (values,) float64 standard errors; zero where a value is exact.
        rows: one per finished task, in the order in which they finished.
        plans: the plans used, the one of the greatest part first.
        variants: state vectors or circuits run.
        shots: shots taken.
        seconds: wall time by phase: `plan_s`, `transpile_s`, `execute_s`, `contract_s`.
        notes: what the user should be told, such as that a simulator stepped in for a device.
    """

    evs: NDArray[np.float64]
    stds: NDArray[np.float64]
    rows: tuple[FragmentRow, ...]
    plans: tuple[CutPlan, ...]
    variants: int
    shots: int
    seconds: dict[str, float]
    notes: tuple[str, ...] = ()
