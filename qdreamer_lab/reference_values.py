"""A second opinion: the same values from Aer, without any cut.

Small circuits go to the state vector, the rest to a matrix product state, which stays cheap while
entanglement is low. Only for checking; nothing else in the package computes with it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from pilot_kernel.primitive.circuit.measured_at_end import without_measurements_at_end
from qdreamer_lab.errors import MethodError
from qdreamer_lab.isolated_call import guarded
from qdreamer_lab.workload.circuit.observables import read_observable
from qdreamer_lab.workload.execution.memory import available_bytes, readable
from qdreamer_lab.workload.pubs import request_of
from qdreamer_lab.workload.uncut.circuit import uncut_circuit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Reference", "reference_values", "too_much_for_aer"]

DENSE_QUBITS = 24
"""Widest circuit (256 MiB of state) that is checked against a state vector."""

_PATIENCE_S = 120.0
_SVD_NS = 100.0
"""What a unit of `Chain.svd` took in Aer on two cores of a server: 50 to 120 ns."""


@dataclass(frozen=True, eq=False, slots=True)
class Reference:
    """Values of a reference simulator, its name, and how long it took."""

    values: NDArray[np.float64]
    method: str
    seconds: float


def too_much_for_aer(circuit: QuantumCircuit) -> str:
    """Why a check would take minutes, or memory that there is not; empty if it would not.

    By bounds on the matrix product state, so that some are left out that would have been quick.
    """
    if circuit.num_qubits <= DENSE_QUBITS:
        return ""
    n = circuit.num_qubits
    observables = [read_observable(f"Z{qubit}", n) for qubit in range(n)]  # Aer leaves none out
    bare = without_measurements_at_end(circuit)
    request = request_of(EstimatorPub.coerce((bare, observables)))
    try:
        seen = uncut_circuit(request.circuits[0], request.observables)
        chain = seen.chain(1e9 * _PATIENCE_S / _SVD_NS)
    except MethodError as error:
        return str(error)
    if chain is None:
        return f"it may take Aer more than {_PATIENCE_S / 60:.0f} minutes"
    if chain.num_bytes > available_bytes():
        return f"it may take Aer {readable(chain.num_bytes)} of memory"
    return ""


def reference_values(circuit: QuantumCircuit, observables: Sequence[Any]) -> Reference:
    """Expectation values of Pauli observables by Aer, without shots and measurements at the end.

    In a process of its own, since a fault in native code ends a process: see `guarded`.

    Raises:
        QDreamerError: If the simulator's process ended.
    """
    found: Reference = guarded(_values, circuit, list(observables))
    return found


def _values(circuit: QuantumCircuit, observables: list[Any]) -> Reference:
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import EstimatorV2

    start = time.perf_counter()
    dense = circuit.num_qubits <= DENSE_QUBITS
    options: dict[str, Any] = {"method": "statevector" if dense else "matrix_product_state"}
    if not dense:
        # The threshold bounds the discarded weight, so amplitudes are kept to its square root.
        options["matrix_product_state_truncation_threshold"] = 1e-22
        options["mps_lapack"] = False  # with it, the OpenBLAS in Aer reads past its end on Zen 4
        options["n_qubits"] = max(circuit.num_qubits, 63)  # 63 is what Aer says, not what it can
    bare = without_measurements_at_end(circuit)
    flat = transpile(bare, AerSimulator(**options), optimization_level=0)
    estimator = EstimatorV2(options={"backend_options": options})
    values = estimator.run([(flat, observables)]).result()[0].data.evs
    method = str(options["method"]).replace("_", " ")
    return Reference(np.asarray(values, dtype=float), method, time.perf_counter() - start)
