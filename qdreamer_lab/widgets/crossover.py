"""Where a GPU becomes faster than CPU cores, and how that is said. It prices nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.advice.ranking import TIE
from qdreamer_lab.dreamer.report_text import seconds_text, text_table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

__all__ = ["Comparison", "Kind", "WidthTimes"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of worker.

    Attributes:
        label: What it is called, such as "8 CPU cores".
        gpu: Whether it has a GPU.
        nominal: Its times rest on typical figures alone, on nothing that was measured.
    """

    label: str
    gpu: bool = False
    nominal: bool = False


@dataclass(frozen=True, slots=True)
class WidthTimes:
    """What one plan takes on each kind of worker.

    Attributes:
        width: Qubits of the widest fragment.
        limit: Fragment width that was asked for.
        seconds: Predicted makespans, one for each kind; infinite where it cannot run.
        intervals: Within which they lie in four of five cases.
        sameness: That of the candidate with this plan.
    """

    width: int
    limit: int
    seconds: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    sameness: Hashable = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Predicted times of one circuit by width and kind of worker.

    Attributes:
        kinds: CPU cores, the fewest first, and then a GPU, as far as there are any.
        rows: By width, ascending; each width at which anything can run, once.
        offered: There is a GPU; else times on one are what they would be.
        mode: "exact" or "sampled".
    """

    kinds: tuple[Kind, ...]
    rows: tuple[WidthTimes, ...]
    offered: bool
    mode: str = "exact"

    @property
    def pair(self) -> tuple[int, int] | None:
        """Places of the most CPU cores and of the GPU among the kinds; None without both."""
        cores = [k for k, kind in enumerate(self.kinds) if not kind.gpu]
        gpus = [k for k, kind in enumerate(self.kinds) if kind.gpu]
        return (cores[-1], gpus[0]) if cores and gpus else None

    @property
    def faster(self) -> list[bool]:
        """For each row, whether the GPU is over before the CPU cores, by more than a tie."""
        if self.pair is None:
            return [False] * len(self.rows)
        cores, gpu = self.pair
        return [TIE * row.seconds[gpu] < row.seconds[cores] for row in self.rows]

    @property
    def runs(self) -> list[tuple[int, int]]:
        """First and last index of rows in a row in which the GPU is faster."""
        found: list[tuple[int, int]] = []
        for k, faster in enumerate(self.faster):
            if faster and found and found[-1][1] == k - 1:
                found[-1] = (found[-1][0], k)
            elif faster:
                found.append((k, k))
        return found

    @property
    def sentence(self) -> str:
        """From which width on a GPU is faster, in words, and what that rests on.

        Times that differ by no more than ways which Q-Dreamer ranks as equal are equal here too.
        """
        if not self.rows:
            return "No plan can run: there is nothing to compare CPU and GPU by."
        if self.pair is None:
            kind = "CPU" if any(kind.gpu for kind in self.kinds) else "GPU"
            return f"There is no {kind} to compare with."
        verb = "is" if self.offered else "would be"
        head = "" if self.offered else "There is no GPU here. "
        than = f"faster than {self.kinds[self.pair[0]].label}"
        runs = [(self.rows[first].width, self.rows[last].width) for first, last in self.runs]
        if runs:
            where = _where(runs, self.rows[0].width, self.rows[-1].width)
            said = f"In {self.mode} mode a GPU {verb} {than} {where}."
        else:
            said = f"At no width of this circuit {verb} a GPU {than} in {self.mode} mode."
        return f"{head}{said}{self._doubt()}"

    def _doubt(self) -> str:
        if self.nominal:
            return " All times are nominal: nothing was measured."
        if any(kind.nominal and kind.gpu for kind in self.kinds):
            how = ": call calibrate(on='gpu')" if self.offered else ""
            return f" Times on a GPU are nominal, never measured{how}."
        if any(kind.nominal for kind in self.kinds):
            return " Times on CPU cores are nominal, never measured: call calibrate()."
        return ""

    @property
    def nominal(self) -> bool:
        """Whether no kind of worker was ever measured."""
        return all(kind.nominal for kind in self.kinds)

    @property
    def titles(self) -> list[str]:
        """Names of the kinds, with a word of warning at those that are less sure than others."""
        return [
            f"{kind.label} (nominal)" if kind.nominal and not self.nominal else kind.label
            for kind in self.kinds
        ]

    @property
    def text(self) -> str:
        """All times as a table for a terminal."""
        head = ("qubits", *self.titles)
        rows = [
            (
                str(row.width),
                *(seconds_text(s) if math.isfinite(s) else "cannot run" for s in row.seconds),
            )
            for row in self.rows
        ]
        return text_table(head, rows)


def _where(runs: Sequence[tuple[int, int]], least: int, most: int) -> str:
    """Some runs of widths, of all from the least to the most, as the end of a sentence."""
    (first, last), *more = runs
    if not more and (first, last) == (least, most):
        return f"at {least} qubits" if least == most else "at all widths"
    if not more and first == last:
        return f"only with fragments of {first} qubits"
    if not more and first == least:
        return f"up to fragments of {last} qubits"
    if not more and last == most:
        return f"from fragments of {first} qubits on"
    parts = [f"{low}" if low == high else f"{low} to {high}" for low, high in runs]
    if runs[-1][1] == most and runs[-1][0] < most:
        parts[-1] = f"{runs[-1][0]} or more"
    listed = ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]
    return f"with fragments of {listed} qubits"
