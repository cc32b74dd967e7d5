"""What the peers of the cut runtime do with the same circuits and cuts.

This file imports neither of our packages. qiskit-addon-cutting gets its cuts as partition labels,
so its times hold no search for cuts. Aer runs whole circuits.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import PauliList, SparsePauliOp

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class AddonRun:
    """Values by the addon, and how many circuits it took."""

    values: np.ndarray
    circuits: int
    shots: int


def addon(
    circuit: QuantumCircuit,
    labels: list[int],
    observables: list[SparsePauliOp],
    run: Callable[[list[QuantumCircuit], int], Any],
) -> AddonRun:
    """From circuit to values, all joint terms with their exact weights.

    Args:
        circuit: The circuit to cut.
        labels: Fragment of each qubit.
        observables: One Pauli string each.
        run: Takes some of the circuits and how many there are in all, and returns a result.
    """
    from qiskit_addon_cutting import (
        generate_cutting_experiments,
        partition_problem,
        reconstruct_expectation_values,
    )

    paulis = PauliList([each.paulis[0] for each in observables])
    problem = partition_problem(circuit, labels, paulis)
    circuits, weights = generate_cutting_experiments(
        problem.subcircuits, problem.subobservables, num_samples=np.inf
    )
    count = sum(map(len, circuits.values()))
    results = {label: run(some, count) for label, some in circuits.items()}
    values = reconstruct_expectation_values(results, weights, problem.subobservables)
    return AddonRun(np.array(values), count, 0)


def addon_exact(
    circuit: QuantumCircuit, labels: list[int], observables: list[SparsePauliOp]
) -> AddonRun:
    """With the addon's own simulator of exact probabilities."""
    from qiskit_addon_cutting.utils.simulation import ExactSampler

    def run(some: list[QuantumCircuit], _: int) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ExactSampler().run(some).result()

    return addon(circuit, labels, observables, run)


def addon_sampled(
    circuit: QuantumCircuit,
    labels: list[int],
    observables: list[SparsePauliOp],
    shots: int,
    seed: int,
) -> AddonRun:
    """With Aer's sampler and the same shots for every circuit, `shots` in all or just under."""
    from qiskit_aer.primitives import SamplerV2

    taken: list[int] = []

    def run(some: list[QuantumCircuit], count: int) -> Any:
        # A seed for each fragment: with the same one, Aer gives both the same random numbers.
        mine = int(np.random.SeedSequence((seed, len(taken))).generate_state(1)[0] >> 2)
        taken.append(len(some) * (shots // count))
        return SamplerV2(seed=mine).run(some, shots=shots // count).result()

    found = addon(circuit, labels, observables, run)
    return AddonRun(found.values, found.circuits, sum(taken))


def aer_dense(circuit: QuantumCircuit, observables: list[SparsePauliOp]) -> np.ndarray:
    """Aer's full state vector, on all cores."""
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import EstimatorV2

    options = {"method": "statevector", "max_parallel_threads": 0}
    flat = transpile(circuit, AerSimulator(**options), optimization_level=0)
    estimator = EstimatorV2(options={"backend_options": options})
    return np.asarray(estimator.run([(flat, observables)]).result()[0].data.evs)
