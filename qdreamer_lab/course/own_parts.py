"""Exercises of the ninth notebook: a device of one's own, and a mode of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers import BackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab.course.functions import call
from qdreamer_lab.course.verdict import NotRight, exercise
from qdreamer_lab.workload.estimate import Estimate
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.pubs import request_of
from qdreamer_lab.workload.request import RunSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_device", "check_runner"]

_QUBITS, _SHOTS, _LEAST_RIGHT = 5, 400, 0.6
_LINE = {(k, k + 1) for k in range(_QUBITS - 1)}


@exercise
def check_device(device: object) -> str:
    """Check a function that returns a device: five qubits in a line.

    Args:
        device: Called without arguments; returns a Qiskit `BackendV2`.
    """
    backend = call(device)
    if not isinstance(backend, BackendV2):
        raise NotRight(
            f"Your function returns {type(backend).__name__}; a BackendV2 is wanted, which is what "
            "a pilot can run circuits on."
        )
    if backend.num_qubits != _QUBITS:
        raise NotRight(f"The device has {backend.num_qubits} qubits; {_QUBITS} are wanted.")
    coupled = backend.coupling_map
    if coupled is None:
        raise NotRight("The device says nothing of who is coupled to whom: it has no coupling map.")
    edges = {(min(edge), max(edge)) for edge in coupled.get_edges()}
    if edges != _LINE:
        raise NotRight(
            f"Coupled are {', '.join(f'{a}-{b}' for a, b in sorted(edges))}; a line is "
            f"{', '.join(f'{a}-{b}' for a, b in sorted(_LINE))}."
        )
    zeros, ones = _agreeing_shots(backend)
    share = (zeros + ones) / _SHOTS
    if share >= _LEAST_RIGHT and min(zeros, ones) < _SHOTS // 8:
        raise NotRight(
            f"Of {_SHOTS} shots of a GHZ state {zeros} are all zeros and {ones} all ones; half of "
            "each is expected. Does run() really run the circuit it is given?"
        )
    if share < _LEAST_RIGHT:
        raise NotRight(
            f"Of the shots of a GHZ state, in which all qubits agree, only {100 * share:.0f} % "
            "come out so: that is more noise than signal."
        )
    return f"a line of {_QUBITS} qubits; in {100 * share:.0f} % of shots of a GHZ state all agree."


def _agreeing_shots(backend: BackendV2) -> tuple[int, int]:
    """How many shots of a GHZ state are all zeros, and how many all ones."""
    circuit = QuantumCircuit(_QUBITS)
    circuit.h(0)
    for qubit in range(_QUBITS - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    try:
        job = backend.run(transpile(circuit, backend, seed_transpiler=1), shots=_SHOTS)
        counts = job.result().get_counts()
    except Exception as error:
        raise NotRight(
            f"The device does not run a transpiled circuit: {type(error).__name__}: "
            f"{str(error).rstrip('.')}."
        ) from error
    return int(counts.get("0" * _QUBITS, 0)), int(counts.get("1" * _QUBITS, 0))


@exercise
def check_runner(runner: object) -> str:
    """Check a runner, which answers requests in a mode of its own, against dense state vectors.

    Args:
        runner: A class, or another callable without arguments, whose `run(request, settings,
            execution)` returns an `Estimate` of exact values.
    """
    made = call(runner)
    if not hasattr(made, "run"):
        raise NotRight(f"{type(made).__name__} has no method run(request, settings, execution).")
    for pub in _pubs():
        request = request_of(pub)
        settings = RunSettings(max_qubits=int(pub.circuit.num_qubits))
        estimate = call(made.run, request, settings, Execution())
        if not isinstance(estimate, Estimate):
            raise NotRight(
                f"run returns {type(estimate).__name__}; an Estimate is wanted, which holds "
                "values, errors, and how they came about."
            )
        _check_values(pub, estimate)
    return "its values are those of dense state vectors, for several circuits and observables."


def _check_values(pub: EstimatorPub, estimate: Estimate) -> None:
    wanted = _dense_values(pub)
    evs, stds = np.asarray(estimate.evs), np.asarray(estimate.stds)
    if evs.shape != (wanted.size,):
        raise NotRight(
            f"evs has the shape {evs.shape}; there is one value for each row of request.pairs, so "
            f"({wanted.size},) is wanted."
        )
    if stds.shape != evs.shape or np.abs(stds).max() > 0:
        raise NotRight("stds has to be an array like evs, of zeros: these values are exact.")
    if np.allclose(evs, wanted.ravel(), atol=1e-9):
        return
    if np.allclose(np.sort(evs), np.sort(wanted.ravel()), atol=1e-9):
        raise NotRight(
            "All values are there, but in another order: row k of request.pairs says which "
            "circuit and which observable value k belongs to."
        )
    if wanted.ndim == 2 and np.allclose(evs.reshape(wanted.shape), wanted[:1], atol=1e-9):
        raise NotRight(
            "All values are those of the first circuit. request.circuits has one for each set of "
            "parameter values."
        )
    if np.allclose(evs, _without_coefficients(pub).ravel(), atol=1e-9):
        raise NotRight("The terms of an observable have coefficients; yours all count as 1.")
    raise NotRight(
        f"The first value should be {wanted.ravel()[0]:.6f}, and yours is {evs[0]:.6f}. A factor "
        "(q, letter) acts on qubit q, and qubit 0 is the last letter of a label."
    )


def _pubs() -> list[EstimatorPub]:
    angle = Parameter("a")
    one = QuantumCircuit(3)
    one.ry(angle, 0)
    one.cx(0, 1)
    one.rx(0.7, 2)
    one.rzz(0.9, 1, 2)
    one.ry(0.3, 1)
    mixed = SparsePauliOp.from_list([("ZIX", 0.5), ("IYY", -1.5), ("XZI", 0.25)])
    other = SparsePauliOp.from_list([("IIZ", 1.0), ("ZZI", 2.0)])
    sweep = np.array([0.2, 1.1, 2.0])[:, None, None]
    return [
        EstimatorPub.coerce((one.assign_parameters([0.4]), mixed)),
        EstimatorPub.coerce((one, [mixed, other], sweep), 0.1),
    ]


def _dense_values(pub: EstimatorPub) -> NDArray[np.float64]:
    """Values of the PUB's shape, from Qiskit's state vectors."""
    return _values(pub, lambda coefficient: coefficient)


def _without_coefficients(pub: EstimatorPub) -> NDArray[np.float64]:
    return _values(pub, lambda _: 1.0)


def _values(pub: EstimatorPub, coefficient_of: Any) -> NDArray[np.float64]:
    bound, wanted = pub.parameter_values.bind_all(pub.circuit), np.asarray(pub.observables)
    circuits: Any
    observables: Any
    circuits, observables = np.broadcast_arrays(bound, wanted)
    out = np.empty(circuits.shape)
    for at in np.ndindex(circuits.shape):
        state = Statevector(circuits[at])
        pairs = [(label, coefficient_of(c)) for label, c in observables[at].items()]
        out[at] = state.expectation_value(SparsePauliOp.from_list(pairs)).real
    return out
