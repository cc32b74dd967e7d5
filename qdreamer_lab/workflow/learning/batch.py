"""What runs on a worker: kernel entries, and values and gradients of a classifier."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.quantum_info import SparseObservable

from qdreamer_lab.workflow.circuits_here import mean_z, run_circuits
from qdreamer_lab.workflow.learning.circuits import classifier, overlap
from qdreamer_lab.workflow.timed_call import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["kernel_entries", "prepare", "values_and_gradient"]


def kernel_entries(
    left: NDArray[np.float64], right: NDArray[np.float64], reps: int, shots: int, seed: int
) -> Split:
    """The overlaps of pairs of samples.

    Args:
        left: One of each pair, pairs x features.
        right: The other.
        reps: Of the feature map.
        shots: Shots of each; 0 asks for exact values.
        seed: Of the shots.

    Returns:
        Probabilities, one for each pair.
    """
    begun = time.perf_counter()
    qubits = left.shape[1]
    circuit = overlap(qubits, reps)
    points = np.column_stack([left, right])
    if shots:
        circuit.measure_all()
        result, quantum_s = run_circuits([(circuit, points)], shots=shots, seed=seed)
        bits = result[0].data.meas
        found = np.array([bits[k].get_counts().get("0" * qubits, 0) for k in range(len(points))])
        values = found / shots
    else:
        zeros = SparseObservable.from_label("0" * qubits)
        result, quantum_s = run_circuits([(circuit, zeros, points)], seed=seed)
        values = np.reshape(result[0].data.evs, -1)
    return Split(values, {"classical": time.perf_counter() - begun - quantum_s})


def values_and_gradient(
    samples: NDArray[np.float64],
    labels: NDArray[Any] | None,
    weights: NDArray[np.float64],
    form: tuple[int, int],
    shots: int,
    seed: int,
) -> Split:
    """A classifier's values of some samples, and the gradient of their squared error.

    Derivatives are the parameter-shift rule's, all in one PUB: each weight is the angle of one
    rotation.

    Args:
        samples: Samples x features.
        labels: -1 or 1 for each; None wants no gradient.
        weights: The classifier's.
        form: Repetitions of the feature map, and of layers with weights.
        shots: Shots of each point; 0 asks for exact values.
        seed: Of the shots.

    Returns:
        Values, one for each sample, and the sum over samples of the gradient of (value - label)².
    """
    begun = time.perf_counter()
    shifts = np.zeros((1, len(weights)))
    if labels is not None:
        half_turn = np.pi / 2 * np.eye(len(weights))
        shifts = np.concatenate([shifts, half_turn, -half_turn])
    sets = weights + shifts
    points = np.column_stack(
        [np.repeat(samples, len(sets), axis=0), np.tile(sets, (len(samples), 1))]
    )
    found, quantum_s = _mean_z(points, samples.shape[1], form, shots, seed)
    table = found.reshape(len(samples), len(sets))
    values, gradient = table[:, 0], np.zeros(len(weights))
    if labels is not None:
        plus, minus = np.split(table[:, 1:], 2, axis=1)
        gradient = 2 * (values - labels) @ ((plus - minus) / 2)
    return Split((values, gradient), {"classical": time.perf_counter() - begun - quantum_s})


def _mean_z(
    points: NDArray[np.float64], qubits: int, form: tuple[int, int], shots: int, seed: int
) -> tuple[NDArray[np.float64], float]:
    """The mean of Z over all qubits at each point, and the seconds that it took."""
    circuit = classifier(qubits, *form)
    if not shots:
        result, seconds = run_circuits([(circuit, mean_z(qubits), points)], seed=seed)
        return np.reshape(result[0].data.evs, -1), seconds
    circuit.measure_all()
    result, seconds = run_circuits([(circuit, points)], shots=shots, seed=seed)
    ones = result[0].data.meas.bitcount().sum(axis=-1)
    return 1 - 2 * ones / (shots * qubits), seconds


def prepare() -> None:
    """Run a small circuit of each kind, so that all that takes long to load is there."""
    sample = np.zeros((1, 2))
    kernel_entries(sample, sample, 1, 0, 0)
    values_and_gradient(sample, np.ones(1), np.zeros(4), (1, 1), 0, 0)
