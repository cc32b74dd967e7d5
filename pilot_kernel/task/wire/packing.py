"""Values as bytes on their way between notebook and task process.

Nothing in between unpacks them: Dask, its scheduler and its workers see bytes only.
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cloudpickle

from pilot_kernel.errors import ShipError

__all__ = ["Call", "Packed", "Slot", "pack", "pack_call", "reason", "unpack", "unpack_call"]

Bytes = bytes | bytearray | memoryview

_INLINE_BYTES = 65_536  # a buffer this small costs less inside the pickle than beside it


@dataclass(frozen=True, slots=True, repr=False)
class Packed:
    """One pickled value.

    Attributes:
        header: The pickle.
        buffers: What lies beside it: the contents of large arrays.
    """

    header: Bytes
    buffers: tuple[Bytes, ...] = ()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(memoryview(part).nbytes for part in (self.header, *self.buffers))

    def __repr__(self) -> str:
        return f"<Packed {self.size} bytes>"  # Dask writes what failed into its log

    def __sizeof__(self) -> int:
        return self.size  # what Dask counts as the memory it takes

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        if protocol < 5:
            return Packed, (bytes(self.header), tuple(bytes(part) for part in self.buffers))
        parts = [pickle.PickleBuffer(part) for part in (self.header, *self.buffers)]
        return Packed, (parts[0], tuple(parts[1:]))


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, ready to be sent.

    Attributes:
        key: Key of the task.
        packed: Function and arguments; `Slot`s stand for the results of other tasks.
        timeout_s: How long it may run.
        crashes_allowed: How often it is run again when its process dies of it.
        cores: How many cores it was given, if that is more than its worker has: those of others.
    """

    key: str
    packed: Packed
    timeout_s: float | None = None
    crashes_allowed: int = 1
    cores: int = 1


_filling: Sequence[Any] = ()


def _fill(index: int) -> Any:
    return _filling[index]


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands in a packed call for the result of another task."""

    index: int

    def __reduce__(self) -> tuple[Any, ...]:
        return _fill, (self.index,)


def pack(value: Any) -> Packed:
    """Pickle a value; its large buffers are shared, not copied.

    Raises:
        Exception: Whatever pickling raises.
    """
    beside: list[memoryview] = []

    def keep_inside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes > _INLINE_BYTES:
            beside.append(raw)
        return raw.nbytes <= _INLINE_BYTES

    header = cloudpickle.dumps(value, protocol=5, buffer_callback=keep_inside)
    return Packed(header, tuple(beside))


def unpack(packed: Packed) -> Any:
    """The value; its arrays can be written to."""
    buffers = [bytearray(part) if memoryview(part).readonly else part for part in packed.buffers]
    return pickle.loads(packed.header, buffers=buffers)  # noqa: S301 the user's own, over TLS


def pack_call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Packed:
    """Pickle a function with its arguments as they are now: later changes do not reach them.

    Raises:
        ShipError: One of them cannot be pickled; it is named.
    """
    try:
        packed = pack((fn, args, kwargs))
    except Exception as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
        raise ShipError(_culprit(fn, args, kwargs, error)) from None
    return Packed(packed.header, tuple(bytes(part) for part in packed.buffers))


def unpack_call(
    packed: Packed, slots: Sequence[Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Function and arguments, with the results of other tasks in their places."""
    global _filling
    _filling = slots
    try:
        fn, args, kwargs = unpack(packed)
    finally:
        _filling = ()
    return fn, args, kwargs


def reason(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _culprit(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> str:
    suspects = [("the function", fn)]
    suspects += [(f"argument {at}", value) for at, value in enumerate(args, start=1)]
    suspects += [(f"argument {name!r}", value) for name, value in kwargs.items()]
    for what, value in suspects:
        try:
            pack(value)
        except Exception as why:  # noqa: BLE001 as above
            return f"{what} ({_kind(value)}) cannot be sent to a worker: {reason(why)}"
    return f"the arguments cannot be sent to a worker: {reason(error)}"


def _kind(value: Any) -> str:
    return getattr(value, "__qualname__", "") or type(value).__name__
