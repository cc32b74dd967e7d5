"""A report as text and as HTML: a line of figures, a table of pilots and workers, a picture."""

from collections.abc import Sequence
from html import escape

from pilot_kernel.drawing.html import BASE, MUTED, grid_html
from pilot_kernel.drawing.lanes import Bar, Lane, Lanes, lanes_text
from pilot_kernel.drawing.lanes_svg import lanes_svg
from pilot_kernel.drawing.text import table_text
from pilot_kernel.drawing.units import clock, megabytes, seconds
from pilot_kernel.sessions.reports.figures import Figures, PilotFigures, WorkerFigures
from pilot_kernel.sessions.reports.intervals import clipped, union
from pilot_kernel.sessions.reports.timeline import Attempt, Timeline
from pilot_kernel.sessions.reports.usage import Use
from pilot_kernel.task.wire.record import TaskState, task_name

__all__ = ["report_html", "report_text", "table_html_of", "table_text_of"]

MEANING = (
    "utilisation: busy worker-seconds per worker-second up, while a task that could run there "
    "waited or ran; under load: while one waited"
)
"""What the two figures are, in a line."""

_MOST_ROWS = 64
_HEAD = (
    *("pilot", "up", "busy", "utilisation", "under load"),
    *("done", "failed", "lost", "waited", "ran"),
)
_NUMERIC = tuple(range(1, len(_HEAD)))
_BAD = (TaskState.FAILED, TaskState.WAITING)


def report_text(figures: Figures, line: Timeline, notes: Sequence[str]) -> str:
    """All of a report as text.

    Args:
        figures: Its figures.
        line: What happened.
        notes: What else is to be said, a line each.
    """
    picture = _lanes(figures, line)
    parts = (
        _summary(figures),
        table_text_of(figures),
        lanes_text(picture) if picture.lanes else "",
        *notes,
        MEANING,
    )
    return "\n".join(part for part in parts if part)


def report_html(figures: Figures, line: Timeline, notes: Sequence[str]) -> str:
    """All of a report as HTML; arguments are as for `report_text`."""
    picture = _lanes(figures, line)
    small = "".join(
        f"<div style='{MUTED};font-size:12px'>{escape(note)}</div>" for note in (*notes, MEANING)
    )
    drawn = lanes_svg(picture) if picture.lanes else ""
    return (
        f"<div role='region' aria-label='report' tabindex='0' style='{BASE};overflow-x:auto;"
        f"max-width:100%'>{table_html_of(figures)}{drawn}{small}</div>"
    )


def table_text_of(figures: Figures) -> str:
    """The table of pilots and workers as text."""
    rows = [("" if top else "  ") + row[0] for top, row in _rows(figures)]
    cells = [(name, *row[1:]) for name, (_, row) in zip(rows, _rows(figures), strict=True)]
    return table_text(_HEAD, cells, _NUMERIC) if cells else ""


def table_html_of(figures: Figures) -> str:
    """The table of pilots and workers as HTML."""
    rows = []
    for top, row in _rows(figures):
        name, *rest = (escape(cell) for cell in row)
        name = (
            f"<strong style='font-weight:600'>{name}</strong>"
            if top
            else f"<span style='padding-left:14px;white-space:nowrap'>{name}</span>"
        )
        rows.append((name, *(f"<span style='white-space:nowrap'>{cell}</span>" for cell in rest)))
    return grid_html(
        _HEAD,
        rows,
        _NUMERIC,
        caption=escape(_summary(figures)),
        style="font-variant-numeric:tabular-nums",
    )


