"""The tables of pilots and of tasks as text, for terminals."""

from pilot_kernel.drawing.sparkline import spark_text
from pilot_kernel.drawing.state_symbols import TASK_MARKS
from pilot_kernel.drawing.text import bar, table_text
from pilot_kernel.drawing.units import clock, seconds
from pilot_kernel.jupyter.show.pilot_rows import Gauge, Overview, Row
from pilot_kernel.jupyter.show.task_rows import TaskList, TaskRow

__all__ = ["overview_text", "tasks_text"]

_CHARACTERS = 12


def overview_text(shown: Overview) -> str:
    """Pilots and their workers."""
    if not shown.rows:
        return shown.summary
    head = ("pilot", "state", "at work on", f"CPU, {shown.window}", "memory")
    table = table_text(head, [_row(row) for row in shown.rows])
    return "\n".join(line for line in (shown.summary, table, shown.queue, _as_of(shown.at)) if line)


def _row(row: Row) -> tuple[str, ...]:
    name = row.name if row.is_pilot else f"  {row.name}"
    state = f"{row.mark.symbol} {row.state}" if row.state else ""
    return name, state, row.doing, _gauge(row.cpu), row.memory.now if row.memory else ""


def _gauge(gauge: Gauge | None) -> str:
    if gauge is None:
        return ""
    each = max(1, len(gauge.shares) // _CHARACTERS)
    spans = [gauge.shares[at : at + each] for at in range(0, len(gauge.shares), each)]
    known = [[share for share in span if share is not None] for span in spans]
    return f"{spark_text([max(span) if span else None for span in known])} {gauge.now}"


def tasks_text(shown: TaskList) -> str:
    """The tasks, the newest first."""
    if not shown.rows:
        return shown.summary
    head = ("task", "state", "where", "waited", "ran", "progress", "note")
    table = table_text(head, [_task_row(row) for row in shown.rows], numeric=(3, 4))
    lines = (shown.summary, table, shown.left_out, _as_of(shown.at))
    return "\n".join(line for line in lines if line)


def _task_row(row: TaskRow) -> tuple[str, ...]:
    progress = f"{row.done}/{row.parts} {bar(row.done / row.parts, 8)}" if row.parts > 1 else ""
    return (
        row.key,
        f"{TASK_MARKS[row.state].symbol} {row.state}",
        row.where,
        seconds(row.waited_s),
        seconds(row.ran_s),
        progress.rstrip(),
        row.note,
    )


def _as_of(at: float) -> str:
    return f"as of {clock(at)}"
