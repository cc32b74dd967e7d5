"""Expectation values on a worker: by a state engine, or by Aer and what is done with its states."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from qiskit.primitives.containers import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import PauliList, SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.library import SaveExpectationValue, SaveStatevector

from pilot_kernel.primitive.simulator.parameter_binding import experiments
from pilot_kernel.primitive.simulator.pauli_values import pauli_values
from pilot_kernel.primitive.simulator.state_engines import StateEngine, StateWork

__all__ = ["estimate", "estimate_on_engine"]

_NARROW = 14  # up to here a state vector is at hand sooner than Aer goes through many strings


@dataclass(frozen=True)
class _Strings:
    """The Pauli strings of some observables, each once.

    Attributes:
        paulis: The strings.
        weights: Their coefficients, of shape (observables, strings).
    """

    paulis: PauliList
    weights: Any


def estimate(pub: EstimatorPub, backend: AerSimulator, seed: int | None) -> PubResult:
    """Estimate a PUB that was written for simulators.

    With a precision, each value gets normal noise of that standard deviation.

    Args:
        pub: The PUB.
        backend: Aer.
        seed: Of the noise.
    """
    return _estimate(pub, partial(_values, pub, backend=backend), seed)


def estimate_on_engine(
    pub: EstimatorPub, engine: StateEngine, work: StateWork, seed: int | None
) -> PubResult:
    """`estimate` with the states of an engine.

    Args:
        pub: The PUB.
        engine: What takes its circuit.
        work: The circuit with its values; without parameters, of one set.
        seed: Of the noise.
    """

    def values(strings: _Strings) -> tuple[Any, Any]:
        found = engine.pauli_values(work, strings.paulis.x, strings.paulis.z)
        return found @ strings.weights.T, None

    return _estimate(pub, values, seed)


def _estimate(
    pub: EstimatorPub, values: Callable[[_Strings], tuple[Any, Any]], seed: int | None
) -> PubResult:
    array = pub.observables.sparse_observables_array()
    numbers: dict[int, int] = {}
    for term in array.ravel():
        numbers.setdefault(id(term), len(numbers))
    distinct = {numbers[id(term)]: term for term in array.ravel()}
    strings = _strings(
        [SparsePauliOp.from_sparse_observable(distinct[k]) for k in sorted(distinct)]
    )
    table, metadata = values(strings)
    which = np.asarray([numbers[id(term)] for term in array.ravel()]).reshape(array.shape)
    sets = np.arange(pub.parameter_values.size).reshape(pub.parameter_values.shape)
    sets, which = np.broadcast_arrays(sets if len(table) > 1 else sets * 0, which)
    evs = np.asarray(table[sets, which])
    if pub.precision > 0:
        evs = np.random.default_rng(seed).normal(evs, pub.precision)
    shape = np.shape(evs)
    data = DataBin(evs=np.asarray(evs), stds=np.full(shape, float(pub.precision)), shape=shape)
    return PubResult(
        data,
        metadata={
            "target_precision": pub.precision,
            "circuit_metadata": pub.circuit.metadata,
            "simulator_metadata": metadata,
        },
    )


def _strings(observables: list[SparsePauliOp]) -> _Strings:
    from scipy.sparse import csr_array  # on workers only: notebooks import this module to name it

    x = np.concatenate([op.paulis.x for op in observables])
    z = np.concatenate([op.paulis.z for op in observables])
    coefficients = np.concatenate([op.coeffs for op in observables]).real
    rows = np.repeat(np.arange(len(observables)), [len(op.paulis.x) for op in observables])
    both, columns = np.unique(np.hstack([x, z]), axis=0, return_inverse=True)
    half = x.shape[1]
    shape = (len(observables), len(both))
    weights = csr_array((coefficients, (rows, columns.ravel())), shape=shape)
    return _Strings(PauliList.from_symplectic(both[:, half:], both[:, :half]), weights)


def _values(pub: EstimatorPub, strings: _Strings, backend: AerSimulator) -> tuple[Any, Any]:
    """Values of shape (parameter sets, observables); one row only for a circuit without angles."""
    method, wide = backend.options.method, pub.circuit.num_qubits
    if wide == 0:  # Aer saves nothing then; all strings are 1
        return np.ones((pub.parameter_values.size, len(strings.paulis))) @ strings.weights.T, None
    if method in ("automatic", "statevector") and wide <= _NARROW:
        return _of_states(pub, strings, backend)
    return _by_aer(pub, strings, backend)


def _of_states(pub: EstimatorPub, strings: _Strings, backend: AerSimulator) -> tuple[Any, Any]:
    circuit = pub.circuit.copy()
    circuit.append(SaveStatevector(circuit.num_qubits, label="state"), circuit.qubits)
    found, metadata = experiments(circuit, pub.parameter_values, backend)
    states = np.stack([np.asarray(data["state"]) for data in found], axis=1)
    values = pauli_values(states, strings.paulis.x, strings.paulis.z)
    return values @ strings.weights.T, metadata


def _by_aer(pub: EstimatorPub, strings: _Strings, backend: AerSimulator) -> tuple[Any, Any]:
    circuit, weights = pub.circuit.copy(), strings.weights
    # Aer is quicker with one long operator than with as many short ones.
    joined = weights.nnz <= 2 * len(strings.paulis) and weights.shape[0] < len(strings.paulis)
    if joined:
        operators = [_operator(strings, row) for row in range(weights.shape[0])]
    else:
        operators = [SparsePauliOp(pauli) for pauli in strings.paulis]
    for number, operator in enumerate(operators):
        circuit.append(SaveExpectationValue(operator, label=str(number)), circuit.qubits)
    found, metadata = experiments(circuit, pub.parameter_values, backend)
    values = np.asarray([[data[str(k)] for k in range(len(operators))] for data in found])
    return (values if joined else values @ weights.T), metadata


def _operator(strings: _Strings, row: int) -> SparsePauliOp:
    at = slice(strings.weights.indptr[row], strings.weights.indptr[row + 1])
    places = strings.weights.indices[at]
    if not len(places):
        return SparsePauliOp("I" * strings.paulis.num_qubits, 0.0)
    return SparsePauliOp(strings.paulis[places], strings.weights.data[at])
