"""A stand-in for CuPy that runs the true kernels on a CPU, compiled by g++ with `shim.cpp`.

Device arrays are NumPy arrays of a class of their own, so that host and device cannot be mixed up.
They have margins, which kernels must leave alone, and begin as NaN.
"""

import ctypes
import subprocess
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np

MARGIN = 64
MARK = 0xA5


def compiled(folder, compiler, kernels):
    """The library of all kernels."""
    library = Path(folder) / "kernels.so"
    command = [compiler, "-std=c++17", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    shim = Path(__file__).with_name("shim.cpp")
    kernels_file = f'-DKERNELS_FILE="{kernels}"'
    subprocess.run(
        [*command, "-Wno-unknown-pragmas", kernels_file, "-o", library, shim], check=True
    )
    return ctypes.CDLL(str(library))


class DeviceArray(np.ndarray):
    """An array on the device."""


class OutOfMemoryError(MemoryError):
    """As CuPy's own."""


class CUDARuntimeError(RuntimeError):
    """As CuPy's own."""


OutOfMemoryError.__module__ = CUDARuntimeError.__module__ = "cupy_backends.cuda.api.runtime"


class FakeCupy:
    """What of CuPy the engine uses.

    Attributes:
        threads: Most threads of a block.
        backwards: Whether the last thread of a block goes first.
        launches: Name, grid and shared memory of all launches.
        memory_bytes: Of the device.
        peak_bytes: Most that arrays have taken together.
    """

    def __init__(self, library):
        self.library = library
        self.threads, self.backwards = 7, False
        self.launches, self.leaves = [], {}
        self.memory_bytes = 1 << 34
        self.used_bytes = self.peak_bytes = 0
        self.properties = {
            "name": b"Fake",
            "totalGlobalMem": self.memory_bytes,
            "major": 9,
            "minor": 0,
            "multiProcessorCount": 132,
            "sharedMemPerBlockOptin": 227 << 10,
            "sharedMemPerMultiprocessor": 228 << 10,
        }
        runtime = SimpleNamespace(
            driverGetVersion=lambda: 13000,
            runtimeGetVersion=lambda: 13000,
            getDeviceCount=lambda: 1,
            getDevice=lambda: 0,
            getDeviceProperties=lambda number: self.properties,
        )
        self.cuda = SimpleNamespace(runtime=runtime, Device=lambda: self)
        self.freed = 0

    # ---- memory

    @property
    def mem_info(self):
        return self.memory_bytes - self.used_bytes, self.memory_bytes

    def get_default_memory_pool(self):
        return SimpleNamespace(
            free_bytes=lambda: 0,
            free_all_blocks=self._free,
            total_bytes=lambda: self.used_bytes,
        )

    def _free(self):
        self.freed += 1

    def empty(self, shape, dtype):
        dtype = np.dtype(dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        if self.used_bytes + size > self.memory_bytes:
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes")
        root = np.full(size + 2 * MARGIN, MARK, np.uint8)
        self.used_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.used_bytes)
        weakref.finalize(root, self._give_back, size)
        array = root[MARGIN : MARGIN + size].view(dtype).reshape(shape).view(DeviceArray)
        array[...] = np.nan if dtype.kind in "fc" else -1
        return array

    def _give_back(self, size):
        self.used_bytes -= size

    def zeros(self, shape, dtype):
        array = self.empty(shape, dtype)
        array[...] = 0
        return array

    def asarray(self, array):
        assert not isinstance(array, DeviceArray)
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy

    # ---- work

    @staticmethod
    def asnumpy(array):
        assert isinstance(array, DeviceArray)
        return np.array(array)

    @staticmethod
    def concatenate(arrays):
        assert all(isinstance(array, DeviceArray) for array in arrays)
        return np.concatenate(arrays).view(DeviceArray)

    @staticmethod
    def matmul(left, right):
        assert isinstance(left, DeviceArray)
        assert isinstance(right, DeviceArray)
        return left @ right

    def RawModule(self, code, options):  # noqa: N802 - CuPy's name
        assert "run_pass" in code
        assert options == ("-std=c++17",)
        return SimpleNamespace(get_function=lambda name: _Kernel(self, name))


class _Kernel:
    def __init__(self, cupy, name):
        self.cupy, self.name = cupy, name
        self.function = getattr(cupy.library, f"launch_{name}")

    @property
    def max_dynamic_shared_size_bytes(self):
        """Of the kernel, whichever object it was set by."""
        return self.cupy.leaves.get(self.name, 48 << 10)

    @max_dynamic_shared_size_bytes.setter
    def max_dynamic_shared_size_bytes(self, size):
        assert size <= self.cupy.properties["sharedMemPerBlockOptin"]
        self.cupy.leaves[self.name] = size

    def __call__(self, grid, block, arguments, shared_mem):
        assert shared_mem <= self.max_dynamic_shared_size_bytes
        grid = (*grid, 1, 1)[:3]
        assert 0 < grid[0] < 1 << 31
        assert all(0 < number < 1 << 16 for number in grid[1:])
        (threads,) = block
        assert 0 < threads <= 256
        self.cupy.launches.append((self.name, grid, shared_mem))
        geometry = (*grid, min(threads, self.cupy.threads), self.cupy.backwards, shared_mem)
        held = [_pointer(each) for each in arguments]
        pointers = (ctypes.c_void_p * len(held))(*(ctypes.addressof(each) for each in held))
        failed = self.function((ctypes.c_uint * 6)(*geometry), pointers)
        assert failed != 1, f"{self.name}: not all threads of a block come to the same barriers"
        assert failed != 2, f"{self.name} writes beyond its shared memory"
        for each in arguments:
            if isinstance(each, np.ndarray):
                _check_margins(each)


def _pointer(argument):
    if isinstance(argument, np.ndarray):
        assert isinstance(argument, DeviceArray)
        assert argument.flags.c_contiguous
        return ctypes.c_void_p(argument.ctypes.data)
    kinds = {np.dtype(np.int64): ctypes.c_longlong, np.dtype(np.int32): ctypes.c_int}
    return kinds[argument.dtype](int(argument))


def _check_margins(array):
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    if root.dtype != np.uint8:
        return  # what NumPy made of other arrays has none
    assert (root[:MARGIN] == MARK).all()
    assert (root[-MARGIN:] == MARK).all()
