"""Circuits made noisier than they need be, for values that are extrapolated to no noise.

Folding is qiskit-mitigation's: U becomes U U⁻¹ U for every two-qubit gate. Nothing runs here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qiskit.transpiler import PassManager

from qdreamer_lab.errors import DeviceError

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.spliced import Spliced

__all__ = ["folded"]

_FOLDED = frozenset({"cx", "cy", "cz", "ecr", "swap"})
"""What `GateFoldingPass` knows."""


def folded(spliced: Spliced, factor: int, backend: BackendV2) -> Spliced:
    """A variant's circuit with every two-qubit gate as many times as noisy.

    Args:
        spliced: In the device's gates.
        factor: How many times, an odd number; 1 leaves the circuit as it is.
        backend: The device.

    Raises:
        DeviceError: If the circuit has gates that cannot be folded, or qiskit-mitigation is
            missing.
    """
    if factor == 1:
        return spliced
    wide = {
        step.name
        for step in spliced.circuit.data
        if len(step.qubits) > 1 and step.name != "barrier"
    }
    if wide - _FOLDED:
        raise DeviceError(
            str(backend.name),
            f"mitigation='zne' folds {', '.join(sorted(_FOLDED))}, and its circuits have "
            f"{', '.join(sorted(wide - _FOLDED))}: leave it out, or use another device",
        )
    try:
        from qiskit_mitigation.zne import GateFoldingPass
    except ImportError as error:
        raise DeviceError(
            str(backend.name),
            "mitigation='zne' needs qiskit-mitigation where circuits run: pip install "
            "qiskit-mitigation",
        ) from error
    return replace(spliced, circuit=PassManager([GateFoldingPass(factor)]).run(spliced.circuit))
