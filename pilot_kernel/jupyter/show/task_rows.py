"""The rows that are shown of tasks, made from the tasks and the agent's records of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilot_kernel.task.notebook.task_like import TaskLike
from pilot_kernel.task.wire.packing import reason
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["NO_TASKS", "TaskList", "TaskRow", "chosen", "current_stage", "task_list"]

NO_TASKS = "no tasks yet"

_ROWS = 24
_RUNNING_ROWS = 12
_NOTE = 80
_ORDER = (
    TaskState.RUNNING,
    TaskState.WAITING,
    TaskState.NEW,
    TaskState.FAILED,
    TaskState.CANCELED,
    TaskState.DONE,
)


@dataclass(frozen=True)
class TaskRow:
    """One task.

    Attributes:
        key: Its key, by which it can be asked for.
        name: What the user calls it; the key begins with it.
        state: Its state.
        where: Its worker; empty if it never had one.
        waited_s: How long it waited, or has been waiting.
        ran_s: How long it ran, or has been running.
        done: How many of its parts are done.
        parts: How many there are.
        note: What else there is to say.
    """

    key: str
    name: str
    state: TaskState
    where: str = ""
    waited_s: float | None = None
    ran_s: float | None = None
    done: int = 0
    parts: int = 1
    note: str = ""


@dataclass(frozen=True)
class TaskList:
    """The tasks at one moment.

    Attributes:
        at: When, unix seconds.
        summary: How many there are in each state.
        rows: Those to show, the newest first.
        left_out: How many others there are; empty if none.
    """

    at: float
    summary: str
    rows: tuple[TaskRow, ...]
    left_out: str


def chosen(states: Sequence[TaskState]) -> list[int]:
    """Choose which tasks to show: the newest, but running ones first.

    Args:
        states: The tasks' states, the oldest first.

    Returns:
        Their places in `states`, the newest first.
    """
    newest = range(len(states) - 1, -1, -1)
    running = [at for at in newest if states[at] is TaskState.RUNNING][:_RUNNING_ROWS]
    kept = set(running)
    kept.update([at for at in newest if at not in kept][: _ROWS - len(kept)])
    return sorted(kept, reverse=True)


def task_list(tasks: Sequence[TaskLike], records: Mapping[str, TaskRecord], at: float) -> TaskList:
    """The rows to show of tasks.

    Args:
        tasks: The tasks, the oldest first.
        records: The agent's records of them, by key; some may be missing.
        at: Now, unix seconds.
    """
    states = [task.state for task in tasks]
    places = chosen(states)
    rows = tuple(_row(tasks[place], states[place], records, at) for place in places)
    shown = set(places)
    rest = [state for place, state in enumerate(states) if place not in shown]
    return TaskList(
        at=at,
        summary=_counted(states) or NO_TASKS,
        rows=rows,
        left_out=f"not shown: {_counted(rest)}" if rest else "",
    )


def _counted(states: Sequence[TaskState]) -> str:
    counts = Counter(states)
    return " · ".join(f"{counts[state]:,} {state.lower()}" for state in _ORDER if counts[state])


def current_stage(task: TaskLike) -> TaskLike:
    """The present stage of a task; a cell's task goes through several."""
    return task.stages[-1]


def _row(task: TaskLike, state: TaskState, records: Mapping[str, TaskRecord], at: float) -> TaskRow:
    record = records.get(current_stage(task).key)
    done, parts = task.progress
    return TaskRow(
        key=task.key,
        name=task.name,
        state=state,
        where=_where(record),
        waited_s=_waited(record, at),
        ran_s=_ran(record, at),
        done=done,
        parts=parts,
        note=_note(task, state),
    )


def _where(record: TaskRecord | None) -> str:
    """Its worker; empty while it waits, as that may still change."""
    if record is None or record.started is None:
        return ""
    return record.worker or record.pilot or ""


def _note(task: TaskLike, state: TaskState) -> str:
    if state is TaskState.FAILED:
        error = task.exception(0)
        told = "" if error is None else reason(error).splitlines()[0]
        return told if len(told) <= _NOTE else f"{told[:_NOTE]}…"
    if task.deaths:
        return f"restarted after {task.deaths} lost worker{'' if task.deaths == 1 else 's'}"
    return ""


def _waited(record: TaskRecord | None, at: float) -> float | None:
    if record is None or (record.state.final and record.started is None):
        return None
    # The clocks of two machines may differ a little.
    return _shown(max(0.0, (record.started or at) - record.queued), record.started is None)


def _ran(record: TaskRecord | None, at: float) -> float | None:
    if record is None or record.started is None:
        return None
    return _shown(max(0.0, (record.finished or at) - record.started), record.finished is None)


def _shown(duration_s: float, growing: bool) -> float:
    """Whole seconds while it grows, since it is shown once a second."""
    return int(duration_s) if growing else duration_s
