"""The wiring of what is shown: which objects become pictures, and which of those are live.

Nothing here prints: a thread's print would land in whichever cell is newest.
"""

import contextlib
from typing import Any
from weakref import WeakKeyDictionary

from pilot_kernel.drawing.html import figures_html
from pilot_kernel.drawing.results import figures, pub_bindings
from pilot_kernel.drawing.text import figures_text
from pilot_kernel.drawing.value_labels import result_labels
from pilot_kernel.jupyter.show.live_output import Board
from pilot_kernel.jupyter.show.overviews import SessionView, TasksView
from pilot_kernel.jupyter.show.refresh import Keeper, cell_of, gone_cells
from pilot_kernel.jupyter.show.task_view import TaskView
from pilot_kernel.jupyter.worker.display_message import Shown
from pilot_kernel.jupyter.worker.shell import FIGURE, print_figure
from pilot_kernel.sessions.current import current

__all__ = [
    "in_notebook",
    "publish_shown",
    "register",
    "remember_observables",
    "task_line",
    "unregister",
]

_RESULT = ("qiskit.primitives.containers.primitive_result", "PrimitiveResult")
_SESSION = ("pilot_kernel.sessions.session", "Session")
_TASKS = (
    ("pilot_kernel.task.notebook.handle", "Task"),
    ("pilot_kernel.jupyter.cell.cell_task", "CellTask"),
)
_VIEWS = "pilot_kernel.jupyter.show.overviews"

_pubs: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def in_notebook(shell: Any) -> bool:
    """Whether outputs can be changed after they were shown."""
    return getattr(shell, "kernel", None) is not None


def remember_observables(pubs: Any, result: Any) -> None:
    """Keep the PUBs, for the names of what the result is of when it is drawn."""
    _pubs[result] = pubs


def _told(result: Any) -> tuple[list[Any], list[Any]]:
    """The names of a result's values, and their parameter values, if it is known whose they are."""
    pubs = _pubs.get(result)
    session = current()
    if pubs is None and session is not None:
        pubs = next((task.about for task in session.tasks if task.holds(result)), None)
    return ([], []) if pubs is None else (result_labels(pubs), pub_bindings(pubs))


def result_html(result: Any) -> str:
    """A primitive's result as a picture."""
    drawn = figures(result, *_told(result))
    return figures_html(drawn, _undrawn(result))


def result_text(result: Any) -> str:
    """A primitive's result as text."""
    return figures_text(figures(result, *_told(result)), _undrawn(result))


def _undrawn(result: Any) -> int:
    return max(0, len(result) - 12)


def task_line(task: Any) -> TaskView:
    """A task's status line, for who keeps it up to date himself."""
    return TaskView(task, _publisher(), whole=False)


def publish_shown(shown: Shown) -> None:
    """Show in the cell that runs what another displayed on its worker."""
    from IPython.core.interactiveshell import InteractiveShell

    publisher = InteractiveShell.instance().display_pub
    if shown.clear:
        publisher.clear_output(wait=shown.clear == "wait")
        return
    transient = {"display_id": shown.display_id} if shown.display_id else {}
    publisher.publish(
        data=dict(shown.data),
        metadata=dict(shown.metadata),
        transient=transient,
        update=shown.update,
    )


def _publisher() -> Any:
    """Sends bundles by way of the front end's own channel.

    Updates come from threads, and must not end in the hands of a cell that captures its outputs.
    """
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    lasting = getattr(shell, _LIVE, None)

    def publish(bundle: dict[str, str], display_id: str, update: bool) -> None:
        to = lasting.publisher if lasting is not None and update else shell.display_pub
        to.publish(data=bundle, metadata={}, transient={"display_id": display_id}, update=update)

    return publish


_LIVE = "_pilot_kernel_live"


class _Live:
    """What is live in one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.publisher = shell.display_pub
        self.keeper = Keeper()
        self._boards: dict[type, tuple[object, Board]] = {}

    def before_cell(self, *_: Any) -> None:
        self.keeper.forget(gone_cells(self.shell))

    def after_cell(self, *_: Any) -> None:
        self.keeper.settle()

    def show_task(self, task: Any) -> None:
        view = TaskView(task, _publisher(), whole=True)
        view.show()
        self.keeper.keep(view, cell_of(self.shell))
        task.add_done_callback(lambda _: self.keeper.wake())

    def show_session(self, session: Any) -> None:
        self._show(SessionView(session), session)

    def show_session_view(self, view: SessionView) -> None:
        self._show(view, view.session)

    def show_tasks(self, view: TasksView) -> None:
        self._show(view, view.notebook)

    def _show(self, view: SessionView | TasksView, of: object) -> None:
        """Show the board of `of`; one board serves however often it is shown."""
        known = self._boards.get(type(view))
        if known is None or known[0] is not of or known[1].over:
            known = (of, Board(view.look, _publisher()))
            self._boards[type(view)] = known
        board = known[1]
        board.show()
        self.keeper.keep(board, cell_of(self.shell))


def register(shell: Any) -> None:
    """Teach the shell to draw results, and to show sessions and tasks live."""
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type_by_name(*_RESULT, result_html)
    # A figure that a worker sent shows without matplotlib having been set up here, which replaces
    # this.
    formatters["image/png"].for_type_by_name(*FIGURE, print_figure)
    _text_for(shell, _RESULT, result_text)
    _text_for(shell, _SESSION, lambda session: repr(SessionView(session)))
    if not in_notebook(shell):
        return
    live = _Live(shell)
    setattr(shell, _LIVE, live)
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
        *((name, live.show_task) for name in _TASKS),
        (_SESSION, live.show_session),
        ((_VIEWS, "SessionView"), live.show_session_view),
        ((_VIEWS, "TasksView"), live.show_tasks),
    ]


def unregister(shell: Any) -> None:
    """Undo `register`; what is live stays as it is."""
    formatters = shell.display_formatter.formatters
    known = [(formatters["text/html"], _RESULT), (formatters["image/png"], FIGURE)]
    known += [(formatters["text/plain"], name) for name in (_RESULT, _SESSION)]
    live: _Live | None = getattr(shell, _LIVE, None)
    if live is not None:
        for event, heard in (
            ("pre_run_cell", live.before_cell),
            ("post_run_cell", live.after_cell),
        ):
            with contextlib.suppress(ValueError):
                shell.events.unregister(event, heard)
        live.keeper.clear()
        setattr(shell, _LIVE, None)
        shows = shell.display_formatter.ipython_display_formatter
        known += [(shows, name) for name, _ in _shown_live(live)]
    for formatter, name in known:
        formatter.pop(".".join(name), None)
