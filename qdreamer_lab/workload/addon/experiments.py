"""Plans as qiskit-addon-cutting's subexperiments, for people who stay with its workflow.

The addon runs one circuit per fragment for every joint term of all cuts, so this is for few cuts.
Nothing is run here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import PauliList, SparsePauliOp

from qdreamer_lab.errors import ObservableError, PlanError
from qdreamer_lab.workload.addon.circuits import write_cut_circuit
from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["cutting_problem", "expand"]


def expand(
    plan: Partition, observables: Any, num_samples: float = math.inf
) -> tuple[dict[int, list[QuantumCircuit]], list[tuple[float, Any]]]:
    """The circuits that qiskit-addon-cutting would run for a plan, and their coefficients.

    Run the circuits with any sampler, and give the results, the coefficients and
    `cutting_problem(plan, observables).subobservables` to the addon's
    `reconstruct_expectation_values`.

    Args:
        plan: The plan.
        observables: What `PauliList` takes, or a `SparsePauliOp`, whose coefficients are left out.
        num_samples: How many joint terms to draw; all of them, with their exact weights, if it is
            infinite.

    Returns:
        What the addon's `generate_cutting_experiments` returns: a list of circuits for each
        fragment, and a list of coefficients with their types.

    Raises:
        ObservableError: If the observables are not Pauli strings on the circuit's qubits.
        CircuitError: If the addon cannot decompose a block.
        PlanError: If `num_samples` is below 1.
    """
    from qiskit_addon_cutting import generate_cutting_experiments

    if not isinstance(num_samples, (int, float)) or not num_samples >= 1:
        raise PlanError(f"num_samples={num_samples!r}: at least 1, or math.inf for all terms")
    problem = cutting_problem(plan, observables)
    circuits, weights = generate_cutting_experiments(
        problem.subcircuits, problem.subobservables, num_samples=num_samples
    )
    return circuits, weights


def cutting_problem(plan: Partition, observables: Any) -> Any:
    """A plan as the addon's `PartitionedCuttingProblem`; its keys are the plan's fragment ids.

    A qubit without blocks that the plan leaves out gets an id of its own if an observable acts on
    it after all.

    Args:
        plan: The plan.
        observables: As for `expand`.

    Raises:
        ObservableError: If the observables are not Pauli strings on the circuit's qubits.
        CircuitError: If the addon cannot decompose a block.
    """
    from qiskit_addon_cutting import PartitionedCuttingProblem, expand_observables
    from qiskit_addon_cutting import partition_problem as partition

    if not isinstance(plan, Partition):
        raise PlanError(f"expected a plan, as plan_cuts finds it, got {type(plan).__name__}")
    paulis = _paulis(observables, plan.blocks.num_qubits)
    moved = write_cut_circuit(plan, moves=True)
    labels = _labels(plan, paulis)
    idle = {qubit for qubit, label in zip(moved.qubits, labels, strict=True) if label is None}
    circuit = moved.copy_empty_like()
    for step in moved.data:
        if idle.isdisjoint(step.qubits):
            circuit.append(step)
    wide = expand_observables(paulis, QuantumCircuit(moved.qregs[0]), moved)
    problem = partition(circuit, labels, wide)
    kept = {label: terms for label, terms in problem.subobservables.items() if label is not None}
    return PartitionedCuttingProblem(problem.subcircuits, problem.bases, kept)


def _paulis(observables: Any, num_qubits: int) -> PauliList:
    if isinstance(observables, SparsePauliOp):
        observables = observables.paulis
    try:
        paulis = PauliList([observables] if isinstance(observables, str) else observables)
    except (QiskitError, TypeError, ValueError) as error:
        raise ObservableError(f"expected Pauli strings: {error}") from error
    if paulis.num_qubits != num_qubits:
        raise ObservableError(
            f"the observables act on {paulis.num_qubits} qubits, the circuit on {num_qubits}"
        )
    if paulis.phase.any():
        raise ObservableError("an observable has a phase; the addon takes none")
    return paulis


def _labels(plan: Partition, paulis: PauliList) -> list[int | None]:
    """The fragment of each qubit of the plan's cut circuit with moves; None if it need not run."""
    along: dict[int, list[int | None]] = defaultdict(list)
    for segment in plan.segments:
        along[segment.qubit].append(segment.fragment)
    unused = len(plan.fragments)
    acted_on = (paulis.x | paulis.z).any(axis=0)
    for qubit, label in zip(plan.blocks.lone, plan.lone_labels.tolist(), strict=True):
        if label < 0 and acted_on[qubit]:
            label, unused = unused, unused + 1
        along[qubit].append(label if label >= 0 else None)
    return [label for qubit in range(plan.blocks.num_qubits) for label in along[qubit]]
