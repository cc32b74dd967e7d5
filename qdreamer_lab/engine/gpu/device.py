"""The GPU of this process: whether there is one that CuPy can use, and what it is.

The only place that imports CuPy; it must not compute anything.
"""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import GpuError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GpuDevice", "cupy_module", "free_bytes", "gpu_errors", "usable_device"]

_INSTALL = "pip install 'qdreamer-lab[gpu]' on the machine that has the GPU"

_OLDEST = (7, 0)
"""Compute capability that double-precision passes are built for."""


@dataclass(frozen=True, slots=True)
class GpuDevice:
    """What a GPU is.

    Attributes:
        name: As its driver calls it.
        memory_bytes: All of its memory.
        compute_capability: Major and minor number.
        driver: Newest CUDA that the driver supports, such as 13000 for 13.0.
        runtime: CUDA that CuPy is built for, likewise.
        multiprocessors: How many parts work on their own.
        shared_block_bytes: Shared memory that one block can ask for.
        shared_bytes: Shared memory of a multiprocessor.
    """

    name: str
    memory_bytes: int
    compute_capability: tuple[int, int]
    driver: int
    runtime: int
    multiprocessors: int
    shared_block_bytes: int
    shared_bytes: int


def cupy_module() -> Any:
    """CuPy.

    Raises:
        GpuError: There is none, or it cannot be loaded.
    """
    try:
        return importlib.import_module("cupy")
    except ImportError as error:
        missing = getattr(error, "name", None) == "cupy"
        what = "there is no CuPy here" if missing else f"CuPy cannot be loaded ({error})"
        raise GpuError(f"{what}: {_INSTALL}") from error


def usable_device() -> GpuDevice:
    """The GPU that this process uses: the first that it can see.

    Raises:
        GpuError: There is no CuPy, no driver, no GPU, or a driver or GPU too old for this CuPy.
    """
    cupy = cupy_module()
    runtime = cupy.cuda.runtime
    driver, built_for = _versions(runtime)
    if driver == 0:
        raise GpuError(f"no NVIDIA driver is installed here{_seen()}: ask for a node with a GPU")
    if driver // 1000 < built_for // 1000:
        raise GpuError(
            f"the NVIDIA driver is too old: it supports CUDA {_version(driver)}, and this CuPy is "
            f"built for CUDA {_version(built_for)}; update the driver, or install a CuPy for CUDA "
            f"{driver // 1000} (cupy-cuda{driver // 1000}x)"
        )
    try:
        count = int(runtime.getDeviceCount())
    except Exception as error:  # CuPy's kinds of errors are not known before it is there
        raise GpuError(f"no GPU can be used{_seen()}: {error}") from error
    if not count:
        raise GpuError(f"CuPy sees no GPU{_seen()}")
    try:
        found = _properties(cupy, int(runtime.getDevice()))
    except Exception as error:
        raise GpuError(f"the GPU cannot be used{_seen()}: {error}") from error
    capability = (int(found["major"]), int(found["minor"]))
    name = found["name"]
    name = name.decode() if isinstance(name, bytes) else str(name)
    if capability < _OLDEST:
        raise GpuError(
            f"GPU {name} is too old: its compute capability is {capability[0]}.{capability[1]}, "
            f"and {_OLDEST[0]}.{_OLDEST[1]} is needed"
        )
    return GpuDevice(
        name=name,
        memory_bytes=int(found["totalGlobalMem"]),
        compute_capability=capability,
        driver=driver,
        runtime=built_for,
        multiprocessors=int(found["multiProcessorCount"]),
        shared_block_bytes=int(found["sharedMemPerBlockOptin"]),
        shared_bytes=int(found["sharedMemPerMultiprocessor"]),
    )


@cache
def _properties(cupy: Any, number: int) -> Any:
    """What the driver knows of a GPU; asking takes longer than many a small fragment."""
    return cupy.cuda.runtime.getDeviceProperties(number)


def free_bytes() -> int:
    """Memory of the GPU that may still be taken, with what CuPy holds and does not use.

    Raises:
        GpuError: There is no CuPy, or the GPU is gone.
    """
    cupy = cupy_module()
    with gpu_errors("its free memory"):
        free, _ = cupy.cuda.Device().mem_info
        return int(free) + int(cupy.get_default_memory_pool().free_bytes())


@contextmanager
def gpu_errors(what: str, needed_bytes: int = 0) -> Iterator[None]:
    """Say in one error of ours what went wrong on the GPU, and free what CuPy keeps.

    Args:
        what: What is being done or asked for, in words.
        needed_bytes: Memory that it takes, if that is known.

    Raises:
        GpuError: In place of CuPy's errors: its memory is full, or the GPU failed or is gone.
    """
    cupy = cupy_module()
    try:
        yield
    except MemoryError as error:
        cupy.get_default_memory_pool().free_all_blocks()
        free, total = cupy.cuda.Device().mem_info
        raise GpuError(
            f"the GPU's memory is full: {what} needs {needed_bytes / 2**30:.3g} GiB, of "
            f"{total / 2**30:.3g} GiB {free / 2**30:.3g} are free; plan with a smaller max_qubits, "
            "give a smaller memory_limit_bytes so that the work is sliced, or free the GPU"
        ) from error
    except Exception as error:
        if not type(error).__module__.startswith("cupy"):
            raise
        raise GpuError(f"the GPU failed ({what}): {type(error).__name__}: {error}") from error


def _versions(runtime: Any) -> tuple[int, int]:
    """What the driver supports, 0 if there is none, and what CuPy is built for: 12040 is 12.4."""
    try:
        return int(runtime.driverGetVersion()), int(runtime.runtimeGetVersion())
    except Exception:  # noqa: BLE001 - no library at all is no driver
        return 0, 0


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _seen() -> str:
    """Which GPUs this process was left, for errors."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "" if visible is None else f" (CUDA_VISIBLE_DEVICES={visible!r})"
