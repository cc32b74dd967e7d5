"""The table of the runtime's benchmarks: its rows, and the clock.

A row is one figure beside what it is compared with. `wanted` is the bar it should clear, in words;
`met` whether it does, or None where there is no bar.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = ("row", "ours", "peer", "ratio", "wanted", "")
WIDTHS = (47, 24, 30, 9, 12, 4)


@dataclass(frozen=True)
class Row:
    """One line of the table; `raw` goes to the JSON lines only."""

    name: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    wanted: str = ""
    met: bool | None = None
    raw: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """As a line of text."""
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}x"
        mark = "" if self.met is None else "yes" if self.met else "NO"
        return line_of((self.name, self.ours, self.peer, ratio, self.wanted, mark))

    def json(self) -> str:
        """As a line of JSON."""
        return json.dumps(asdict(self), default=lambda scalar: scalar.item())


def line_of(cells: tuple[str, ...]) -> str:
    """Cells in columns."""
    padded = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)]
    return " ".join(padded).rstrip()


def at_least(name: str, ratio: float, bar: float, ours: str, peer: str, **raw: Any) -> Row:
    """A row whose ratio must reach a bar."""
    return Row(name, ours, peer, ratio, f">= {bar:g}x", ratio >= bar, {"ratio": ratio, **raw})


def at_most(name: str, value: float, bar: float, peer: str, **raw: Any) -> Row:
    """A row whose value, an error, must stay under a bar."""
    return Row(name, f"{value:.1e}", peer, None, f"<= {bar:g}", value <= bar, raw)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and its seconds."""
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


def median_of(call: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """What the last of several calls returns, and the median of their seconds."""
    runs = [timed(call) for _ in range(repeats)]
    return runs[-1][0], statistics.median(seconds for _, seconds in runs)


def seconds_text(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
