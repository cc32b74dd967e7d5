"""Teaches a shell to show results, tasks and sessions, and to keep up to date what it shows.

Nothing is printed here: what a thread prints appears in whichever cell is the newest.
"""

import contextlib
from typing import Any

from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.jupyter.show.live_output import LiveOutput
from pilot_kernel.jupyter.show.notice_board import NoticeBoard
from pilot_kernel.jupyter.show.overviews import SessionView, TasksView
from pilot_kernel.jupyter.show.publishing import LIVE_ATTRIBUTE, in_notebook, publisher
from pilot_kernel.jupyter.show.refresh import Refresher, cell_of, gone_cells
from pilot_kernel.jupyter.show.result_view import result_html, result_text
from pilot_kernel.jupyter.show.task_view import TaskView
from pilot_kernel.jupyter.worker.shell import FIGURE, print_figure
from pilot_kernel.sessions.session import Session
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.task_like import TaskLike

__all__ = ["register", "unregister"]

_RESULT = ("qiskit.primitives.containers.primitive_result", "PrimitiveResult")


def _name_of(kind: type) -> tuple[str, str]:
    """A class as IPython's formatters know it."""
    return kind.__module__, kind.__qualname__


_SESSION = _name_of(Session)


class _Live:
    """What one shell shows and keeps up to date."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.publisher = shell.display_pub
        self.refresher = Refresher()
        self.notices = NoticeBoard(shell)
        self._outputs: dict[type, tuple[object, LiveOutput]] = {}

    def before_cell(self, *_: Any) -> None:
        self.refresher.forget(gone_cells(self.shell))

    def after_cell(self, *_: Any) -> None:
        self.refresher.settle()

    def show_task(self, task: TaskLike) -> None:
        view = TaskView(task, publisher(), whole=True)
        view.show()
        self.refresher.keep(view, cell_of(self.shell))
        task.add_done_callback(lambda _: self.refresher.wake())

    def show_session(self, session: Any) -> None:
        self._show(SessionView(session), session)

    def show_session_view(self, view: SessionView) -> None:
        self._show(view, view.session)

    def show_tasks(self, view: TasksView) -> None:
        self._show(view, view.notebook)

    def _show(self, view: SessionView | TasksView, of: object) -> None:
        """Show the live output of `of`: the same one, however often it is shown."""
        known = self._outputs.get(type(view))
        if known is None or known[0] is not of or known[1].over:
            known = (of, LiveOutput(view.snapshot, publisher()))
            self._outputs[type(view)] = known
        output = known[1]
        output.show()
        self.refresher.keep(output, cell_of(self.shell))


def register(shell: Any) -> None:
    """Teach the shell to draw results, and to show sessions and tasks up to date."""
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type_by_name(*_RESULT, result_html)
    # So that a figure from a worker is shown even if matplotlib is not set up here. Setting it
    # up replaces this formatter.
    formatters["image/png"].for_type_by_name(*FIGURE, print_figure)
    _text_for(shell, _RESULT, result_text)
    _text_for(shell, _SESSION, lambda session: repr(SessionView(session)))
    if not in_notebook(shell):
        return
    live = _Live(shell)
    setattr(shell, LIVE_ATTRIBUTE, live)
    live.notices.put_up()
    shell.events.register("pre_run_cell", live.before_cell)
    shell.events.register("post_run_cell", live.after_cell)
    for name, show in _shown_live(live):
        shell.display_formatter.ipython_display_formatter.for_type_by_name(*name, show)


def _text_for(shell: Any, name: tuple[str, str], text: Any) -> None:
    shell.display_formatter.formatters["text/plain"].for_type_by_name(
        *name, lambda shown, printer, cycle: printer.text(text(shown))
    )


def _shown_live(live: _Live) -> list[tuple[tuple[str, str], Any]]:
    return [
        (_name_of(Task), live.show_task),
        (_name_of(CellTask), live.show_task),
        (_SESSION, live.show_session),
        (_name_of(SessionView), live.show_session_view),
        (_name_of(TasksView), live.show_tasks),
    ]


def unregister(shell: Any) -> None:
    """Undo `register`; what is shown stays as it is now."""
    formatters = shell.display_formatter.formatters
    known = [(formatters["text/html"], _RESULT), (formatters["image/png"], FIGURE)]
    known += [(formatters["text/plain"], name) for name in (_RESULT, _SESSION)]
    live: _Live | None = getattr(shell, LIVE_ATTRIBUTE, None)
    if live is not None:
        for event, heard in (
            ("pre_run_cell", live.before_cell),
            ("post_run_cell", live.after_cell),
        ):
            with contextlib.suppress(ValueError):
                shell.events.unregister(event, heard)
        live.refresher.clear()
        live.notices.take_down()
        setattr(shell, LIVE_ATTRIBUTE, None)
        shows = shell.display_formatter.ipython_display_formatter
        known += [(shows, name) for name, _ in _shown_live(live)]
    for formatter, name in known:
        formatter.pop(".".join(name), None)
