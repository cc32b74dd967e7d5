"""Variables on their way between notebook and worker: named values in one pickle.

Workers import this module too, so it imports no IPython.
"""

import io
import linecache
import pickle
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import cloudpickle

from pilot_kernel.drawing.units import megabytes
from pilot_kernel.errors import ShipError

__all__ = ["Payload", "pack", "remember_source", "unpack"]


@dataclass(frozen=True)
class Payload:
    """Named values in one pickle.

    Attributes:
        sizes: How many bytes each value adds to the pickle, in order.
        blob: The pickle.
        sources: The text of the cells in which functions among the values were written, by their
            names in tracebacks; the other side has no file of them.
    """

    sizes: dict[str, int]
    blob: bytes
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        """What all of it weighs."""
        return len(self.blob)


class _LimitError(Exception):
    pass


class _Limited(io.BytesIO):
    """A buffer that refuses a pickle that grows too large, before it fills the memory."""

    def __init__(self, limit_bytes: int | None) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes

    def write(self, data: Any) -> int:
        size = len(data) if isinstance(data, bytes) else memoryview(data).nbytes
        if self._limit_bytes is not None and self.tell() + size > self._limit_bytes:
            raise _LimitError
        return super().write(data)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Keeps the file names of functions, by which tracebacks find their lines.

    cloudpickle would call every file `<dynamic-code>`.
    """

    def __init__(self, buffer: io.BytesIO) -> None:
        self.files: set[str] = set()
        before: Mapping[Any, Any] = cloudpickle.Pickler.dispatch_table
        self._reduce_code = before[CodeType]
        self.dispatch_table = ChainMap({CodeType: self._named_code}, dict(before))
        super().__init__(buffer)  # which reads the table

    def _named_code(self, code: CodeType) -> tuple[Any, ...]:
        self.files.add(code.co_filename)
        make, arguments = self._reduce_code(code)
        return _make_code, (make, arguments, code.co_filename)


def _make_code(make: Callable[..., CodeType], arguments: tuple[Any, ...], file: str) -> CodeType:
    return make(*arguments).replace(co_filename=file)


def _cell_source(file: str) -> str:
    """The text of a cell; empty for a file, which `linecache` keeps with a modification time."""
    known = linecache.cache.get(file)
    return "".join(known[2]) if known and len(known) > 1 and known[1] is None else ""


def remember_source(source: str, file: str) -> None:
    """Let tracebacks show the lines of a cell."""
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)


def pack(values: Mapping[str, Any], limit_bytes: int | None = None) -> Payload:
    """Pickle values one after the other; what they share stays shared.

    Args:
        values: The values by name.
        limit_bytes: What all of them together may weigh.

    Raises:
        ShipError: A value cannot be pickled, or makes the payload too heavy; it is named.
    """
    buffer = _Limited(limit_bytes)
    pickler = _Pickler(buffer)
    sizes: dict[str, int] = {}
    for name, value in values.items():
        begin = buffer.tell()
        try:
            pickler.dump(value)
        except _LimitError:
            raise ShipError(_too_heavy(name, sizes, limit_bytes or 0)) from None
        except Exception as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ShipError(
                f"{name} ({type(value).__name__}) cannot be sent: {why}. Make it in the cell itself"
            ) from None
        sizes[name] = buffer.tell() - begin
    sources = {file: source for file in pickler.files if (source := _cell_source(file))}
    return Payload(sizes, buffer.getvalue(), sources)


def _too_heavy(name: str, sizes: dict[str, int], limit_bytes: int) -> str:
    before = f"; before it came {_listed(sizes)}" if sizes else ""
    return (
        f"{name} is too large: all variables together may take {megabytes(limit_bytes)}{before}. "
        "Create it inside the cell, name what to send with -i, or raise --limit (in MB)"
    )


def _listed(sizes: Mapping[str, int]) -> str:
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    return ", ".join(f"{name} ({megabytes(size)})" for name, size in heaviest)


def unpack(payload: Payload) -> dict[str, Any]:
    """The values of a payload, by name."""
    for file, source in payload.sources.items():
        if file not in linecache.cache:
            remember_source(source, file)
    unpickler = pickle.Unpickler(io.BytesIO(payload.blob))  # noqa: S301 ours, and over TLS
    return {name: unpickler.load() for name in payload.sizes}
