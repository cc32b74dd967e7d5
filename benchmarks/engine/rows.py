"""The table: a row per race, ratios, what a row was before, and what it all comes to."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.engine.turns import Timing

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = ("aer", "qulacs", "lightning")
OURS = ("ours:api", "ours:engine")
FEWER = "on"
"""Marks a peer's timing that is of fewer cores than its row has."""

MIB = 1 << 20
JUDGED_BYTES = 64 * MIB
"""Below this, a prediction of memory is not judged: libraries' own scratch is as large."""

Key = tuple[str, str, int, int, int]


@dataclass(frozen=True)
class Row:
    """Who took how long for what.

    Attributes:
        job: "whole", "cut" or "fragment".
        circuit: The family.
        qubits: Width of the circuit.
        width: Greatest width of a fragment.
        cores: How many each simulator had.
        load: The machine's load average as the row began.
        timings: By "tool:setting"; "tool:setting on 1" for a peer that left cores idle.
    """

    job: str
    circuit: str
    qubits: int
    width: int
    cores: int
    load: float
    timings: dict[str, Timing]

    @property
    def key(self) -> Key:
        """What makes two rows of two runs comparable."""
        return self.job, self.circuit, self.qubits, self.width, self.cores

    @property
    def name(self) -> str:
        """For people."""
        if self.job == "whole":
            return f"{self.circuit} {self.qubits} q"
        what = "fragment of " if self.job == "fragment" else ""
        return f"{what}{self.circuit} {self.qubits} q W={self.width}"

    def best_of(self, tool: str, *, fused: bool = False) -> str | None:
        """The quickest setting of a tool, the time for fusing beforehand counted or not."""
        mine = {name: each for name, each in self.timings.items() if name.startswith(f"{tool}:")}
        if not mine:
            return None
        return min(mine, key=lambda name: mine[name].best + fused * mine[name].prepare_seconds)

    def peer_seconds(self, *, fused: bool = False) -> float | None:
        """The quickest peer's time."""
        names = [self.best_of(tool, fused=fused) for tool in TOOLS]
        times = [self.timings[name] for name in names if name]
        return min((t.best + fused * t.prepare_seconds for t in times), default=None)

    def ratio(self, ours: str, *, fused: bool = False) -> float | None:
        """The quickest peer's time over ours."""
        peer, mine = self.peer_seconds(fused=fused), self.timings.get(ours)
        return None if peer is None or mine is None else peer / mine.best

    def processor_ratio(self, ours: str) -> float | None:
        """The same by what processes used of their cores, which a busy machine changes little."""
        peers = [each for name, each in self.timings.items() if name not in OURS]
        used = [min(each.processor_seconds) for each in peers if each.processor_seconds]
        mine = self.timings.get(ours)
        if not used or mine is None or not mine.processor_seconds:
            return None
        return min(used) / min(mine.processor_seconds)

    def with_fewer(self, other: Row) -> Row:
        """With the peers' timings on fewer cores added; ours must be best with all it gets."""
        peers = {
            f"{name} {FEWER} {other.cores}": timing
            for name, timing in other.timings.items()
            if name not in OURS and f" {FEWER} " not in name
        }
        return replace(self, timings=self.timings | peers)

    def json(self) -> str:
        """As a line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def of(line: str) -> Row:
        """The inverse of `json`."""
        plain: dict[str, Any] = json.loads(line)
        timings = {name: Timing(**each) for name, each in plain.pop("timings").items()}
        return Row(**plain, timings=timings)


HEAD = ("row", "cores", "api", "engine", *TOOLS, "peer/api", "peer/engine", "MiB", "peer MiB")
WIDTHS = (31, 5, 9, 9, 15, 21, 21, 8, 11, 8, 8)


def line_of(cells: tuple[str, ...]) -> str:
    """Cells in columns, the first to the left."""
    name, *rest = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return "  ".join([name.strip().ljust(WIDTHS[0]), *rest])


def whole_line(row: Row) -> str:
    """A whole circuit, milliseconds and peers' settings."""
    peers = [row.best_of(tool) for tool in TOOLS]
    beside = [row.timings[name] for name in peers if name]
    quickest = min(beside, key=lambda each: each.best, default=None)
    cells = [row.name, str(row.cores), *(milliseconds(row.timings.get(each)) for each in OURS)]
    for name in peers:
        setting = name.partition(":")[2] if name else ""
        cells.append(f"{setting} {milliseconds(row.timings[name])}" if name else "-")
    for each in OURS:
        ratio = row.ratio(each)
        cells.append("-" if ratio is None else f"{ratio:.2f}x")
    engine = row.timings.get("ours:engine") or row.timings["ours:api"]
    cells += [f"{each.peak_bytes / MIB:.0f}" if each else "-" for each in (engine, quickest)]
    return line_of(tuple(cells))


