"""A notebook's session: its name, how it starts, and which tasks the cells have sent."""

import os
from collections import deque
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.resource.connection.job_script import describe
from pilot_kernel.sessions.current import current, session
from pilot_kernel.sessions.session import Session
from pilot_kernel.task.notebook.task_like import TaskLike

__all__ = ["Notebook", "session_name"]

_KEPT = 100
_LOOK_S = 0.1
_INHERITED = "PILOT_KERNEL_NOTEBOOK"


def session_name(shell: Any) -> str:
    """The name of a notebook's session, which stays the same when its kernel restarts.

    Jupyter's server tells a kernel which notebook it belongs to. Without a server, the kernel's
    connection file stays the same. A terminal has no name, as nobody can come back to it.
    """
    if getattr(shell, "kernel", None) is None:
        return ""
    told = os.environ.get("JPY_SESSION_NAME", "")
    if told and told != os.environ.get(_INHERITED):
        os.environ[_INHERITED] = told  # a kernel that this one starts is another notebook's
        return os.path.abspath(told)
    from ipykernel.connect import get_connection_file

    return os.path.abspath(str(get_connection_file()))


class Notebook:
    """What the magics of one shell share."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.name = session_name(shell)
        self._kept: deque[CellTask] = deque(maxlen=_KEPT)

    # ---- the session

    def session(self) -> Session:
        """The session; a new one if there is none. A lost one stays, and says so when used."""
        self._await_start()
        return current() or self.start()

    @staticmethod
    def _await_start() -> None:
        """Wait until a session that starts is open, unless that may take hours."""
        while (found := current()) is not None and not found.waits_for:
            if found.opened(_LOOK_S):
                break

    def start(self, *, with_pilot: bool = False) -> Session:
        """The open session; else a new one, or that which this notebook had before.

        Args:
            with_pilot: Whether one that is begun, or found again, has a pilot from the outset.
        """
        return self.living_session() or session(self.name, with_pilot=with_pilot)

    def start_inside(self, url: str, keys: dict[str, Any]) -> Session:
        """A session whose agent runs in a batch job; one that is open and has no work is closed.

        Args:
            url: The URL of the batch system, such as "slurm://".
            keys: Further keys of a description.

        Raises:
            PilotError: The open session's agent is in a job already, or it has unfinished tasks.
        """
        describe(url, keys)  # before anything is closed
        found = self.open_session()
        if found is not None:
            if at := found.waits_for or found.place:
                raise PilotError(f"this notebook has such a session already: {at}")
            if not all(task.done() for task in found.tasks) or found.shared:
                raise PilotError(
                    "the open session has unfinished tasks, or others are attached to it; close it "
                    "first (%pilot stop), or wait for them"
                )
            found.close()
        return session(self.name, inside=url, **keys)

    def open_session(self) -> Session | None:
        """The session if one is open and alive; starts nothing."""
        self._await_start()
        return self.living_session()

    @staticmethod
    def living_session() -> Session | None:
        """As `open_session`, without waiting for a session that starts."""
        found = current()
        return found if found is not None and not found.lost else None

    # ---- the tasks

    def keep(self, task: CellTask) -> CellTask:
        """Remember a cell's task, so that `%qresult` and `%cancel` find it."""
        self._kept.append(task)
        return task

    def tasks(self) -> list[TaskLike]:
        """The tasks of this notebook's cells and of its session, the oldest first."""
        kept = list(self._kept)
        stages = {stage.key for task in kept for stage in list(task.stages)}
        opened = self.open_session()
        others = [t for t in opened.tasks if t.key not in stages] if opened else []
        found: list[TaskLike] = [*others, *kept]
        return sorted(found, key=lambda task: task.begun)

    def whereabouts(self, variable: str) -> str:
        """Where a variable is that a cell's task was to bring (`-o`); empty if none was."""
        for task in reversed(self._kept):
            if variable in task.outputs:
                state = "ended without it" if task.done() else f"is {task.state}"
                then = "tells why" if task.done() else "waits for it"
                return (
                    f"{variable} comes from task {task.name!r}, which {state}; "
                    f"%qresult {task.key} {then}"
                )
        return ""

    def find(self, wanted: str | None) -> TaskLike:
        """A task by key, by name (the newest), or by the beginning of its key; else the newest.

        Raises:
            PilotError: There is none, or several keys begin like that.
        """
        wanted = None if wanted is None else wanted.strip("'\"")  # a name may have spaces
        tasks = self.tasks()
        if not tasks:
            raise PilotError("there are no tasks yet; %%ctask and %%qtask send some")
        if wanted is None:
            return self._kept[-1] if self._kept else tasks[-1]
        for found in (
            [task for task in tasks if wanted in _keys(task)],
            [task for task in tasks if task.name == wanted],
        ):
            if found:
                return found[-1]
        found = [task for task in tasks if any(key.startswith(wanted) for key in _keys(task))]
        if len(found) == 1:
            return found[0]
        shown = ", ".join(task.key for task in (found or tasks)[-8:])
        if found:
            raise PilotError(f"{wanted!r} is the beginning of several tasks: {shown}")
        raise PilotError(f"there is no task {wanted!r}; the latest are: {shown}")


def _keys(task: TaskLike) -> list[str]:
    return [stage.key for stage in task.stages]
