"""From a Qiskit backend to plain numbers: what its target says of its times. Nothing runs here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from qdreamer_lab.dreamer.device.cost import DeviceShape
from qdreamer_lab.dreamer.device.owner_terms import DeviceTerms

__all__ = ["device_shape"]

_TYPICAL_S = {1: 5e-8, 2: 3e-7, "measure": 1e-6}
"""Superconducting devices, where the target does not say."""

_REPETITION_S = 2.5e-4


def device_shape(backend: Any, terms: DeviceTerms | None = None) -> DeviceShape:
    """Read a backend's target.

    Args:
        backend: The device.
        terms: What is known besides, which counts more.
    """
    terms = DeviceTerms() if terms is None else terms
    target = backend.target
    found: dict[Any, list[float]] = {1: [], 2: [], "measure": []}
    for operation, qubits in target.instructions:
        known = target[operation.name].get(qubits) if qubits is not None else None
        if known is None or known.duration is None:
            continue
        key = "measure" if operation.name == "measure" else len(qubits)
        if key in found and operation.name not in ("reset", "delay"):
            found[key].append(float(known.duration))
    times = {
        key: float(np.median(each)) if each else _TYPICAL_S[key] for key, each in found.items()
    }
    coupling = target.build_coupling_map()
    pairs = target.num_qubits * (target.num_qubits - 1) if target.num_qubits else 0
    pause = terms.repetition_s
    if pause is None:
        pause = getattr(backend, "default_rep_delay", None)
    shape = DeviceShape(
        name=str(getattr(backend, "name", "device")),
        one_qubit_s=times[1],
        two_qubit_s=times[2],
        readout_s=times["measure"],
        repetition_s=float(pause) if pause is not None else _REPETITION_S,
        all_to_all=coupling is None or len(coupling.get_edges()) >= pairs,
        queue_s=terms.queue_s,
    )
    if terms.job_overhead_s is None:
        return shape
    return replace(shape, job_overhead_s=terms.job_overhead_s)
