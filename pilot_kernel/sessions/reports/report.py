"""A session's report: who did how much, how well workers were used, and a picture of it.

It is made from the session's event log, while the session lives or after it has ended, whatever
ended it.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import event_log
from pilot_kernel.sessions.reports.figures import (
    Figures,
    PilotFigures,
    WorkerFigures,
    figures,
)
from pilot_kernel.sessions.reports.report_view import report_html, report_text, table_text_of
from pilot_kernel.sessions.reports.timeline import TaskLine, Timeline, read_timeline

__all__ = ["Report"]

_TASK_HEAD = (
    *("task", "name", "state", "pilot", "worker", "workload", "queued", "ready", "started"),
    *("finished", "waited_s", "ran_s", "deaths", "result_bytes", "printed"),
)
_WORKER_HEAD = (
    *("worker", "pilot", "came", "up_s", "wanted_s", "busy_s", "utilisation", "under_load"),
    *("done", "failed", "lost"),
)


@dataclass(frozen=True)
class Report:
    """What happened in a session between two times; displayed, it is a table and a picture.

    Utilisation is busy worker-seconds per worker-second up, counted while at least one task that
    could run there waited or ran; a task that waits for another one could not run.

    Attributes:
        path: The event log that it was made from.
        begin: From when it tells, unix seconds.
        end: Until when it tells.
        timeline: All that the log tells.
        unreadable: How many lines of the log could not be read: one, where an agent was killed.
        whole: Whether the log went back to the beginning; that of a very long session does not.
        living: Whether the session went on when the report was made.
    """

    path: Path
    begin: float
    end: float
    timeline: Timeline = field(repr=False)
    unreadable: int = 0
    whole: bool = True
    living: bool = False

    @classmethod
    def read(cls, path: str | Path, until: float | None = None) -> Self:
        """Make a report of a log.

        Args:
            path: The log; `pilot_kernel.resource.event_log.logs()` lists those that are there.
            until: When it was, if its session goes on.

        Raises:
            PilotError: It is no event log of a session.
        """
        history = event_log.read(Path(path))
        line = read_timeline(history.events, until)
        return cls(
            path=history.path,
            begin=line.begin,
            end=line.end,
            timeline=line,
            unreadable=history.unreadable,
            whole=history.whole,
            living=until is not None,
        )

    def between(self, begin: float | None = None, end: float | None = None) -> Self:
        """The report of a part of the time, such as that of one run.

        Args:
            begin: From when, unix seconds; from the beginning by default.
            end: Until when; to the end by default.

        Raises:
            PilotError: It would end before it begins.
        """
        begin = self.timeline.begin if begin is None else max(begin, self.timeline.begin)
        end = self.timeline.end if end is None else min(end, self.timeline.end)
        if not end >= begin:
            raise PilotError(f"between({begin}, {end}): the session was not there at that time")
        return type(self)(
            self.path, begin, end, self.timeline, self.unreadable, self.whole, self.living
        )

    # ---- figures

    @cached_property
    def figures(self) -> Figures:
        """All figures: of tasks, pilots and workers."""
        return figures(self.timeline, self.begin, self.end)

    @property
    def pilots(self) -> tuple[PilotFigures, ...]:
        """The pilots, in the order in which they were added."""
        return self.figures.pilots

    @property
    def workers(self) -> tuple[WorkerFigures, ...]:
        """The workers, by pilot and number."""
        return self.figures.workers

    @property
    def tasks(self) -> tuple[TaskLine, ...]:
        """All tasks of the session, in the order in which they were taken."""
        return tuple(self.timeline.tasks.values())

    @property
    def utilisation(self) -> float | None:
        """The utilisation of all workers together, 0 to 1; None if there was nothing to do."""
        return self.figures.use.utilisation

    # ---- forms

    @property
    def table(self) -> str:
        """Pilots and workers, as text."""
        return table_text_of(self.figures)

    def csv(self, path: str | Path | None = None, *, of: str = "tasks") -> str:
        """The figures as comma-separated values, times in unix seconds.

        Args:
            path: A file to write them to, if any.
            of: "tasks" or "workers": what a row is.

        Returns:
            The same as text.

        Raises:
            PilotError: `of` is neither.
        """
        if of not in ("tasks", "workers"):
            raise PilotError(f"csv(of={of!r}): 'tasks' or 'workers'")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_TASK_HEAD if of == "tasks" else _WORKER_HEAD)
        if of == "tasks":
            writer.writerows(_task_row(task) for task in self.tasks)
        else:
            writer.writerows(_worker_row(worker) for worker in self.workers)
        if path is not None:
            Path(path).write_text(text.getvalue())
        return text.getvalue()

    def _notes(self) -> Sequence[str]:
        line = self.timeline
        notes = [f"{pilot.name}: {pilot.note}" for pilot in self.pilots if pilot.note]
        if not self.whole:
            notes.append("the log of this session grew too long: what was first in it is gone")
        if line.events_lost:
            notes.append(f"{line.events_lost:,} events are missing: a disk did not take them")
        if not self.living and line.left is None:
            notes.append("the session's agent was killed, or lives on: its log has no end")
        return notes

    def __repr__(self) -> str:
        return report_text(self.figures, self.timeline, self._notes())

    def _repr_html_(self) -> str:
        return report_html(self.figures, self.timeline, self._notes())


def _task_row(task: TaskLine) -> tuple[object, ...]:
    return (
        *(task.key, task.name, str(task.state), task.pilot, task.worker, task.workload),
        *(task.queued, task.ready, task.started, task.finished, round(task.waited_s, 4)),
        None if task.ran_s is None else round(task.ran_s, 4),
        *(task.deaths, task.result_bytes, task.printed),
    )


def _worker_row(worker: WorkerFigures) -> tuple[object, ...]:
    use = worker.use
    times = (use.up_s, use.wanted_s, use.busy_s)
    shares = (use.utilisation, use.under_load)
    return (
        *(worker.name, worker.pilot, worker.came),
        *(round(time, 4) for time in times),
        *(None if share is None else round(share, 4) for share in shares),
        *(use.done, use.failed, use.lost),
    )
