"""The tables of pilots and of tasks as HTML; their small pictures repeat what words say."""

from collections.abc import Sequence
from html import escape

from pilot_kernel.drawing.html import BASE, MUTED, grid_html, mark_html, progress_html
from pilot_kernel.drawing.sparkline import spark_svg
from pilot_kernel.drawing.state_symbols import TASK_MARKS
from pilot_kernel.drawing.units import clock, seconds
from pilot_kernel.jupyter.show.pilot_rows import Gauge, Overview, Row
from pilot_kernel.jupyter.show.task_rows import TaskList, TaskRow

__all__ = ["note_html", "overview_html", "tasks_html"]


_FIGURES = "font-variant-numeric:tabular-nums"


def overview_html(shown: Overview) -> str:
    """Pilots and their workers.

    Args:
        shown: What to show.
    """
    if not shown.rows:
        return note_html(shown.summary)
    over = shown.window
    table = grid_html(
        ("pilot", "state", "at work on", f"CPU, {over}", f"memory, {over}"),
        [_row(row) for row in shown.rows],
        caption=escape(shown.summary),
        style=_FIGURES,
    )
    queue = f"<div>{escape(shown.queue)}</div>" if shown.queue else ""
    return _box("pilots", f"{table}{queue}{_as_of(shown.at)}")


def _row(row: Row) -> tuple[str, ...]:
    name = escape(row.name)
    if row.is_pilot:
        name = f"<strong style='font-weight:600'>{name}</strong>"
    else:
        name = f"<span style='padding-left:14px;white-space:nowrap'>{name}</span>"
    doing = escape(row.doing)
    if row.is_pilot:
        doing = (
            "<span style='display:inline-block;max-width:200px;line-height:1.25;font-size:12px;"
            f"{MUTED}'>{doing}</span>"
        )
    state = mark_html(row.mark, row.state) if row.state else ""
    return name, state, doing, _gauge(row.cpu), _gauge(row.memory)


def _gauge(gauge: Gauge | None) -> str:
    if gauge is None:
        return ""
    before = f" <span style='{MUTED};white-space:nowrap'>{escape(gauge.before)}</span>"
    return (
        f"<span style='font-size:12px;line-height:1.25'>{spark_svg(gauge.shares, gauge.label)}"
        f"{_whole(escape(gauge.now))}{before if gauge.before else ''}</span>"
    )


def tasks_html(shown: TaskList) -> str:
    """The tasks, the newest first.

    Args:
        shown: What to show.
    """
    if not shown.rows:
        return note_html(shown.summary)
    in_parts = any(row.parts > 1 for row in shown.rows)
    head = ("task", "state", "where", "waited", "ran", *(("progress",) if in_parts else ()))
    table = grid_html(
        head,
        [_task_row(row)[: len(head)] for row in shown.rows],
        numeric=(3, 4),
        caption=escape(shown.summary),
        style=_FIGURES,
    )
    rest = f"<div style='{MUTED}'>{escape(shown.left_out)}</div>" if shown.left_out else ""
    return _box("tasks", f"{table}{rest}{_as_of(shown.at)}")


def _task_row(row: TaskRow) -> Sequence[str]:
    name, suffix = escape(row.name), escape(row.key.removeprefix(row.name))
    note = (
        f"<span style='display:block;max-width:260px;font-size:12px;{MUTED}'>"
        f"{escape(row.note)}</span>"
        if row.note
        else ""
    )
    return (
        _whole(f"{name}<span style='{MUTED}'>{suffix}</span>") + note,
        mark_html(TASK_MARKS[row.state], row.state),
        _whole(escape(row.where)),
        _whole(seconds(row.waited_s)),
        _whole(seconds(row.ran_s)),
        progress_html(row.done, row.parts) if row.parts > 1 else "",
    )


def _whole(shown: str) -> str:
    """HTML that is not broken into lines."""
    return f"<span style='white-space:nowrap'>{shown}</span>" if shown else ""


def _box(label: str, content: str) -> str:
    """A region that scrolls, by keyboard too, if its content is too wide for the window."""
    return (
        f"<div role='region' aria-label='{label}' tabindex='0' style='{BASE};overflow-x:auto;"
        f"max-width:100%'>{content}</div>"
    )


def note_html(text: str) -> str:
    """A line where there is nothing else to show."""
    return f"<div style='{BASE}'>{escape(text)}</div>"


def _as_of(at: float) -> str:
    return f"<div style='{MUTED};font-size:12px;margin-top:2px'>as of {clock(at)}</div>"
