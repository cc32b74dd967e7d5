"""Loading a QPU worker's device snapshot as the worker starts, before a task needs it.

It takes a second at best, and many when files are read for the first time. Dask calls `dask_setup`
in the worker's process.
"""

import contextlib
import threading
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.kind.devices import is_snapshot

__all__ = ["dask_setup"]


def dask_setup(worker: Any) -> None:
    """Load the worker's device in a thread.

    Only snapshots: the function of any other device may do things that should wait for a task.
    """
    name = worker_environment.device()
    if name is not None and is_snapshot(name):
        threading.Thread(target=_load, args=(name,), name=f"load {name}", daemon=True).start()


def _load(name: str) -> None:
    with contextlib.suppress(DescriptionError):  # the first task will say it again
        backend_named(name)
