"""The part of an IPython shell that `display` needs; it runs nothing and has no history."""

import sys
import traceback
from collections.abc import Callable
from typing import Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.events import EventManager, available_events
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import SingletonConfigurable

from pilot_kernel.jupyter.worker.display_message import DisplayMessage

__all__ = ["FIGURE", "WorkerShell", "print_figure", "worker_shell"]

FIGURE = ("matplotlib.figure", "Figure")


class WorkerShell(InteractiveShell):  # type: ignore[misc]
    """What libraries get for IPython's shell on a worker.

    It is an `InteractiveShell` because that is what they ask for; a whole one would take a tenth
    of a second, open a database, and change what Python itself prints.
    """

    def __init__(self) -> None:
        SingletonConfigurable.__init__(self)
        self.configurables = [self]
        self.events = EventManager(self, available_events)
        self.display_formatter = DisplayFormatter(parent=self)
        self.display_formatter.formatters["image/png"].for_type_by_name(*FIGURE, print_figure)
        self.display_pub = WorkerPublisher()

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """Print an error, such as that of a representation."""
        traceback.print_exception(*(exc_tuple or sys.exc_info()))

    def run_line_magic(self, magic_name: str, line: str, *_: Any, **__: Any) -> None:
        """Say that there are no magics."""
        print(f"%{magic_name} {line}".strip() + ": a worker has no magics", file=sys.stderr)

    run_cell_magic = run_line_magic

    def enable_gui(self, gui: Any = None) -> None:
        """There is nobody who could use it."""


class WorkerPublisher(DisplayPublisher):  # type: ignore[misc]
    """Hands on what is displayed."""

    show: Callable[[DisplayMessage], None]

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Display something."""
        display_id = str((transient or {}).get("display_id") or "")
        self.show(DisplayMessage(data, metadata or {}, display_id, update))

    def clear_output(self, wait: bool = False) -> None:
        """Clear what the cell has shown."""
        self.show(DisplayMessage(clear="wait" if wait else "now"))


def print_figure(figure: Any) -> Any:
    """A figure of matplotlib as PNG; None if it is empty."""
    from IPython.core.pylabtools import print_figure

    return print_figure(figure, base64=True)


_shells: list[WorkerShell] = []


def worker_shell(show: Callable[[DisplayMessage], None], namespace: dict[str, Any]) -> WorkerShell:
    """The process's shell: one for all cells, as matplotlib and others set it up but once."""
    if not _shells:
        _shells.append(WorkerShell())
    shell = _shells[0]
    shell.display_pub.show = show
    shell.user_ns = namespace
    return shell