def milliseconds(timing: Timing | None) -> str:
    """The quickest run."""
    if timing is None:
        return "-"
    value = timing.best * 1e3
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def geometric_mean(ratios: list[float]) -> float:
    """Of ratios that are all positive."""
    return math.exp(statistics.fmean(map(math.log, ratios)))


def summary(rows: list[Row]) -> list[str]:
    """Means and the rows that we lose, for the API and for the engine."""
    lines = []
    for ours in OURS:
        for cores in sorted({row.cores for row in rows}):
            mine = [row for row in rows if row.job == "whole" and row.cores == cores]
            pairs = [(row.name, row.ratio(ours), row.ratio(ours, fused=True)) for row in mine]
            ratios = [(name, plain, fused) for name, plain, fused in pairs if plain and fused]
            if not ratios:
                continue
            plain = geometric_mean([each[1] for each in ratios])
            fused = geometric_mean([each[2] for each in ratios])
            lines.append(
                f"{ours} on {cores} core(s): {plain:.2f}x the best peer (geometric mean of "
                f"{len(ratios)} rows); {fused:.2f}x where peers' fusing beforehand counts"
            )
            below = [f"{name} {ratio:.2f}x" for name, ratio, _ in ratios if ratio < 1]
            lines.append(f"  below 1x: {', '.join(below) or 'none'}")
            lines += by_processor(mine, ours) if cores == 1 else []
    return lines


def by_processor(rows: list[Row], ours: str) -> list[str]:
    """The same on one core by processor time, for a machine that has other things to do."""
    ratios = [(row.name, row.processor_ratio(ours)) for row in rows]
    found = [(name, ratio) for name, ratio in ratios if ratio]
    if not found:
        return []
    below = ", ".join(f"{name} {ratio:.2f}x" for name, ratio in found if ratio < 1)
    mean = geometric_mean([ratio for _, ratio in found])
    return [f"  by processor time: {mean:.2f}x; below 1x: {below or 'none'}"]


def scaling(rows: list[Row]) -> list[str]:
    """What more cores are worth, fragment by fragment."""
    lines = []
    fewest = min((row.cores for row in rows), default=1)
    index = {row.key: row for row in rows}
    for row in rows:
        one = index.get((*row.key[:-1], fewest))
        if row.job == "whole" or one is None or one is row:
            continue
        for name, timing in row.timings.items():
            ratio = one.timings[name].best / timing.best
            lines.append(f"{row.name}, {name}: {ratio:.2f}x from {fewest} to {row.cores} cores")
    return lines


def memory(rows: list[Row]) -> list[str]:
    """Memory against what was predicted, where there is enough of it."""
    judged = [
        (each.peak_bytes / each.predicted_bytes, f"{row.name} on {row.cores} core(s)", each)
        for row in rows
        for each in row.timings.values()
        if each.predicted_bytes and each.predicted_bytes >= JUDGED_BYTES
    ]
    if not judged:
        return []
    lines = [f"memory over prediction: at most {max(judged)[0]:.2f} in {len(judged)} rows"]
    for ratio, name, each in judged:
        if ratio > 1.1:
            sizes = f"{each.peak_bytes / MIB:.0f} MiB, predicted {each.predicted_bytes / MIB:.0f}"
            lines.append(f"  above 1.1: {name}, {sizes}")
    return lines


def against(rows: list[Row], path: Path) -> list[str]:
    """Before and after, row by row; the peers' own change shows what the machine did."""
    before = {row.key: row for row in map(Row.of, path.read_text().splitlines())}
    lines = []
    for row in rows:
        old = before.get(row.key)
        if old is None:
            continue
        cells = [f"{row.name}, {row.cores} core(s)".ljust(43)]
        for name in OURS:
            if name in row.timings and name in old.timings:
                was, now = old.timings[name], row.timings[name]
                gained = f"{was.best / now.best:.2f}x"
                if was.processor_seconds and now.processor_seconds:
                    used = min(was.processor_seconds) / min(now.processor_seconds)
                    gained += f", by processor time {used:.2f}x"
                cells.append(f"{name} {milliseconds(was)} -> {milliseconds(now)} ({gained})")
        was_peer, now_peer = old.peer_seconds(), row.peer_seconds()
        if was_peer and now_peer:
            cells.append(f"peers {was_peer / now_peer:.2f}x")
        lines.append("  ".join(cells))
    return lines
