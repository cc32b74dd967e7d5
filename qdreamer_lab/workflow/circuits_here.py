"""Circuits in the process that calls, on a worker: translated, run, timed."""

from __future__ import annotations

import time
from typing import Any

from qiskit.quantum_info import SparsePauliOp

from pilot_kernel.primitive.device.backend import backend_here
from pilot_kernel.primitive.device.prepare import DEFAULT_PRECISION, for_device
from pilot_kernel.primitive.device.run import run_all_on_device
from pilot_kernel.primitive.pub.check import estimator_pubs, sampler_pubs
from pilot_kernel.primitive.pub.pieces import cut
from pilot_kernel.primitive.pub.shipment import pack
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.run import Settings, simulate_all

__all__ = ["mean_z", "run_circuits"]


def run_circuits(
    pubs: list[Any],
    *,
    shots: int = 0,
    seed: int = 0,
    device: str = "CPU",
    precision: float | None = None,
) -> tuple[Any, float]:
    """Run PUBs where this is called: on the worker's QPU if it stands for one, else simulated.

    A QPU's worker transpiles them for it, and takes as many shots for expectation values as
    `Session.run` does.

    Args:
        pubs: Sampler PUBs if there are shots, else estimator PUBs.
        shots: Shots of each circuit.
        seed: Of the random numbers of simulators.
        device: "CPU" or "GPU".
        precision: Standard error of expectation values; by default they are exact, and a QPU takes
            its own.

    Returns:
        Their `PrimitiveResult`, and the seconds that running them took, without translation.
    """
    backend = backend_here()
    if precision is None:
        precision = 0.0 if backend is None else DEFAULT_PRECISION
    checked: list[Any] = sampler_pubs(pubs, shots) if shots else estimator_pubs(pubs, precision)
    if backend is not None:
        shipment = pack(cut(for_device(checked, backend, [], None), seed))
        begun = time.perf_counter()
        return run_all_on_device(shipment), time.perf_counter() - begun
    shipment = pack(cut(for_simulator(checked, "automatic"), seed))
    begun = time.perf_counter()
    return simulate_all(shipment, Settings(device=device)), time.perf_counter() - begun


def mean_z(num_qubits: int) -> SparsePauliOp:
    """The mean of Z over all qubits."""
    terms = [("Z", [qubit], 1 / num_qubits) for qubit in range(num_qubits)]
    return SparsePauliOp.from_sparse_list(terms, num_qubits)
