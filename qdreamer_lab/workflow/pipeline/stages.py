"""The stages: each a step on some images at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab.workflow.circuits_here import run_circuits
from qdreamer_lab.workflow.pipeline.encoding import as_circuit, encoded, improved
from qdreamer_lab.workflow.steps.step import step
from qdreamer_lab.workflow.timed_call import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workflow.pipeline.encoding import Gates

__all__ = ["encode", "execute", "extrapolated", "learn", "observables", "preprocess", "warm_up"]

SCALES = (1, 3)
"""How many times the noise of a circuit is taken: once, and with the circuit folded once."""


@step
def preprocess(images: NDArray[np.float64], qubits: int) -> NDArray[np.float64]:
    """Images as unit vectors of 2**qubits pixels, the mean taken off; images x pixels."""
    from scipy.ndimage import gaussian_filter, zoom

    side = 2 ** (qubits // 2), 2 ** (qubits - qubits // 2)
    made = []
    for image in images:
        smooth = gaussian_filter(image, 0.5)
        sized = zoom(smooth, np.array(side) / smooth.shape, order=1).ravel()
        sized = sized + 1e-3 * (not sized.any())  # an empty image is an even one
        made.append(sized / np.linalg.norm(sized))
    return np.array(made)


@step
def encode(vectors: NDArray[np.float64], layers: int, sweeps: int) -> list[tuple[Gates, float]]:
    """Gates that prepare each image about, and how well they do."""
    return [improved(encoded(vector, layers)[0], vector, sweeps) for vector in vectors]


@step(kind="quantum")
def execute(
    images: list[tuple[Gates, float]], qubits: int, mitigate: bool, shots: int, seed: int
) -> Split:
    """Expectation values of each image's state, mitigated: images x observables."""
    begun = time.perf_counter()
    circuits = [as_circuit(gates, qubits) for gates, _ in images]
    scales = SCALES if mitigate else SCALES[:1]
    pubs = [folded(circuit, scale) for circuit in circuits for scale in scales]
    if shots:
        for circuit in pubs:
            circuit.measure_all()
        result, quantum_s = run_circuits([(c,) for c in pubs], shots=shots, seed=seed)
        values = np.array([_means(pub.data.meas, qubits) for pub in result])
    else:
        wanted = observables(qubits)
        result, quantum_s = run_circuits([(c, wanted) for c in pubs], seed=seed)
        values = np.array([pub.data.evs for pub in result])
    table = values.reshape(len(images), len(scales), -1)
    features = extrapolated(table) if mitigate else table[:, 0]
    return Split(features, {"classical": time.perf_counter() - begun - quantum_s})


@step
def learn(
    features: list[NDArray[np.float64]], labels: NDArray[np.int64], train: int
) -> tuple[float, NDArray[np.int64]]:
    """Accuracy of a linear classifier on the images behind the first ones, and what it sees."""
    from sklearn.linear_model import LogisticRegression

    table = np.concatenate(features)
    model = LogisticRegression(max_iter=1000).fit(table[:train], labels[:train])
    seen = model.predict(table[train:])
    return float(np.mean(seen == labels[train:])), seen


def observables(qubits: int) -> list[SparsePauliOp]:
    """Z of each qubit, and ZZ of neighbours."""
    ones = [[("Z", [k], 1.0)] for k in range(qubits)]
    pairs = [[("ZZ", [k, k + 1], 1.0)] for k in range(qubits - 1)]
    return [SparsePauliOp.from_sparse_list(terms, qubits) for terms in (*ones, *pairs)]


def folded(circuit: QuantumCircuit, scale: int) -> QuantumCircuit:
    """A circuit that does the same with an odd multiple of its gates, so of its noise."""
    made = circuit.copy()
    for _ in range(scale // 2):
        made.barrier()
        made.compose(circuit.inverse(), inplace=True)
        made.barrier()
        made.compose(circuit, inplace=True)
    return made


def extrapolated(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values without noise, by a line through those at each scale of it.

    Zero-noise extrapolation: K. Temme et al., Phys. Rev. Lett. 119, 180509 (2017).

    Args:
        values: Images x scales x observables.
    """
    low, high = SCALES
    return (high * values[:, 0] - low * values[:, 1]) / (high - low)


def _means(bits: Any, qubits: int) -> NDArray[np.float64]:
    """Means of the observables over shots."""
    signs = np.stack([1 - 2.0 * bits.slice_bits(k).array[:, 0] for k in range(qubits)])
    means: NDArray[np.float64] = np.concatenate([signs, signs[:-1] * signs[1:]]).mean(axis=1)
    return means


def warm_up() -> None:
    """Run the stages on a small image, so that all that takes long to load is there."""
    vectors = preprocess.function(np.ones((1, 2, 2)), 2)
    execute.function(encode.function(vectors, 1, 1), 2, True, 0, 0)
    learn.function([np.eye(4)], np.array([0, 1, 0, 1]), 2)
