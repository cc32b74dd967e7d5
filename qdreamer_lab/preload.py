"""What a worker's task processes have ready before their first task: modules, compiled kernels.

Entry point `qdreamer` of the group `pilot_kernel.preloads`. Without it, the first task of each
process would be some tenths of a second late, and a run whose tasks take milliseconds ten times so.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["preload"]

_MODULES = (
    "numba",
    "opt_einsum",
    "qdreamer_lab.workload.fragment.simulate",
    "qdreamer_lab.workload.sampled.simulate",
    "qdreamer_lab.workload.uncut.simulate",
    "qdreamer_lab.workload.uncut.state.values",
)
"""Those of the functions that tasks call, and before them what takes longest to import."""

_KERNELS = ("qdreamer_lab.kernels.simulate", "qdreamer_lab.kernels.gates")


def preload() -> Iterator[None]:
    """Import what tasks of cut runs use, and load their kernels from numba's cache, step by step.

    Nothing is compiled: what the cache does not hold is compiled by the first task that needs it.
    """
    for name in _MODULES:
        importlib.import_module(name)
        yield
    from qdreamer_lab.kernels.loading import load_kernels

    for room in _KERNELS:
        for _ in load_kernels(room):
            yield
