"""The log files of a session's agent and workers, found with one call: text, and HTML."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Self

from pilot_kernel.drawing.html import BASE, MONO, MUTED
from pilot_kernel.drawing.units import megabytes

__all__ = ["LogFile", "Logs"]

_OPEN = 3  # so many logs are shown opened


@dataclass(frozen=True)
class LogFile:
    """One log file.

    Attributes:
        name: Whose it is: `agent`, a worker's name, or the file's.
        path: Where it lies.
        bytes: How long it is.
        text: Its end, or all of it.
    """

    name: str
    path: str
    bytes: int
    text: str

    def tail(self, lines: int = 10) -> str:
        """Its last lines."""
        return "\n".join(self.text.splitlines()[-lines:])


@dataclass(frozen=True)
class Logs:
    """The log files of a session, by name; displayed, they are shown one below the other.

    They are removed together with the agent when it ends.

    Attributes:
        files: The files: the agent's first, then those of workers, also of some that are gone.
    """

    files: tuple[LogFile, ...]

    @classmethod
    def of(cls, told: Iterable[Mapping[str, Any]]) -> Self:
        """From what the agent tells, which is the same as plain dicts."""
        return cls(tuple(LogFile(**row) for row in told))

    def __getitem__(self, name: str) -> LogFile:
        for file in self.files:
            if file.name == name:
                return file
        there = ", ".join(file.name for file in self.files) or "none"
        raise KeyError(f"there is no log {name!r}; there is: {there}")

    def __iter__(self) -> Iterator[LogFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        if not self.files:
            return "no log files"
        return "\n".join(f"{_head(file)}\n{file.text.rstrip() or '(empty)'}\n" for file in self)

    def _repr_html_(self) -> str:
        if not self.files:
            return f"<div style='{BASE}'>no log files</div>"
        return f"<div style='{BASE}'>{''.join(map(self._file_html, self.files))}</div>"

    def _file_html(self, file: LogFile) -> str:
        shown = escape(file.text.rstrip()) or f"<span style='{MUTED}'>(empty)</span>"
        opened = " open" if len(self.files) <= _OPEN else ""
        return (
            f"<details{opened} style='margin:2px 0'><summary style='cursor:pointer'>"
            f"<strong style='font-weight:600'>{escape(file.name)}</strong> "
            f"<span style='{MUTED}'>{megabytes(file.bytes)} · {escape(file.path)}</span></summary>"
            f"<pre tabindex='0' style='{MONO};line-height:1.4;margin:2px 0 8px;padding:0 0 0 14px;"
            "overflow:auto;max-height:320px;background:none;color:inherit;white-space:pre'>"
            f"{shown}</pre></details>"
        )


def _head(file: LogFile) -> str:
    return f"== {file.name}: {file.path}, {megabytes(file.bytes)} =="
