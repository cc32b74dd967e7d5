"""Captures what a cell displays on a worker, and puts it into the task's output.

IPython's `display`, and all that builds on it, asks for the process's shell. On a worker there is
none, and `display` would print a repr. So the process gets a shell that can display and nothing
else. It is made when the cell imports IPython: that import costs too much for cells without it.

Figures of matplotlib are shown as in a notebook: by `plt.show()`, and those that are still open
at the end of the cell.
"""

import builtins
import contextlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pilot_kernel.drawing.units import megabytes
from pilot_kernel.jupyter.worker.display_message import (
    DISPLAY,
    LIMIT_BYTES,
    DisplayMessage,
    encode,
    plotly_renderer,
)

__all__ = ["DisplayCapture", "capture_displays"]

_SHELL_MODULE = "IPython.core.interactiveshell"
_BACKEND = "module://matplotlib_inline.backend_inline"
_ALL_BYTES = 8 * LIMIT_BYTES  # by one cell, which may redraw a plot hundreds of times
_WIDGET = "application/vnd.jupyter.widget-view+json"  # its model would live on the worker


class DisplayCapture:
    """Takes what a cell displays.

    Args:
        emit: Appends a chunk to the task's output: `emit(stream, text)`.
    """

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        self._emit = emit
        self._left_bytes = _ALL_BYTES

    def show(self, message: DisplayMessage) -> None:
        """Display something, unless the cell has displayed too much already."""
        data = {kind: value for kind, value in message.data.items() if kind != _WIDGET}
        message = DisplayMessage(
            data, message.metadata, message.display_id, message.update, message.clear
        )
        if self._left_bytes > 0:
            text = encode(message)
            self._left_bytes -= len(text)
            self._emit(DISPLAY, text)
            if self._left_bytes <= 0:
                told = f"[{megabytes(_ALL_BYTES)} were displayed; what comes after is not shown]"
                self._emit("stderr", f"\n{told}\n")

    def show_value(self, value: Any) -> bool:
        """Display a value if it has more than a `repr`; whether it has."""
        from IPython.core.interactiveshell import InteractiveShell

        data, metadata = InteractiveShell.instance().display_formatter.format(value)
        if not set(data) - {"text/plain"}:
            return False
        self.show(DisplayMessage(data, metadata))
        return True

    def show_figures(self, value: Any = None) -> None:
        """Display the figures that are open, except `value`, and close them all."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None or not hasattr(pyplot, "get_fignums"):  # half imported, by an error
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            if figure is not value:
                self.show_value(figure)
        pyplot.close("all")


@contextlib.contextmanager
def capture_displays(
    emit: Callable[[str, str], None], namespace: dict[str, Any]
) -> Iterator[DisplayCapture]:
    """Show what is displayed in the `with` block as part of the task's output.

    Args:
        emit: Appends a chunk to the task's output: `emit(stream, text)`.
        namespace: The cell's variables.
    """
    capture = DisplayCapture(emit)
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            _environment({"MPLBACKEND": _BACKEND, "PLOTLY_RENDERER": plotly_renderer()})
        )
        stack.enter_context(_builtin("display", _display))
        stack.enter_context(_ShellInstalled(capture, namespace))
        yield capture


def _display(*shown: Any, **how: Any) -> Any:
    """`display`, which notebooks have without importing it."""
    from IPython.display import display

    return display(*shown, **how)


@contextlib.contextmanager
def _environment(wanted: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and hasattr(matplotlib, "use"):
        matplotlib.use(wanted["MPLBACKEND"])  # a cell before, or another task, had its own
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def _builtin(name: str, value: Any) -> Iterator[None]:
    """Add a builtin; functions that were sent with the cell have globals of their own."""
    if hasattr(builtins, name):
        yield
        return
    setattr(builtins, name, value)
    try:
        yield
    finally:
        delattr(builtins, name)


class _ShellInstalled:
    """Gives the process a shell that displays, now or as soon as IPython is imported.

    A process that has a real shell keeps it.
    """

    def __init__(self, capture: DisplayCapture, namespace: dict[str, Any]) -> None:
        self._capture = capture
        self._namespace = namespace
        self._finder = _Finder(self._set)

    def __enter__(self) -> None:
        module = sys.modules.get(_SHELL_MODULE)
        if module is None:
            sys.meta_path.insert(0, self._finder)
        else:
            self._set(module)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self._finder)
        module = sys.modules.get(_SHELL_MODULE)
        if module is not None and type(module.InteractiveShell._instance).__name__ == "WorkerShell":
            module.InteractiveShell._instance = None

    def _set(self, module: ModuleType) -> None:
        if module.InteractiveShell._instance is not None:
            return
        from pilot_kernel.jupyter.worker.shell import worker_shell

        module.InteractiveShell._instance = worker_shell(self._capture.show, self._namespace)


class _Finder(importlib.abc.MetaPathFinder):
    """Calls `then` with IPython's shell module right after it was imported."""

    def __init__(self, then: Callable[[ModuleType], None]) -> None:
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _SHELL_MODULE or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._then)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, then: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._then(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # get_source and the like
