"""Launching the kernels of `kernels.cu`, compiled once for the GPU of this process."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.gpu.costs import LEAST_SHARED_BYTES
from qdreamer_lab.engine.gpu.device import cupy_module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = ["THREADS", "launch", "source"]

THREADS = 256
"""Threads of a block, at most: the kernels' registers are shared out on that ground."""

_NAMES = {np.dtype(np.complex128): "double", np.dtype(np.complex64): "float"}


def source() -> str:
    """The text of the kernels."""
    return (files("qdreamer_lab.engine.gpu") / "kernels.cu").read_text("utf-8")


@cache
def _module(cupy: Any) -> Any:
    return cupy.RawModule(code=source(), options=("-std=c++17",))


@cache
def _function(cupy: Any, name: str, shared_bytes: int) -> Any:
    """A kernel, with the leave to take more shared memory than every GPU gives."""
    function = _module(cupy).get_function(name)
    if shared_bytes > LEAST_SHARED_BYTES:
        function.max_dynamic_shared_size_bytes = shared_bytes
    return function


def launch(
    name: str,
    dtype: DTypeLike,
    grid: tuple[int, ...],
    threads: int,
    arguments: tuple[Any, ...],
    shared_bytes: int = 0,
) -> None:
    """Launch a kernel; it runs after all that was launched before.

    Args:
        name: Of the kernel, without the precision.
        dtype: Of the states.
        grid: Blocks, in up to three directions.
        threads: Of a block.
        arguments: Arrays of the device, and NumPy's scalars in the widths of the C code.
        shared_bytes: Shared memory of a block.
    """
    arrays = [each for each in arguments if not isinstance(each, np.generic)]
    assert all(array.flags.c_contiguous for array in arrays)  # kernels take no strides
    function = _function(cupy_module(), f"{name}_{_NAMES[np.dtype(dtype)]}", shared_bytes)
    function(grid, (threads,), arguments, shared_mem=shared_bytes)
