"""A session's pilots and a notebook's tasks as they stand now: asks the agent, and makes rows."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace

from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.cell.local_task import LocalTask
from pilot_kernel.jupyter.cell.notebook import Notebook
from pilot_kernel.jupyter.show.live_output import Snapshot
from pilot_kernel.jupyter.show.pilot_rows import overview
from pilot_kernel.jupyter.show.rows_html import note_html, overview_html, tasks_html
from pilot_kernel.jupyter.show.rows_text import overview_text, tasks_text
from pilot_kernel.jupyter.show.task_rows import chosen, current_stage, task_list
from pilot_kernel.sessions.session import Session
from pilot_kernel.task.notebook.broadcast_task import BroadcastTask
from pilot_kernel.task.notebook.task_like import TaskLike
from pilot_kernel.task.wire.record import TaskRecord

__all__ = ["SessionView", "TasksView"]

_CLOSED = "this session is closed, and its pilots are stopped"
_ASKED_AGAIN = 3  # times, for a task that is done and whose record is not


class SessionView:
    """A session's pilots: kept up to date in a notebook, as they stand now elsewhere.

    Args:
        session: The session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def snapshot(self) -> Snapshot:
        """The pilots now; one question to the agent, if there is one."""
        if told := self.session.waits_for:
            return Snapshot(note_html(told), told, essence=told)
        try:
            shown = overview(self.session.activity())
            if place := self.session.place:
                shown = replace(shown, summary=f"{shown.summary} · {place}")
        except (PilotError, OSError) as error:
            told = _CLOSED if self.session.closed else str(error)
            return Snapshot(note_html(told), told, essence=told, over=True)
        return Snapshot(
            overview_html(shown),
            overview_text(shown),
            essence=shown.essence(),
            detail=replace(shown, at=0.0),
        )

    def __repr__(self) -> str:
        return self.snapshot().text

    def _repr_html_(self) -> str:
        return self.snapshot().html


class TasksView:
    """The tasks of a notebook: kept up to date there, as they stand now elsewhere.

    Args:
        notebook: The notebook.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self._records: dict[str, TaskRecord] = {}
        self._asked: dict[str, int] = {}

    def snapshot(self) -> Snapshot:
        """The tasks now; one question to the agent, for those that may have changed."""
        tasks = self.notebook.tasks()
        states = [task.state for task in tasks]
        self._learn([tasks[place] for place in chosen(states)])
        shown = task_list(tasks, self._records, time.time())
        return Snapshot(tasks_html(shown), tasks_text(shown), essence=replace(shown, at=0.0))

    def _learn(self, tasks: Sequence[TaskLike]) -> None:
        """Bring the records of these tasks up to date, and forget all others."""
        stages = {stage.key: stage for stage in map(current_stage, tasks)}
        known = {key: record for key, record in self._records.items() if key in stages}
        self._asked = {key: count for key, count in self._asked.items() if key in stages}
        wanted = [key for key, stage in stages.items() if self._worth_asking(stage, known)]
        for stage in stages.values():
            if isinstance(stage, LocalTask):
                known[stage.key] = stage.record
            elif isinstance(stage, BroadcastTask) and stage.key in wanted:
                wanted.remove(stage.key)  # the agent knows its parts only
                with contextlib.suppress(PilotError, OSError):
                    known[stage.key] = stage.record
        known.update({record.key: record for record in self._ask(wanted)})
        self._records = known

    def _worth_asking(self, stage: TaskLike, known: dict[str, TaskRecord]) -> bool:
        if isinstance(stage, LocalTask):
            return False
        if not stage.done():
            return True
        self._asked[stage.key] = self._asked.get(stage.key, 0) + 1
        final = stage.key in known and known[stage.key].state.final
        return not final and self._asked[stage.key] <= _ASKED_AGAIN

    def _ask(self, keys: list[str]) -> list[TaskRecord]:
        session = self.notebook.living_session()
        if session is None or not keys:
            return []
        try:
            return session.history(keys)
        except (PilotError, OSError):  # the tasks themselves say that the agent is gone
            return []

    def __repr__(self) -> str:
        return self.snapshot().text

    def _repr_html_(self) -> str:
        return self.snapshot().html
