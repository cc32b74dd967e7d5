"""Our own simulator: by its public API, cut or not, and single fragments by themselves.

The API's clock holds all that it does with a Qiskit circuit: light cones, plan, states, values. The
engine's clock starts with a fragment's program, as on a worker, so it holds the planning of passes.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from benchmarks.engine.peers import Prepared, qiskit_circuit
from benchmarks.runtime.cases import ends_and_middle, exact, pauli
from benchmarks.runtime.cases import su2 as even_su2
from qdreamer_lab import plan_cuts
from qdreamer_lab.workload.circuit.observables import product_terms
from qdreamer_lab.workload.exact.lower import lower
from qdreamer_lab.workload.fragment.footprint import batch_bytes
from qdreamer_lab.workload.fragment.simulate import run_fragment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp

    from benchmarks.engine.gates import Circuit
    from qdreamer_lab.workload.exact.lower import ExactProgram, FragmentJob

ITEMSIZE = 16
"""Bytes of an amplitude: complex128 everywhere."""

SHOWN = 64
"""Entries of a fragment's tensor that are handed back to be compared."""


def whole(circuit: Circuit, setting: str) -> Prepared:
    """A whole circuit, by the API with nothing cut or by the engine alone."""
    theirs = qiskit_circuit(circuit)
    observables = [pauli(*each, circuit.qubits) for each in circuit.observables]
    if setting == "api":
        return by_api(theirs, observables, circuit.qubits)
    program = lowered(theirs, observables, circuit.qubits)
    (job,) = program.jobs

    def run() -> tuple[list[float], float]:
        tensor, seconds = run_job(job)
        return program.values([tensor]).tolist(), seconds

    return Prepared(run, predicted_bytes=predicted(job))


def by_api(circuit: QuantumCircuit, observables: list[SparsePauliOp], width: int) -> Prepared:
    """A fresh estimator each time, so that nothing is kept from the run before."""

    def run() -> tuple[list[float], float]:
        start = time.perf_counter()
        result = exact(circuit, observables, width)
        seconds = time.perf_counter() - start
        return result.data.evs.tolist(), seconds

    return Prepared(run)


def cut(num_qubits: int, width: int) -> Prepared:
    """EfficientSU2 of the demo, cut to a width, by the API."""
    return by_api(even_su2(num_qubits), ends_and_middle(num_qubits), width)


def fragment(num_qubits: int, width: int) -> Prepared:
    """The fragment of the same circuit that takes longest."""
    job = largest(num_qubits, width)

    def run() -> tuple[list[float], float]:
        tensor, seconds = run_job(job)
        return tensor.ravel()[:SHOWN].view(float).tolist(), seconds

    return Prepared(run, predicted_bytes=predicted(job))


def largest(num_qubits: int, width: int) -> FragmentJob:
    """The fragment with the most amplitudes."""
    jobs = lowered(even_su2(num_qubits), ends_and_middle(num_qubits), width).jobs
    return max(jobs, key=lambda job: math.ldexp(job.program.variants, job.program.width))


def lowered(circuit: QuantumCircuit, observables: list[SparsePauliOp], width: int) -> ExactProgram:
    """What exact mode runs, all observables in one group."""
    terms = [term.factors for each in observables for term in product_terms(each)]
    return lower(plan_cuts(circuit, width), terms)


def run_job(job: FragmentJob) -> tuple[NDArray[np.complex128], float]:
    """A fragment's tensor, and the seconds it took."""
    start = time.perf_counter()
    tensor = run_fragment(job.program, job.operators)
    return tensor, time.perf_counter() - start


def predicted(job: FragmentJob) -> int:
    """Peak memory of a fragment by our own account."""
    return batch_bytes(job.program, job.operators, ITEMSIZE, {}, {})


def prepared(request: dict[str, Any], circuit: Circuit | None) -> Prepared:
    """What a request asks for."""
    if circuit is not None:
        return whole(circuit, request["setting"])
    kind = {"cut": cut, "fragment": fragment}[request["job"]]
    return kind(request["qubits"], request["width"])
