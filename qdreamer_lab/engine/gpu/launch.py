"""Launching the kernels of `kernels.cu`, compiled once for the GPU of this process."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.gpu.costs import LEAST_SHARED_BYTES
from qdreamer_lab.engine.gpu.device import cupy_module, usable_device

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
def _function(cupy: Any, name: str, *, much: bool) -> Any:
    """A kernel; where it takes `much` shared memory, with the leave to take all that there is.

    The leave belongs to the kernel, however often it is asked for, so it is never made smaller.
    """
    function = _module(cupy).get_function(name)
    if much:
        function.max_dynamic_shared_size_bytes = usable_device().shared_block_bytes
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
    whole = f"{name}_{_NAMES[np.dtype(dtype)]}"
    function = _function(cupy_module(), whole, much=shared_bytes > LEAST_SHARED_BYTES)
    function(grid, (threads,), arguments, shared_mem=shared_bytes)
