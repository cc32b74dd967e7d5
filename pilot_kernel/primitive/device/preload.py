"""What a QPU's worker does before it is given a task: its device is loaded, and tested.

Dask calls `dask_setup` in the worker's process. The test itself runs in the worker's task process,
as all of a user's code does, and leaves the device loaded there.
"""

from typing import Any

from pilot_kernel.resource import worker_environment
from pilot_kernel.task.wire.packing import pack_call
from pilot_kernel.task.worker.start_up import StartUp

__all__ = ["dask_setup"]

_BEFORE_ALL = 0  # functions of users are numbered from 1


def dask_setup(worker: Any) -> None:
    """Have the device tested in each task process of the worker, the first as soon as it is up."""
    name = worker_environment.device()
    if name is not None:
        packed = pack_call(_tested, (name, worker_environment.device_test()), {})
        test = StartUp(f"self-test of {name}", _BEFORE_ALL, packed, {"QPU": 1}, early=True)
        worker.plugins["pilot-self-test"] = test


def _tested(name: str, test: str) -> None:
    # Imported in the task process only: Qiskit would take 40 MiB and half a second of the worker's.
    from pilot_kernel.primitive.device.self_test import test_once

    test_once(name, test)
