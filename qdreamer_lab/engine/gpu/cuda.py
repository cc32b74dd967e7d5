"""CuPy, once it is sure that there is a GPU that it can use; else the reason why not.

This is the only place that imports CuPy.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any

from qdreamer_lab.errors import GpuError

__all__ = ["array_module", "free_bytes"]

_INSTALL = (
    "pip install 'qdreamer-lab[gpu]' where the workers are (its CUDA 12 runs on newer drivers, too)"
)


@cache
def array_module() -> Any:
    """CuPy, with its first GPU at work. An error is not kept: next time it is tried again.

    Raises:
        GpuError: There is no CuPy, no GPU, or no driver that goes with them.
    """
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        missing = getattr(error, "name", None) in (None, "cupy")
        what = "there is no CuPy" if missing else f"CuPy cannot be loaded ({error})"
        raise GpuError(f"{what}: {_INSTALL}") from error
    runtime = cupy.cuda.runtime
    driver, built_for = _versions(runtime)
    if driver and driver // 1000 < built_for // 1000:
        raise GpuError(
            f"the NVIDIA driver is too old: it supports CUDA {_version(driver)} and this CuPy is "
            f"built for CUDA {_version(built_for)}; update the driver, or install a CuPy for CUDA "
            f"{driver // 1000} (cupy-cuda{driver // 1000}x)"
        )
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        raise GpuError(f"no GPU can be used: {error}{_seen()}") from error
    if not count:
        raise GpuError(f"CuPy sees no GPU{_seen()}")
    try:
        # Something that has to be compiled: headers or compilers may be missing as well.
        works = int((cupy.arange(4, dtype="int64") * 2).sum()) == 12
    except Exception as error:  # CuPy's own kinds of errors, and those of the libraries below it
        raise GpuError(
            f"the GPU cannot be used: {type(error).__name__}: {error}{_seen()}"
        ) from error
    if not works:
        raise GpuError(f"the GPU adds wrongly{_seen()}")
    return cupy


def free_bytes() -> int:
    """Memory of the GPU that may still be taken, with what CuPy holds and does not use.

    Raises:
        GpuError: As `array_module` does.
    """
    cupy = array_module()
    free, _ = cupy.cuda.runtime.memGetInfo()
    pool = cupy.get_default_memory_pool()
    return int(free) + int(pool.free_bytes())


def _versions(runtime: Any) -> tuple[int, int]:
    """What the driver supports, 0 if there is none, and what CuPy is built for: 12040 is 12.4."""
    try:
        return int(runtime.driverGetVersion()), int(runtime.runtimeGetVersion())
    except Exception:  # noqa: BLE001  # no library at all: the next question says it better
        return 0, 0


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _seen() -> str:
    """Which GPUs this process was left, for errors."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "" if visible is None else f" (CUDA_VISIBLE_DEVICES={visible!r})"
