"""How good predictions are: figures from rows and what was predicted of them.

Arithmetic only; nothing is predicted or run here.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.model.power_law import PowerLawModel, SpeedupRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.prediction.rows import Row

LARGE_BYTES = 8 * 2**20
"""Runs that take less say nothing of memory."""

_AGAIN = 200
"""How often rows are measured again from their own runs."""

BREAK_EVEN = 0.1
"""Speedups within this of 1 count as neither, cut nor not cut."""


@dataclass(frozen=True)
class Guess:
    """A row and what was predicted of it.

    Attributes:
        row: The row that was measured.
        seconds: Predicted time.
        low: Lower end of the 80 % interval.
        high: Its upper end.
        memory_bytes: Predicted peak.
    """

    row: Row
    seconds: float
    low: float
    high: float
    memory_bytes: int


@dataclass(frozen=True)
class Figure:
    """A line of the table.

    Attributes:
        name: What is measured.
        seen: The value.
        wanted: The bar in words.
        met: Whether it clears it; None if there is no bar, or nothing to measure it by.
        note: How much data it rests on.
    """

    name: str
    seen: str
    wanted: str
    met: bool | None
    note: str = ""

    def line(self) -> str:
        """As a line of text."""
        mark = {True: "yes", False: "NO", None: ""}[self.met]
        return (
            f"{self.name:50s} {self.seen:>12s}  {self.wanted:>12s} {mark:4s} {self.note}".rstrip()
        )


def share(name: str, hits: Iterable[bool], bar: float, note: str) -> Figure:
    """How many of some cases went right."""
    found = list(hits)
    if not found:
        return Figure(name, "no cases", f">= {bar:.0%}", None)
    value = statistics.mean(found)
    return Figure(name, f"{value:.1%}", f">= {bar:.0%}", value >= bar, f"{len(found)} {note}")


def choices(guesses: list[Guess]) -> list[Figure]:
    """How much longer the recommended way takes than the best one of those measured."""
    ratios = choice_ratios(guesses)
    worst = max(ratios, default=math.nan)
    return [
        share("choice within 10 % of the best", [r <= 1.1 for r in ratios], 0.9, "cases"),
        Figure("choice, worst case", f"{worst:.2f}x", "<= 2x", worst <= 2 if ratios else None),
    ]


def choice_ratios(guesses: list[Guess]) -> list[float]:
    """Time of what is predicted to be best, over that of the best, in each case with a choice."""
    return [
        min(group, key=lambda g: g.seconds).row.seconds / min(g.row.seconds for g in group)
        for group in cases(guesses).values()
        if len(group) > 1
    ]


def cases(guesses: list[Guess]) -> dict[tuple[str, str, int, int], list[Guess]]:
    """Ways to choose from: those of a job in one mode, on any (0) or so many workers and cores."""
    found: dict[tuple[str, str, int, int], list[Guess]] = defaultdict(list)
    for guess in guesses:
        row = guess.row
        found[row.job, row.mode, 0, 0].append(guess)
        found[row.job, row.mode, row.workers, row.cores].append(guess)
    return found


def decisions(guesses: list[Guess]) -> Figure:
    """Whether cutting was rightly predicted to pay, where it clearly does or does not."""
    hits = []
    for uncut, cut in against_uncut(guesses).values():
        seen = uncut.row.seconds / min(g.row.seconds for g in cut)
        if 1 - BREAK_EVEN <= seen <= 1 + BREAK_EVEN:
            continue
        hits.append((uncut.seconds / min(g.seconds for g in cut) > 1) == (seen > 1))
    return share("cut or not, away from break-even", hits, 0.95, "cases")


def against_uncut(
    guesses: list[Guess],
) -> dict[tuple[str, str, int, int], tuple[Guess, list[Guess]]]:
    """Per job, mode, workers and cores: the uncut run and the cut ones, where there are both."""
    found = {}
    for key, group in cases(guesses).items():
        uncut = [g for g in group if g.row.uncut]
        cut = [g for g in group if not g.row.uncut and g.row.cuts]
        if key[2] and uncut and cut:
            found[key] = (uncut[0], cut)
    return found


def accuracy(guesses: list[Guess], predicted: Callable[[Guess, Guess], float]) -> list[float]:
    """The ratio min / max of predicted and measured speedup of each cut run, as the paper counts.

    Args:
        guesses: The rows with what was predicted of them.
        predicted: Gives the speedup that a model predicts, from an uncut and a cut guess.
    """
    found = []
    for uncut, cut in against_uncut(guesses).values():
        for guess in cut:
            pair = (uncut.row.seconds / guess.row.seconds, predicted(uncut, guess))
            found.append(min(pair) / max(pair))
    return found


def speedups(guesses: list[Guess], published: PowerLawModel | None) -> list[Figure]:
    """Speedup accuracy of ours and of the published model, fitted and with its own numbers."""
    ours = accuracy(guesses, lambda uncut, cut: uncut.seconds / cut.seconds)
    if not ours:
        return [Figure("speedup accuracy, mean", "no cases", ">= 88 %", None)]
    mean = statistics.mean(ours)
    found = [
        Figure(
            "speedup accuracy, mean", f"{mean:.1%}", ">= 88 %", mean >= 0.88, f"{len(ours)} runs"
        )
    ]
    for name, model in (("fitted", published), ("as published", PowerLawModel())):
        if model is not None:
            theirs = statistics.mean(accuracy(guesses, lambda _, cut, m=model: law(m, cut.row)))
            note = f"eta_max={model.eta_max:.2g}, p={model.p:.2g}"
            found.append(Figure(f"  the power law's, {name}", f"{theirs:.1%}", "", None, note))
    return found


def law(model: PowerLawModel, row: Row) -> float:
    """The speedup that the power law predicts of a row, given what the run consisted of."""
    return model.speedup(
        row.n, min(row.n, row.n_sub), max(1, row.variants), row.workers * row.cores
    )


def law_rows(guesses: list[Guess]) -> list[SpeedupRow]:
    """What the power law is fitted to."""
    return [
        SpeedupRow(
            guess.row.n,
            min(guess.row.n, guess.row.n_sub),
            max(1, guess.row.variants),
            guess.row.workers * guess.row.cores,
            uncut.row.seconds / guess.row.seconds,
        )
        for uncut, cut in against_uncut(guesses).values()
        for guess in cut
    ]


def times(guesses: list[Guess]) -> list[Figure]:
    """Errors of the times and coverage of the intervals."""
    error = median_error(guesses)
    inside = statistics.mean(g.low <= run <= g.high for g in guesses for run in g.row.runs_s)
    medians = statistics.mean(g.low <= g.row.seconds <= g.high for g in guesses)
    many = f"{len(guesses)} rows"
    spread = statistics.median(max(g.row.runs_s) / min(g.row.runs_s) - 1 for g in guesses)
    found = [
        Figure("time, median relative error", f"{error:.1%}", "<= 12 %", error <= 0.12, many),
        Figure(
            "80 % interval covers, of all runs",
            f"{inside:.1%}",
            "72-88 %",
            0.72 <= inside <= 0.88,
            f"{medians:.1%} of the medians",
        ),
        Figure("(greatest run over least, median)", f"{spread:.1%}", "", None, "what noise leaves"),
    ]
    parts = {mode: [g for g in guesses if g.row.mode == mode] for mode in ("exact", "sampled")}
    parts["exact, two cores for a task"] = [g for g in guesses if g.row.cores > 1]
    for name, some in parts.items():
        if some:
            seen = f"{median_error(some):.1%}"
            found.append(Figure(f"  time, {name}", seen, "", None, f"{len(some)} rows"))
    return found


def ceiling(guesses: list[Guess], seed: int) -> list[Figure]:
    """What a model would reach that knew the median of every row, and nothing of its noise.

    Rows are measured again by drawing as many runs from their own, again and again. With few runs
    of each that says a little too much of such a model.
    """
    rng = np.random.default_rng(seed)
    drawn: list[list[Guess]] = []
    for _ in range(_AGAIN):
        again = []
        for guess in guesses:
            runs = rng.choice(guess.row.runs_s, len(guess.row.runs_s))
            row = replace(guess.row, seconds=float(np.median(runs)))
            again.append(replace(guess, row=row, seconds=guess.row.seconds))
        drawn.append(again)
    figures = [Figure("a model that knows every median:", "", "", None)]
    errors = [median_error(again) for again in drawn]
    figures.append(_average("  time, median relative error", errors))
    exactly = [accuracy(again, lambda uncut, cut: uncut.seconds / cut.seconds) for again in drawn]
    if all(exactly):
        means = [statistics.mean(each) for each in exactly]
        figures.append(_average("  speedup accuracy, mean", means))
    best = [[r <= 1.1 for r in choice_ratios(again)] for again in drawn]
    if all(best):
        shares = [statistics.mean(each) for each in best]
        figures.append(_average("  choice within 10 % of the best", shares))
    return figures


def _average(name: str, values: list[float]) -> Figure:
    low, high = np.quantile(values, [0.1, 0.9])
    note = f"{low:.1%} to {high:.1%} in four of five"
    return Figure(name, f"{statistics.mean(values):.1%}", "", None, note)


def repeatability(rows: list[Row], before: list[Row]) -> list[Figure]:
    """How well an earlier measurement of the same ways foretells this one.

    Both are noisy. A model that knew the truth would be off by about 1/sqrt(2) of that, if noise
    differs from row to row; what slows a whole run down alike, neither can know.
    """
    known = {(r.job, r.width, r.mode, r.workers, r.cores): r.seconds for r in before}
    keys = [(r.job, r.width, r.mode, r.workers, r.cores) for r in rows]
    again = [
        Guess(row, known[key], 0.0, math.inf, 1)
        for row, key in zip(rows, keys, strict=True)
        if key in known
    ]
    if not again:
        return [Figure("an earlier measurement", "no cases", "", None)]
    figures = [*choices(again), decisions(again), *speedups(again, None)[:1], times(again)[0]]
    return [replace(each, name=f"  {each.name}", wanted="", met=None) for each in figures]


def median_error(guesses: list[Guess]) -> float:
    """Median of |predicted - measured| / measured."""
    return statistics.median(abs(g.seconds / g.row.seconds - 1) for g in guesses)


def peak(guess: Guess) -> int:
    """The most that a worker or the process that puts everything together has grown, in bytes."""
    return max(guess.row.worker_bytes, guess.row.process_bytes)


def memory(guesses: list[Guess]) -> Figure:
    """How far the peak of a process was above what was predicted, at worst.

    Of runs that take a good part of a process's own memory; below, what the allocator rounds up and
    the threads around the work hold would be all that is seen.
    """
    large = [g for g in guesses if peak(g) > LARGE_BYTES]
    if not large:
        return Figure("peak memory / predicted, worst", "no cases", "<= 1.10", None)
    ratios = {peak(g) / max(1, g.memory_bytes): g for g in large}
    worst = max(ratios, default=math.nan)
    row = ratios[worst].row
    note = f"{len(large)} rows; {row.job}, width {row.width}, {row.mode}"
    return Figure("peak memory / predicted, worst", f"{worst:.2f}", "<= 1.10", worst <= 1.1, note)