def _rows(figures: Figures) -> list[tuple[bool, tuple[str, ...]]]:
    """The rows, and whether each is a pilot rather than one of its workers."""
    rows: list[tuple[bool, tuple[str, ...]]] = []
    shown = figures.workers[:_MOST_ROWS]
    for pilot in figures.pilots:
        waited, ran = (seconds(spread.median) for spread in (pilot.waited, pilot.ran))
        rows.append((True, (pilot.name, *_use_cells(pilot.use), waited, ran)))
        mine = [worker for worker in shown if worker.pilot == pilot.name]
        rows += [(False, (worker.name, *_use_cells(worker.use), "", "")) for worker in mine]
    others = len(figures.workers) - len(shown)
    if others:
        rows.append((False, (f"and {others:,} more", *[""] * (len(_HEAD) - 1))))
    return rows


def _use_cells(use: Use) -> tuple[str, ...]:
    counts = (use.done, use.failed, use.lost)
    return (
        seconds(use.up_s),
        seconds(use.busy_s),
        share(use.utilisation),
        share(use.under_load),
        *(f"{count:,}" for count in counts),
    )


def share(value: float | None) -> str:
    """A share in percent; a dash if there is none."""
    return "-" if value is None else f"{100 * value:.0f} %"


def _summary(figures: Figures) -> str:
    states = [f"{count:,} {state.lower()}" for state, count in sorted(figures.states.items())]
    counted = f"{figures.tasks:,} task{'' if figures.tasks == 1 else 's'}"
    parts = [
        f"{seconds(figures.end - figures.begin)} from {clock(figures.begin)}",
        f"{counted}: {', '.join(states)}" if states else "no tasks",
    ]
    if figures.use.utilisation is not None:
        parts.append(f"utilisation {share(figures.use.utilisation)}")
    if figures.waited.median is not None:
        longest = seconds(figures.waited.most)
        parts.append(f"waited {seconds(figures.waited.median)} (median), at most {longest}")
    if figures.result_bytes:
        parts.append(f"{megabytes(figures.result_bytes)} of results")
    if figures.deaths:
        parts.append(f"{figures.deaths:,} death{'' if figures.deaths == 1 else 's'}")
    return " · ".join(parts)


# ---- the picture


def _lanes(figures: Figures, line: Timeline) -> Lanes:
    shown = figures.workers[:_MOST_ROWS]
    pilots = {pilot.name: pilot for pilot in figures.pilots}
    waits = [
        (max(begin, figures.begin) - figures.begin, min(end, figures.end) - figures.begin)
        for task in line.tasks.values()
        for begin, end in task.waits
    ]
    return Lanes(
        duration_s=figures.end - figures.begin,
        lanes=tuple(_lane(figures, line, worker, pilots) for worker in shown),
        left_out=len(figures.workers) - len(shown),
        waiting=tuple(wait for wait in waits if wait[1] > wait[0]),
        label=f"{len(figures.workers):,} workers over time: {_summary(figures)}",
    )


def _lane(
    figures: Figures, line: Timeline, worker: WorkerFigures, pilots: dict[str, PilotFigures]
) -> Lane:
    def at(time: float) -> float:
        return min(max(time, figures.begin), figures.end) - figures.begin

    pilot = pilots.get(worker.pilot or "")
    known = line.workers[worker.name]
    up = clipped(union(known.up), figures.begin, figures.end)
    inside = [a for a in known.attempts if a.begin < figures.end and a.end > figures.begin]
    coming = None
    if pilot is not None and pilot.added < figures.end and worker.came is not None:
        coming = (at(pilot.added), at(worker.came))
    return Lane(
        name=worker.name,
        group=worker.pilot or "",
        coming=coming,
        up=tuple((at(begin), at(end)) for begin, end in up),
        bars=tuple(
            Bar(at(a.begin), at(a.end), _label(a), a.outcome in _BAD)
            for a in sorted(inside, key=lambda a: a.begin)
        ),
        share=share(worker.use.utilisation),
    )


def _label(attempt: Attempt) -> str:
    how = "lost its worker" if attempt.outcome is TaskState.WAITING else attempt.outcome.lower()
    took = seconds(attempt.end - attempt.begin)
    return f"{task_name(attempt.task)} on {attempt.worker}: {took}, {how}"
