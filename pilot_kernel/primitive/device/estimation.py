"""An estimator's PUB on a device: measurement circuits, and values from what was read out.

Terms that can be measured together, qubit by qubit, share a circuit. The standard error of an
observable is that of the sum of its terms as they came out shot by shot, so that terms measured
together count with their correlations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.primitives.containers import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers import BackendV2
from qiskit.quantum_info import PauliList
from qiskit.transpiler import PassManager
from qiskit.transpiler.passes import Optimize1qGatesDecomposition

from pilot_kernel.primitive.device.readout import Readout

__all__ = ["Measured", "measured_circuits", "result_of", "shots_of"]


@dataclass(frozen=True, eq=False)
class Measured:
    """A circuit with measurements at its end.

    Attributes:
        circuit: What to run; the last classical bits are those of `qubits`.
        point: Which point of the sweep it is, in the flattened PUB's parameters.
        qubits: The qubits that are measured.
        labels: The Pauli terms that it tells of.
    """

    circuit: QuantumCircuit
    point: int
    qubits: tuple[int, ...]
    labels: tuple[str, ...]


def shots_of(pub: EstimatorPub) -> int:
    """Shots of each basis: as many as give one Pauli term the precision, whatever its state."""
    return math.ceil(1 / float(pub.precision) ** 2)


def measured_circuits(pub: EstimatorPub, backend: BackendV2) -> list[Measured]:
    """Write the circuits that all terms need, at each point of the sweep."""
    points, observables = _flattened(pub)
    circuits = np.ravel(pub.parameter_values.bind_all(pub.circuit))
    rotate = PassManager([Optimize1qGatesDecomposition(target=backend.target)])
    needed: dict[int, set[str]] = {}
    for point, terms in zip(points, observables, strict=True):
        needed.setdefault(point, set()).update(label for label in terms if set(label) != {"I"})
    return [
        _measured(circuits[point], point, group, rotate)
        for point, labels in needed.items()
        if labels
        for group in PauliList(sorted(labels)).group_commuting(qubit_wise=True)
    ]


def result_of(
    pub: EstimatorPub, measured: Sequence[Measured], readouts: Sequence[Readout]
) -> PubResult:
    """Values and standard errors.

    Args:
        pub: The PUB.
        measured: `measured_circuits` of it.
        readouts: Of their circuits.

    Returns:
        With the fewest shots of any circuit in its metadata, and with `precision_met` (False) if
        a standard error is larger than the precision.
    """
    points, observables = _flattened(pub)
    known: dict[int, list[tuple[Measured, Readout]]] = {}
    for each, readout in zip(measured, readouts, strict=True):
        known.setdefault(each.point, []).append((each, readout))
    values = [
        _value(terms, known.get(point, []))
        for point, terms in zip(points, observables, strict=True)
    ]
    evs, stds = np.array(values, dtype=float).reshape(-1, 2).T
    data = DataBin(evs=evs.reshape(pub.shape), stds=stds.reshape(pub.shape), shape=pub.shape)
    met = bool(np.all(stds <= pub.precision * (1 + 1e-9)))
    shots = min((readout.shots for readout in readouts), default=shots_of(pub))
    return PubResult(
        data,
        metadata={
            "target_precision": pub.precision,
            "shots": shots,
            "circuit_metadata": pub.circuit.metadata,
            **({} if met else {"precision_met": False}),
        },
    )


def _flattened(pub: EstimatorPub) -> tuple[list[int], list[dict[str, float]]]:
    """The point of the sweep and the terms of each value, in order."""
    sets = np.arange(pub.parameter_values.size).reshape(pub.parameter_values.shape)
    points, observables = np.broadcast_arrays(sets, np.asarray(pub.observables))
    return points.ravel().tolist(), list(observables.ravel())


def _measured(
    circuit: QuantumCircuit, point: int, group: PauliList, rotate: PassManager
) -> Measured:
    x, z = group.x.any(axis=0), group.z.any(axis=0)
    qubits = np.flatnonzero(x | z).tolist()
    turns = QuantumCircuit(circuit.num_qubits)
    for qubit in qubits:
        if x[qubit]:
            if z[qubit]:
                turns.sdg(qubit)
            turns.h(qubit)
    out = circuit.copy()
    out.compose(rotate.run(turns), inplace=True)
    names = {register.name for register in circuit.cregs}
    name = next(name for k in range(len(names) + 1) if (name := f"meas{k or ''}") not in names)
    register = ClassicalRegister(len(qubits), name)
    out.add_register(register)
    out.measure(qubits, register)
    return Measured(out, point, tuple(qubits), tuple(group.to_labels()))


def _value(
    terms: dict[str, float], known: Sequence[tuple[Measured, Readout]]
) -> tuple[float, float]:
    """The estimate of one observable, and its standard error."""
    mean = sum(float(value) for label, value in terms.items() if set(label) == {"I"})
    variance = 0.0
    for measured, readout in known:
        mine = [label for label in measured.labels if label in terms]
        seen = sum(_signs(label, measured, readout) * float(terms[label]) for label in mine)
        if not mine:
            continue
        weights = readout.counts / readout.shots
        average = float(weights @ seen)
        mean += average
        variance += float(weights @ np.square(seen - average)) / readout.shots
    return mean, math.sqrt(variance)


def _signs(label: str, measured: Measured, readout: Readout) -> NDArray[np.float64]:
    """(outcomes,) the value ±1 of a Pauli term in each outcome."""
    first = readout.bits.shape[1] - len(measured.qubits)
    bits = [
        first + k for k, qubit in enumerate(measured.qubits) if label[len(label) - 1 - qubit] != "I"
    ]
    odd: NDArray[np.bool_] = readout.bits[:, bits].sum(axis=1) % 2 == 1
    return np.where(odd, -1.0, 1.0)
