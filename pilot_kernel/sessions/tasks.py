"""The tasks of a session: those under way, the latest that have ended, and the news of them."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

from pilot_kernel.errors import AgentLostError
from pilot_kernel.resource.connection.link import Link
from pilot_kernel.task.notebook.broadcast_task import BroadcastTask
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.wire.record import TaskRecord, TaskState

__all__ = ["TaskBook"]

_KEPT_DONE = 100


class TaskBook:
    """Hands the agent's news to the tasks they are of, and holds on to tasks for the user.

    Args:
        call: Calls one of the agent's handlers by name.
        lost: Makes the error for when the agent is gone.
    """

    def __init__(self, call: Callable[..., Any], lost: Callable[[], AgentLostError]) -> None:
        self._call = call
        self._lost = lost
        self._tasks: WeakValueDictionary[str, Task] = WeakValueDictionary()
        self._early: dict[str, list[dict[str, Any]]] = {}
        self._telling = threading.RLock()  # telling a task may submit the next
        self._unfinished: dict[str, Task | BroadcastTask] = {}
        self._finished: deque[Task | BroadcastTask] = deque(maxlen=_KEPT_DONE)
        self._listing = threading.RLock()  # a task that ends moves from one to the other

    @contextlib.contextmanager
    def expecting(self, key: str) -> Iterator[None]:
        """Keep news of a task that is being submitted: a quick one may be over before that is."""
        self._early[key] = []
        try:
            yield
        finally:
            self._early.pop(key, None)

    def hear(self, event: tuple[float, dict[str, Any]]) -> None:
        """Take news from the agent or a worker: see `record.TOPIC`."""
        news = event[1]
        with self._telling:
            task = self._tasks.get(news["key"])
            if task is not None:
                task.tell(news)
            elif news["key"] in self._early:
                self._early[news["key"]].append(news)

    def follow(
        self, key: str, future: Any, *, parts: Sequence[Task] = (), part: bool = False
    ) -> Task:
        """Make the task of a Dask future; it has heard all news that came early.

        Args:
            key: The task's key.
            future: The Dask future; None if news will bring the result.
            parts: The tasks whose results this one joins.
            part: Whether it is one of those, so that its whole holds on to it.
        """
        task = Task(
            key, future, records=self.history, lost=self._lost, parts=tuple(parts), part=part
        )
        with self._telling:
            self._tasks[task.key] = task
            for news in self._early.pop(key, ()):
                task.tell(news)
        if not part:
            self.keep(task)
        return task

    def keep(self, task: Task | BroadcastTask) -> None:
        """List a task until it is one of those that finished long ago."""
        self._unfinished[task.key] = task
        task.add_done_callback(self._settle)

    def _settle(self, task: Any) -> None:
        """Keep only the latest finished tasks: their results fill the workers' memory."""
        with self._listing:
            if self._unfinished.pop(task.key, None) is not None:
                self._finished.append(task)

    def begin(self) -> None:
        """Let go of all tasks: those of an agent that ended while it was attached to."""
        with self._listing:
            self._unfinished.clear()
            self._finished.clear()

    def take_up(self, link: Link) -> None:
        """Follow the tasks that the agent has from a process that ended before."""
        from distributed import Future

        for key, pickled in link.call("task_results").items():
            self.follow(key, None).tell({"key": key, "result": pickled})
        keys = link.call("orphans")
        for key in keys:  # the futures first: the scheduler reports on them at once
            self.follow(key, Future(key, link.client))
        if keys:
            link.call("hand_over", keys=keys, client=link.client.id)
        for task in self._followed():
            task.output.extend(link.call("task_output", key=task.key))

    def _followed(self) -> list[Task]:
        """The tasks that anybody holds on to; news that come meanwhile may drop others."""
        references = self._tasks.valuerefs()  # a list made at once, unlike `values()`
        return [task for reference in references if (task := reference()) is not None]

    def listed(self) -> list[Task | BroadcastTask]:
        """The unfinished tasks and the latest finished ones, in order of submission."""
        with self._listing:
            return [*self._finished, *self._unfinished.values()]

    @property
    def unfinished(self) -> int:
        """How many tasks are unfinished."""
        return len(self._unfinished)

    def history(self, keys: list[str] | None = None) -> list[TaskRecord]:
        """When and where tasks ran: the records of `keys`, or of the last 10,000 tasks."""
        return [
            TaskRecord(
                **{**row, "state": TaskState(row["state"]), "jobs": tuple(row.get("jobs", ()))}
            )
            for row in self._call("task_records", keys=keys)
        ]
