"""How likely values of a plan are free of errors on a device, by what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.execution.device import Device
from qdreamer_lab.workload.sampled.device.fidelity import value_success
from qdreamer_lab.workload.sampled.device.routes import Routes
from qdreamer_lab.workload.sampled.lower import lower

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.request import Request

__all__ = ["plan_success"]


def plan_success(request: Request, plan: Partition, backend: BackendV2) -> float:
    """Probability that nothing goes wrong that reaches a value, in one shot of each fragment.

    The fragments are written for the device as for a run: the qubits that they come to lie on, the
    swaps between them, their readout and what waits meanwhile all count, if they are in the light
    cone of what is read. Values shrink by about as much, so that it tells wide circuits without
    cuts from narrow ones with them.

    Args:
        request: The circuit and its observables, with one set of parameter values.
        plan: How it is cut, if it is.
        backend: The device.

    Raises:
        DeviceError: If it cannot run a fragment.
    """
    program = lower(plan, list(request.observables), joint=False)
    routes = Routes([Device(str(backend.name), backend)], in_process=True, fallback=False)
    routes.prepare([program], request.source, request.values)
    return value_success(program, routes.written(program))
