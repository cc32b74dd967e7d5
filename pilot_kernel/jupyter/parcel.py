"""Named values in one pickle, with what each of them weighs.

Workers import this module too, so it imports no IPython.
"""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cloudpickle

from pilot_kernel.errors import ShipError

__all__ = ["Parcel", "megabytes", "pack", "unpack"]


@dataclass(frozen=True)
class Parcel:
    """Values on their way between notebook and worker.

    Attributes:
        sizes: What each value adds to the pickle, in bytes, by name and in order.
        blob: The pickle.
    """

    sizes: dict[str, int]
    blob: bytes

    @property
    def total_bytes(self) -> int:
        """What all of it weighs."""
        return len(self.blob)


class _LimitError(Exception):
    pass


class _Limited(io.BytesIO):
    """Stops a pickle that grows too large, before the machine's memory is full of it."""

    def __init__(self, limit_bytes: int | None) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes

    def write(self, data: Any) -> int:
        size = len(data) if isinstance(data, bytes) else memoryview(data).nbytes
        if self._limit_bytes is not None and self.tell() + size > self._limit_bytes:
            raise _LimitError
        return super().write(data)


def pack(values: Mapping[str, Any], limit_bytes: int | None = None) -> Parcel:
    """Pickle values one after the other; what they share stays shared.

    Args:
        values: The values by name.
        limit_bytes: What all of them together may weigh.

    Raises:
        ShipError: A value cannot be pickled, or makes the parcel too heavy; it is named.
    """
    buffer = _Limited(limit_bytes)
    pickler = cloudpickle.Pickler(buffer)
    sizes: dict[str, int] = {}
    for name, value in values.items():
        begin = buffer.tell()
        try:
            pickler.dump(value)
        except _LimitError:
            raise ShipError(_too_heavy(name, sizes, limit_bytes or 0)) from None
        except Exception as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ShipError(f"{name} ({type(value).__name__}) cannot be sent: {why}") from None
        sizes[name] = buffer.tell() - begin
    return Parcel(sizes, buffer.getvalue())


def _too_heavy(name: str, sizes: dict[str, int], limit_bytes: int) -> str:
    before = f"; before it came {_listed(sizes)}" if sizes else ""
    return (
        f"{name} is too large: everything that is sent may take {megabytes(limit_bytes)}{before}. "
        "Make it inside the cell, name what to send with -i, or raise --limit (in MB)"
    )


def _listed(sizes: Mapping[str, int]) -> str:
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    return ", ".join(f"{name} ({megabytes(size)})" for name, size in heaviest)


def unpack(parcel: Parcel) -> dict[str, Any]:
    """The values of a parcel, by name."""
    unpickler = pickle.Unpickler(io.BytesIO(parcel.blob))  # noqa: S301 ours, and over TLS
    return {name: unpickler.load() for name in parcel.sizes}


def megabytes(size: int) -> str:
    """A size as people read it."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"
