"""The card of a task, kept up to date where it was shown."""

import contextlib
import secrets
import threading
import time

from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.jupyter.show.publishing import Publish
from pilot_kernel.jupyter.show.task_card import Card, card_html, card_text, inline_html, last_lines
from pilot_kernel.jupyter.worker.display_message import (
    DISPLAY,
    DisplayMessage,
    decode,
    latest,
    text_of,
)
from pilot_kernel.task.notebook.task_like import TaskLike
from pilot_kernel.task.wire.packing import reason
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["TaskView"]


class TaskView:
    """Shows a task in one cell of the notebook.

    Args:
        task: The task.
        publish: Sends the card to the front end.
        whole: Show also what it prints and, when it has ended, its result; else a status line.
    """

    def __init__(
        self,
        task: TaskLike,
        publish: Publish,
        *,
        whole: bool,
    ) -> None:
        self.task = task
        self._publish = publish
        self._whole = whole
        self._id = f"pilot-task-{secrets.token_hex(8)}"
        self._begun = task.begun
        self._record: TaskRecord | None = None
        self._asked_at: tuple[TaskState, int] | None = None
        self._shown: dict[str, str] | None = None
        self._shows_end = False
        self._unheard = False
        self._publishing = threading.Lock()

    @property
    def over(self) -> bool:
        """Whether the task has ended."""
        return self.task.done()

    def show(self) -> None:
        """Show it in the cell that runs now."""
        bundle, ended = self._bundle()
        with self._publishing:
            self._shown, self._shows_end = bundle, ended
            self._publish(bundle, self._id, False)

    def refresh(self) -> None:
        """Bring it up to date, until it has shown the end of the task."""
        if self._shows_end:
            return
        bundle, ended = self._bundle()
        with self._publishing:
            if bundle != self._shown and not self._shows_end:
                self._shown, self._unheard = bundle, True
                self._publish(bundle, self._id, True)
            self._shows_end = self._shows_end or ended

    def repeat(self) -> None:
        """Send the last update once more, unless that was done already."""
        with self._publishing:
            if self._unheard and self._shown is not None:
                self._unheard = False
                self._publish(self._shown, self._id, True)

    def _bundle(self) -> tuple[dict[str, str], bool]:
        ended = self.over
        card = self._card()
        html, text = card_html(card), card_text(card)
        if ended and self._whole:
            for shown in (*self._displayed(), *self._result()):
                html += inline_html(shown)
                text = f"{text.rstrip()}\n{text_of(shown)}"
        return {"text/html": html, "text/plain": text.rstrip()}, ended

    def _card(self) -> Card:
        task = self.task
        state = task.state
        self._ask(state)
        done, parts = task.progress
        elapsed_s = self._elapsed(state.final)
        return Card(
            name=task.name,
            state=state,
            pilot=self._record.pilot if self._record else None,
            elapsed_s=elapsed_s,
            at=self._begun + elapsed_s,
            done=done,
            parts=parts,
            deaths=task.deaths,
            shipped=task.shipped if isinstance(task, CellTask) else {},
            tail=last_lines(task.output.text()) if self._whole else "",
            note=self._note() if self._whole else "",
        )

    def _elapsed(self, final: bool) -> float:
        seen_ending = self._shown is not None
        record = self._record
        if final and not seen_ending and record is not None and record.finished:
            return float(record.finished - min(self._begun, record.queued))
        elapsed = time.time() - self._begun
        return elapsed if final else int(elapsed)

    def _ask(self, state: TaskState) -> None:
        """Ask the agent where the task runs, but only if that may have changed."""
        place_known = self._record is not None and self._record.pilot is not None
        if self._asked_at == (state, self.task.deaths) and place_known:
            return
        self._asked_at = (state, self.task.deaths)
        # If the agent is gone, or has forgotten the task, the task itself will say so.
        with contextlib.suppress(PilotError, IndexError, OSError):
            self._record = self.task.record

    def _note(self) -> str:
        if not self.task.done() or self.task.cancelled():
            return ""
        error = self.task.exception()
        return "" if error is None else reason(error).splitlines()[0]

    def _displayed(self) -> list[DisplayMessage]:
        """What the task has displayed, each in its last version."""
        chunks, _ = self.task.output.since(0)
        return latest(decode(text) for stream, text in chunks if stream == DISPLAY)

    def _result(self) -> list[DisplayMessage]:
        if self.task.cancelled() or self.task.exception() is not None:
            return []
        from IPython.core.interactiveshell import InteractiveShell

        try:
            value = self.task.result()
        except PilotError as error:  # it was released, or lost with its worker
            return [DisplayMessage({"text/plain": str(error)})]
        if value is None:
            return []
        data, metadata = InteractiveShell.instance().display_formatter.format(value)
        return [DisplayMessage(data or {"text/plain": repr(value)}, metadata)]
