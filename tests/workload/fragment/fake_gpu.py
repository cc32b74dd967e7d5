"""What the GPU's engine is called for, done by NumPy: for tests of who calls it, and with what.

The engine itself is tested elsewhere. Arrays on the device do not mix with the host's.
"""

import contextlib
import functools

import numpy as np

from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.errors import GpuError
from qdreamer_lab.workload.circuit.terms import LETTERS
from qdreamer_lab.workload.fragment import gpu


class Held(np.ndarray):
    """An array on the device: operations with arrays of the host are errors."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        kwargs |= {} if out is None else {"out": tuple(map(bare, out))}
        return held(getattr(ufunc, method)(*map(bare, inputs), **kwargs))

    def __array_function__(self, func, types, args, kwargs):
        raise TypeError(f"numpy.{func.__name__} of an array on the device")


def bare(value):
    """Its numbers; an array of the host with axes is refused."""
    if isinstance(value, Held):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("an array of the host's among arrays on the device")
    return value


def held(value):
    """An array as one on the device."""
    return np.asarray(value).view(Held) if isinstance(value, (np.ndarray, np.generic)) else value


class FakeGpu:
    """A GPU and its engine, put in the place of the real ones.

    Args:
        free: Bytes of memory that are free.

    Attributes:
        calls: Fragments that were simulated, by batch.
        fetched: Arrays that were copied to the host.
    """

    def __init__(self, patch, free=1 << 30):
        self.calls = []
        self.fetched = 0
        patch.setattr(gpu, "usable_device", lambda: "a GPU")
        patch.setattr(gpu, "free_bytes", lambda: free)
        patch.setattr(gpu, "gpu_tensors", self.tensors)
        patch.setattr(gpu, "gpu_states", self.states)
        patch.setattr(gpu, "cupy_module", lambda: self)
        patch.setattr(gpu, "gpu_errors", lambda what: contextlib.nullcontext())

    def tensors(self, calls, dtype, limit):
        self.calls.append(list(calls))
        assert all(call.bytes_for(np.dtype(dtype).itemsize) <= limit for call in calls)
        return [self._tensor(call, dtype) for call in calls]

    def states(self, width, steps, dtype):
        return held(simulate(width, steps, dtype))

    def asarray(self, values):
        return np.array(values).view(Held)

    def asnumpy(self, array):
        self.fetched += 1
        return bare(array).copy()

    def __getattr__(self, name):
        function = getattr(np, name)
        return lambda *args, **kwargs: held(function(*map(bare, args), **kwargs))

    def _tensor(self, call, dtype):
        bra, ket = (self._rows(call, dtype, fixed) for fixed in (call.bra, call.ket))
        closed = call.width - len(call.open_cuts)
        matrices = []
        for operator in call.operators:
            letters = dict(operator)
            factors = [
                LETTERS[letters[q]] if q in letters else np.eye(2) for q in reversed(range(closed))
            ]
            matrices.append(functools.reduce(np.kron, factors, np.eye(1)))
        return np.array([bra.conj() @ matrix @ ket.T for matrix in matrices])

    def _rows(self, call, dtype, fixed):
        states = simulate(call.width, call.steps, dtype, fixed).astype(np.complex128)
        grid = states.reshape(len(states), *(2,) * len(call.open_cuts), -1)
        chosen = tuple(fixed.get(cut, slice(None)) for cut in call.open_cuts)
        rows = grid[(slice(None), *chosen)]
        return rows.reshape(-1, rows.shape[-1])


def no_gpu(patch):
    """A machine without one."""

    def none():
        raise GpuError("there is no CuPy here")

    patch.setattr(gpu, "usable_device", none)
