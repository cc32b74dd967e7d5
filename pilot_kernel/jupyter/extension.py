"""What `%load_ext pilot_kernel` does: adds magics and pictures, starts a session."""

import contextlib
import os
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.cell.notebook import Notebook
from pilot_kernel.jupyter.magics import completion
from pilot_kernel.jupyter.magics.cell_magics import CellMagics
from pilot_kernel.jupyter.magics.line_magics import PilotMagics
from pilot_kernel.jupyter.show import formatters
from pilot_kernel.jupyter.show.publishing import in_notebook
from pilot_kernel.jupyter.worker.display_message import plotly_renderer, under_voila
from pilot_kernel.resource import registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot_kernel.sessions.session import Session

__all__ = ["load", "unload"]

_ATTRIBUTE = "_pilot_kernel"
_AUTOSTART = "PILOT_KERNEL_AUTOSTART"


def load(shell: Any) -> None:
    """Register the magics; inside a kernel, start the session in the background."""
    if getattr(shell, _ATTRIBUTE, None) is not None:
        return
    notebook = Notebook(shell)
    extension = _Extension(shell, notebook)
    setattr(shell, _ATTRIBUTE, extension)
    typed: dict[str, Any] = {}
    for magics in (PilotMagics(shell, notebook), CellMagics(shell, notebook)):
        shell.register_magics(magics)
        typed |= _typed(magics)
    extension.matcher = completion.register(shell, notebook, typed)
    formatters.register(shell)
    shell.events.register("post_run_cell", extension.after_cell)
    if in_notebook(shell):
        if under_voila():
            os.environ.setdefault("PLOTLY_RENDERER", plotly_renderer())
        extension.begin()


def unload(shell: Any) -> None:
    """Remove what `load` added; the session stays open."""
    extension = getattr(shell, _ATTRIBUTE, None)
    if extension is None:
        return
    for kind, names in (("line", PilotMagics.magics["line"]), ("cell", CellMagics.magics["cell"])):
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    completion.unregister(shell, extension.matcher)
    formatters.unregister(shell)
    shell.events.unregister("post_run_cell", extension.after_cell)
    extension.end()
    setattr(shell, _ATTRIBUTE, None)


def _typed(magics: Any) -> dict[str, Any]:
    """The magics that take arguments, by what is typed."""
    named = {f"%{name}": name for name in magics.magics["line"]}
    named |= {f"%%{name}": name for name in magics.magics["cell"]}
    found = {typed: getattr(magics, name) for typed, name in named.items()}
    return {typed: magic for typed, magic in found.items() if hasattr(magic, "parser")}


def _close_if_idle(session: "Session") -> None:
    with contextlib.suppress(PilotError):  # the agent was gone already
        # What still waits in the queue can do nothing, for this notebook or for others.
        queued = bool(session.waits_for)
        if queued or (not session.shared and all(task.done() for task in session.tasks)):
            session.close()


class _Extension:
    """What is done while the extension is loaded, and when the kernel ends."""

    def __init__(self, shell: Any, notebook: Notebook) -> None:
        self._shell = shell
        self._notebook = notebook
        self._kernel: Any = getattr(shell, "kernel", None)
        self._shut_down: Callable[[bool], Any] | None = None
        self.matcher: Any = None

    def after_cell(self, result: Any) -> None:
        """Tell where a variable is that a cell read before its task brought it."""
        error = getattr(result, "error_in_exec", None)
        if isinstance(error, NameError) and (told := self._notebook.whereabouts(error.name or "")):
            print(told)

    def begin(self) -> None:
        """Start the session and watch for the kernel's end.

        With PILOT_KERNEL_AUTOSTART=0 in the environment, none is started that is not there already:
        for login nodes where agents are not welcome.
        """
        if os.environ.get(_AUTOSTART) != "0" or registry.find(self._notebook.name):
            session = self._notebook.start(with_pilot=True)
            if session.attached:
                self._shell.events.register("post_run_cell", self._say_attached)
        self._shut_down = self._kernel.do_shutdown
        self._kernel.do_shutdown = self._on_shutdown

    def end(self) -> None:
        """Undo `begin`."""
        self._forget_say()
        if self._shut_down is not None:
            self._kernel.do_shutdown = self._shut_down
            self._shut_down = None

    def _on_shutdown(self, restart: bool) -> Any:
        """Close an idle session when the kernel ends for good; after a restart it is found again.

        `atexit` would not do: a busy kernel is killed before it runs.
        """
        session = self._notebook.living_session()
        if not restart and session is not None:
            _close_if_idle(session)  # at once: threads can do little in an interpreter that ends
        assert self._shut_down is not None
        return self._shut_down(restart)

    def _say_attached(self, *_: Any) -> None:
        self._forget_say()
        session = self._notebook.open_session()
        if session is None:
            return
        if session.waits_for:
            print(f"attached to this notebook's session; {session.waits_for}")
            return
        pilots, tasks = session.pilot_statuses(), session.tasks
        print(
            f"attached to this notebook's agent: {len(pilots)} pilot(s), {len(tasks)} task(s) of "
            "the kernel before (%tasks, %qresult)"
        )

    def _forget_say(self) -> None:
        with contextlib.suppress(ValueError):  # it has been said, or there was nothing to say
            self._shell.events.unregister("post_run_cell", self._say_attached)
