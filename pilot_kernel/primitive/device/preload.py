"""A QPU worker's start: its snapshot is loaded while nobody waits for it yet.

That takes a second at best, and many where files are read for the first time. Dask calls
`dask_setup` in the worker's process.
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
    """Load the worker's device, beside the worker's own start.

    Other devices than snapshots are left alone: what their functions do is not ours to hasten.
    """
    name = worker_environment.device()
    if name is not None and is_snapshot(name):
        threading.Thread(target=_load, args=(name,), name=f"load {name}", daemon=True).start()


def _load(name: str) -> None:
    with contextlib.suppress(DescriptionError):  # the first task will say it again
        backend_named(name)
