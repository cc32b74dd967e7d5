"""Tracebacks of cells that failed on a worker, without the frames of the pilot itself.

A remote frame knows its file and line, but not where its function begins. IPython's own formatter
needs that, so the lines are laid out here.
"""

import contextlib
import linecache
import traceback
from types import TracebackType
from typing import Any

from pilot_kernel.errors import PilotError, TaskFailedError

__all__ = ["clean"]

_OURS = ("/pilot_kernel/", "/distributed/", "/dask/", "/concurrent/futures/")
_AROUND = 2
_MOST_FRAMES = 30
_RED, _GREEN, _CYAN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[39m"


def clean(error: BaseException, filename: str | None) -> BaseException:
    """Remove from an error's traceback all frames but those of the user's code.

    Args:
        error: What a task raised.
        filename: The cell's name in tracebacks; None if no cell ran.

    Returns:
        The same error; IPython shows the frames that are left.
    """
    if isinstance(error, TaskFailedError):  # its message holds a traceback
        error.args = (_without_ours(str(error)),)
    trace = _from_cell(error.__traceback__, filename)
    error.__traceback__ = trace
    if not isinstance(error, PilotError):
        # An exception with slots takes no hook; IPython then shows the pilot's frames too.
        with contextlib.suppress(AttributeError):
            error._render_traceback_ = _Rendering(error, trace)  # type: ignore[attr-defined]
    return error


def _without_ours(told: str) -> str:
    """A traceback that is text already, without the frames of the pilot."""
    kept = []
    ours = False
    for line in told.splitlines():
        if line.startswith('  File "'):
            ours = any(part in line.replace("\\", "/") for part in _OURS)
        elif not line.startswith("    "):
            ours = False
        if not ours:
            kept.append(line)
    return "\n".join(kept)


def _from_cell(trace: TracebackType | None, filename: str | None) -> TracebackType | None:
    at = trace
    while at is not None and at.tb_frame.f_code.co_filename != filename:
        at = at.tb_next
    if at is not None:
        return at
    while trace is not None and any(
        part in trace.tb_frame.f_code.co_filename.replace("\\", "/") for part in _OURS
    ):
        trace = trace.tb_next
    return trace


class _Rendering:
    """The hook by which IPython asks an exception for its traceback."""

    def __init__(self, error: BaseException, trace: TracebackType | None) -> None:
        self._error = error
        self._trace = trace

    def __call__(self) -> list[str]:
        name = type(self._error).__name__
        lines = [f"{_RED}{name}{_PLAIN}{'Traceback on the worker':>{max(30, 75 - len(name))}}"]
        frames = list(traceback.walk_tb(self._trace))
        if len(frames) > _MOST_FRAMES:
            half = _MOST_FRAMES // 2
            left_out = f"[... {len(frames) - 2 * half} frames ...]\n"
            shown = [_frame(*at) for at in frames[:half]]
            lines += [*shown, left_out, *[_frame(*at) for at in frames[-half:]]]
        else:
            lines += [_frame(*at) for at in frames]
        told = "".join(traceback.format_exception_only(self._error)).rstrip()
        return [*lines, told.replace(name, f"{_RED}{name}{_PLAIN}", 1)]

    def __reduce__(self) -> tuple[Any, ...]:
        return _Rendering, (self._error, None)  # an error may travel, a traceback cannot


def _frame(frame: Any, line: int) -> str:
    """A frame: its place, and the lines around it."""
    code = frame.f_code
    label = _label(code.co_filename)
    function = "" if code.co_name == "<module>" else f", in {code.co_name}"
    shown = [f"{_CYAN}{label}{_PLAIN}, line {_GREEN}{line}{_PLAIN}{function}"]
    for number in range(max(1, line - _AROUND), line + _AROUND + 1):
        text = linecache.getline(code.co_filename, number).rstrip("\n")
        if number == line and text:
            shown.append(f"{_GREEN}{'---->':>5} {number:>4}{_PLAIN} {text}")
        elif text:
            shown.append(f"{_GREEN}{number:>10}{_PLAIN} {text}")
    return "\n".join(shown) + "\n"


def _label(filename: str) -> str:
    """What IPython calls a file; a cell has a number."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    named = shell.compile.format_code_name(filename) if shell is not None else None
    return " ".join(named) if named else f"File {filename}"
