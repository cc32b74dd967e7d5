"""Bars of a timeline, predicted or real, as plain data. It must not know plotly."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.chunk import FragmentRow

__all__ = ["HERE", "Bar", "Gantt", "predicted", "real"]

HERE = "notebook"
"""The row of what the notebook's process does."""

_ALONE = "this process"
"""The row of tasks of a run without workers."""

_MOST_BARS = 400
"""Tasks drawn one by one; more are drawn as what each worker does in turn."""

_MOST_IDLE = 16
"""Up to so many workers are shown even if there is nothing for them to do."""

_BEFORE = ("plan", "lower", "transpile", "dispatch")
_AFTER = ("transfer", "contract")


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that takes time.

    Attributes:
        row: Who does it.
        start: Seconds after the beginning.
        seconds: How long it takes.
        phase: "plan", "dispatch", "execute", …
        fragment: That is run; -1 for other phases.
        said: What hovering shows besides times.
    """

    row: str
    start: float
    seconds: float
    phase: str
    fragment: int
    said: str


@dataclass(frozen=True, slots=True)
class Gantt:
    """All bars of a run.

    Attributes:
        bars: In no particular order.
        rows: Who does something, from top to bottom.
        seconds: From beginning to end.
        title: What it is, in words.
    """

    bars: tuple[Bar, ...]
    rows: tuple[str, ...]
    seconds: float
    title: str


def predicted(prediction: Prediction, workers: int | None = None) -> Gantt:
    """A predicted run: phases in turn, and tasks dealt out to workers, heaviest first.

    A prediction knows how long all tasks take together. How long each of them takes is
    guessed from the size of its fragment.

    Args:
        prediction: The prediction.
        workers: How many share the work; those of the prediction by default.
    """
    count = prediction.configuration.workers if workers is None else workers
    clock, bars = 0.0, []
    for phase in prediction.phases:
        if phase.name in _BEFORE and phase.seconds > 0:
            bars.append(
                Bar(
                    row=HERE,
                    start=clock,
                    seconds=phase.seconds,
                    phase=phase.name,
                    fragment=-1,
                    said="",
                )
            )
            clock += phase.seconds
    execute = prediction.phase("execute").seconds
    names = [f"worker {k}" for k in range(count)] if count > 1 else ["worker"]
    names = [_ALONE] if prediction.configuration.in_process else names
    tasks = _dealt(_guessed(prediction), execute, names)
    bars += [
        Bar(
            row=row,
            start=clock + start,
            seconds=seconds,
            phase="execute",
            fragment=fragment,
            said=said,
        )
        for row, start, seconds, fragment, said in tasks
    ]
    clock += execute
    for phase in prediction.phases:
        if phase.name in _AFTER and phase.seconds > 0:
            bars.append(
                Bar(
                    row=HERE,
                    start=clock,
                    seconds=phase.seconds,
                    phase=phase.name,
                    fragment=-1,
                    said="",
                )
            )
            clock += phase.seconds
    used = {bar.row for bar in bars}
    rows = [name for name in names if name in used or len(names) <= _MOST_IDLE]
    low, high = map(seconds_text, prediction.interval)
    title = f"<b>predicted</b>: {seconds_text(clock)} (80 % interval {low} to {high})"
    return Gantt(tuple(bars), (HERE, *rows), clock, title)


def _guessed(prediction: Prediction) -> list[tuple[int, float, str]]:
    """Per task, its fragment, its weight and what to say."""
    plan = prediction.plan
    if plan is None or not plan.fragments:
        return [(0, 1.0, "the whole circuit")]
    logs = [
        f.width + f.gate_cuts + f.wire_cuts + math.log2(f.num_blocks + 1) for f in plan.fragments
    ]
    top = max(logs)
    weights = [2.0 ** max(-20.0, bits - top) for bits in logs]
    total = sum(weights)
    found = []
    spare = max(0, min(_MOST_BARS, prediction.tasks) - len(weights))
    for fragment, weight in zip(plan.fragments, weights, strict=True):
        pieces = 1 + math.floor(spare * weight / total)
        said = f"{fragment.width} qubits, its length is an estimate"
        found += [(fragment.id, weight / pieces, said)] * pieces
    return found


def _dealt(
    tasks: list[tuple[int, float, str]], execute: float, names: list[str]
) -> list[tuple[str, float, float, int, str]]:
    """List scheduling, heaviest first; stretched so that the last one ends on time."""
    free = [(0.0, k) for k in range(len(names))]
    placed = []
    for fragment, weight, said in sorted(tasks, key=lambda task: -task[1]):
        start, worker = heapq.heappop(free)
        heapq.heappush(free, (start + weight, worker))
        placed.append((worker, start, weight, fragment, said))
    end = max(end for end, _ in free)
    if execute <= 0 or end <= 0:
        return []
    scale = execute / end
    return [(names[w], s * scale, t * scale, f, said) for w, s, t, f, said in placed]


def real(result: Any) -> Gantt:
    """A run as it was.

    Args:
        result: A `PubResult` of a `CutEstimator`, or anything with such `metadata`, also of a run
            that is not over: what is missing there is left out.
    """
    record = RunRecord.of(result, partial=True)
    spent = record.seconds
    clock, bars = 0.0, []
    for phase, seconds in (("plan", spent.plan_s), ("transpile", spent.transpile_s or 0.0)):
        if seconds > 0:
            bars.append(
                Bar(row=HERE, start=clock, seconds=seconds, phase=phase, fragment=-1, said="")
            )
            clock += seconds
    done = _worked(record.fragments, clock)
    bars += done
    last = max((bar.start + bar.seconds for bar in done), default=clock)
    clock = clock + spent.execute_s if spent.execute_s else last
    if spent.contract_s > 0:
        bars.append(
            Bar(
                row=HERE,
                start=clock,
                seconds=spent.contract_s,
                phase="contract",
                fragment=-1,
                said="",
            )
        )
        clock += spent.contract_s
    names = tuple(dict.fromkeys(bar.row for bar in sorted(done, key=lambda bar: _natural(bar.row))))
    over = record.makespan_s > 0
    total = record.makespan_s if over else clock
    title = f"<b>measured</b>: {seconds_text(total)}{'' if over else ' so far'}"
    return Gantt(tuple(bars), (HERE, *names), total, title)


def _worked(rows: Sequence[FragmentRow], begin: float) -> list[Bar]:
    """A bar per task, or per run of tasks of a fragment where there are very many.

    Without the time at which a task began, it is drawn right behind the one before it.
    """
    short = _short_names([row.worker for row in rows])
    starts = [float(getattr(row, "start", 0.0) or 0.0) for row in rows]
    known = bool(starts) and min(starts) > 0
    first = min(starts, default=0.0)
    free: dict[str, float] = {}
    bars: list[Bar] = []
    latest: dict[str, int] = {}
    for row, start in zip(rows, starts, strict=True):
        who = short[row.worker]
        at = begin + start - first if known else free.get(who, begin)
        free[who] = at + row.seconds
        before = latest.get(who)
        if len(rows) > _MOST_BARS and before is not None and bars[before].fragment == row.fragment:
            old = bars[before]
            length = at + row.seconds - old.start
            bars[before] = Bar(
                row=who,
                start=old.start,
                seconds=length,
                phase="execute",
                fragment=row.fragment,
                said="several tasks",
            )
            continue
        latest[who] = len(bars)
        said = f"{row.width} qubits, {row.variants:,} variants"
        said += f", {row.shots:,} shots" if row.shots else ""
        bars.append(
            Bar(
                row=who,
                start=at,
                seconds=row.seconds,
                phase="execute",
                fragment=row.fragment,
                said=said,
            )
        )
    return bars


def _short_names(workers: Sequence[str]) -> dict[str, str]:
    """Names without what all of them begin with."""
    names = sorted(set(workers))
    if names in ([], [""]):
        return {"": _ALONE}
    if len(names) == 1:
        return {names[0]: names[0][-18:] or _ALONE}
    pairs = zip(names[0], names[-1], strict=False)  # the first and the last differ most
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    common = "".join(letter for letter, _ in same)
    cut = max(common.rfind("-"), common.rfind("_"), common.rfind("/"), common.rfind(":")) + 1
    return {
        name: f"worker {name[cut:]}" if name[cut:].isdigit() else name[cut:][-18:] or _ALONE
        for name in names
    }


def _natural(name: str) -> tuple[int, str]:
    """Numbers in names count as numbers."""
    digits = "".join(c for c in name if c.isdigit())
    return (int(digits) if digits else 0, name)
