"""CuPy as this project uses it, in NumPy: its arrays do not mix with the host's unasked, either."""

import types

import numpy as np


class Held(np.ndarray):
    """An array that is held on the device: operations with arrays of the host are errors."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        kwargs |= {} if out is None else {"out": tuple(map(_bare, out))}
        return _held(getattr(ufunc, method)(*map(_bare, inputs), **kwargs))

    def __array_function__(self, func, types, args, kwargs):
        raise TypeError(f"numpy.{func.__name__} of an array on the device")

    def __iter__(self):
        return iter([_held(row) for row in self.view(np.ndarray)])


def _bare(value):
    """Its numbers; an array of the host with axes is refused."""
    if isinstance(value, Held):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("an array of the host's among arrays on the device")
    return value


def _held(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value).view(Held)
    return value


class CUDARuntimeError(Exception):
    """What CuPy raises for errors of CUDA's."""


class FakeCupy(types.ModuleType):
    """A module to put in CuPy's place.

    Args:
        devices: How many GPUs it sees, or the error instead.
        driver: The CUDA that the driver supports, 12040 being 12.4.
        built_for: The CUDA that it is built for.
        free: Bytes of memory of the GPU.
        pooled: Bytes that it holds and does not use.
        broken: What any computation raises.
    """

    def __init__(
        self, *, devices=1, driver=12080, built_for=12040, free=1 << 30, pooled=0, broken=None
    ):
        super().__init__("cupy")
        self.fetched = 0
        self._broken = broken

        def count():
            if isinstance(devices, Exception):
                raise devices
            return devices

        runtime = types.SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            driverGetVersion=lambda: driver,
            runtimeGetVersion=lambda: built_for,
            getDeviceCount=count,
            memGetInfo=lambda: (free, 2 * free),
        )
        self.cuda = types.SimpleNamespace(runtime=runtime)
        self.get_default_memory_pool = lambda: types.SimpleNamespace(free_bytes=lambda: pooled)

    def asarray(self, values):
        return np.array(values).view(Held)

    def asnumpy(self, array):
        self.fetched += 1
        return _bare(array).copy()

    def __getattr__(self, name):
        function = getattr(np, name)

        def on_device(*args, **kwargs):
            if self._broken is not None:
                raise self._broken
            return _held(function(*map(_bare, args), **kwargs))

        return on_device
