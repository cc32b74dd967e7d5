"""The wiring of what is shown: display handles, and how rich objects become pictures.

Nothing here prints: a thread's print would land in whichever cell is newest.
"""

import contextlib
import threading
import time
from typing import Any
from weakref import WeakKeyDictionary

from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.card import Card, card_html, card_text, last_lines
from pilot_kernel.jupyter.figures import figures, observable_labels
from pilot_kernel.jupyter.html import figures_html
from pilot_kernel.jupyter.text import figures_text

__all__ = [
    "LiveView",
    "in_notebook",
    "register",
    "remember_observables",
    "settle_views",
    "unregister",
]

_PERIOD_S = 0.2
_ASK_EVERY_S = 1.0
_RESULT = ("qiskit.primitives.containers.primitive_result", "PrimitiveResult")
_TASKS = (("pilot_kernel.task.handle", "Task"), ("pilot_kernel.jupyter.celltask", "CellTask"))

_following: list["LiveView"] = []
_labels: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()


def in_notebook(shell: Any) -> bool:
    """Whether outputs can be changed after they were shown."""
    return getattr(shell, "kernel", None) is not None


def remember_observables(pubs: Any, result: Any) -> None:
    """Keep the observables' names for when the result is drawn."""
    _labels[result] = observable_labels(pubs)


def result_html(result: Any) -> str:
    """A primitive's result as a picture."""
    drawn = figures(result, _labels.get(result, ()))
    return figures_html(drawn, _undrawn(result))


def result_text(result: Any) -> str:
    """A primitive's result as text."""
    return figures_text(figures(result, _labels.get(result, ())), _undrawn(result))


def _undrawn(result: Any) -> int:
    return max(0, len(result) - 12)


class LiveView:
    """Shows a task in one place of the notebook and keeps that place up to date.

    Args:
        task: The task.
        whole: Show what it prints and, in the end, its result too; else the status line only.
    """

    def __init__(self, task: Any, *, whole: bool) -> None:
        self._task = task
        self._whole = whole
        self._begun: float = getattr(task, "begun", time.time())
        self._handle: Any = None
        self._record: Any = None
        self._asked = -_ASK_EVERY_S
        self._shown: dict[str, str] = {}
        self._publishing = threading.Lock()

    def show(self) -> None:
        """Show it in the cell that runs now."""
        from IPython.display import display

        self._shown = self._bundle()
        self._handle = display(self._shown, raw=True, display_id=True)

    def refresh(self, *, anyway: bool = False) -> None:
        """Bring it up to date; `anyway` repeats what is shown already."""
        with self._publishing:
            bundle = self._bundle()
            if self._handle is not None and (anyway or bundle != self._shown):
                self._shown = bundle
                self._handle.update(bundle, raw=True)

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        done: bool = self._task.done()
        return done

    def follow(self) -> None:
        """Show it, and keep it up to date from a thread until the task has ended."""
        self.show()
        _following.append(self)
        threading.Thread(target=self._keep, name="pilot-view", daemon=True).start()

    def _keep(self) -> None:
        ended = threading.Event()
        self._task.add_done_callback(lambda _: ended.set())
        while not ended.wait(_PERIOD_S):
            self.refresh()
        self.refresh()

    def _bundle(self) -> dict[str, str]:
        ended = self._task.done()
        card = self._card()
        html, text = card_html(card), card_text(card)
        if ended and self._whole and not card.note:
            shown = self._result()
            html, text = html + shown.get("text/html", ""), f"{text}\n{shown['text/plain']}"
        return {"text/html": html, "text/plain": text.rstrip()}

    def _card(self) -> Card:
        task = self._task
        state = task.state
        self._ask(now=state.final)
        done, parts = task.progress
        return Card(
            name=task.name,
            state=state,
            pilot=self._record.pilot if self._record else None,
            elapsed_s=self._elapsed(state.final),
            done=done,
            parts=parts,
            deaths=task.deaths,
            shipped=getattr(task, "shipped", None),
            tail=last_lines(task.output.text()) if self._whole else "",
            note=self._note() if self._whole else "",
        )

    def _elapsed(self, final: bool) -> float:
        seen_ending = self._handle is not None
        if final and not seen_ending and self._record is not None and self._record.finished:
            return float(self._record.finished - min(self._begun, self._record.queued))
        elapsed = time.time() - self._begun
        return elapsed if final or elapsed < 3 else float(int(elapsed))

    def _ask(self, *, now: bool) -> None:
        """Ask the agent where it runs, but not at every refresh."""
        if not now and time.monotonic() - self._asked < _ASK_EVERY_S:
            return
        self._asked = time.monotonic()
        # If the agent is gone, or has forgotten the task, the task itself will say so.
        with contextlib.suppress(PilotError, IndexError, OSError):
            self._record = self._task.record

    def _note(self) -> str:
        if not self._task.done() or self._task.cancelled():
            return ""
        error = self._task.exception()
        return "" if error is None else f"{type(error).__name__}: {error}".splitlines()[0]

    def _result(self) -> dict[str, str]:
        from IPython.core.interactiveshell import InteractiveShell

        value = self._task.result()
        if value is None or not self._whole:
            return {"text/plain": ""}
        formatter = InteractiveShell.instance().display_formatter
        bundle, _ = formatter.format(value, include={"text/plain", "text/html"})
        shown = {kind: str(bundle[kind]) for kind in ("text/plain", "text/html") if kind in bundle}
        shown.setdefault("text/plain", repr(value))
        if "text/html" not in shown:
            from html import escape

            shown["text/html"] = f"<pre style='margin:4px 0'>{escape(shown['text/plain'])}</pre>"
        return shown


def settle_views(*_: Any) -> None:
    """Show, within the cell that is ending, what has ended meanwhile.

    What runs notebooks without a browser listens only while a cell runs, so an update that comes
    from a thread between two cells is lost to it.
    """
    for view in [view for view in _following if view.ended]:
        _following.remove(view)
        view.refresh(anyway=True)


def register(shell: Any) -> None:
    """Teach the shell to draw results and to show tasks live."""
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type_by_name(*_RESULT, result_html)
    formatters["text/plain"].for_type_by_name(
        *_RESULT, lambda result, printer, cycle: printer.text(result_text(result))
    )
    if in_notebook(shell):
        shell.events.register("post_run_cell", settle_views)
        for name in _TASKS:
            shell.display_formatter.ipython_display_formatter.for_type_by_name(*name, _show_task)


def unregister(shell: Any) -> None:
    """Undo `register`."""
    with contextlib.suppress(ValueError):
        shell.events.unregister("post_run_cell", settle_views)
    formatters = shell.display_formatter.formatters
    live = shell.display_formatter.ipython_display_formatter
    for formatter, name in (
        (formatters["text/html"], _RESULT),
        (formatters["text/plain"], _RESULT),
        *((live, name) for name in _TASKS),
    ):
        formatter.pop(".".join(name), None)


def _show_task(task: Any) -> None:
    LiveView(task, whole=True).follow()
