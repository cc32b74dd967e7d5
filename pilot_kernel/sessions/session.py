"""A session: pilots are added to it, tasks are submitted to it.

This module imports nothing heavy: the engine is imported in the background, while the agent
starts.
"""

import atexit
import itertools
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from pilot_kernel.errors import AgentLostError, PilotError
from pilot_kernel.resource.activity import Activity
from pilot_kernel.resource.connection.job_script import describe, first_pilot
from pilot_kernel.resource.connection.link import Link
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.by_scheme import check_description
from pilot_kernel.resource.neighbours import MEMORY_SHARE
from pilot_kernel.resource.pilot import Pilot, PilotStatus
from pilot_kernel.sessions.batch_script import AGENT_PLUGINS
from pilot_kernel.sessions.mapping import Mapping
from pilot_kernel.sessions.packed_call import packed_call
from pilot_kernel.sessions.pilots import PilotBook
from pilot_kernel.sessions.quantum_work import QuantumWork
from pilot_kernel.sessions.spmd import Spmd
from pilot_kernel.sessions.tasks import TaskBook
from pilot_kernel.task.notebook.broadcast_task import BroadcastTask
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions
from pilot_kernel.task.notebook.shared import Shared
from pilot_kernel.task.wire.record import TOPIC, WORKERS, TaskRecord

if TYPE_CHECKING:
    from pilot_kernel.sessions.reports.logs import Logs
    from pilot_kernel.sessions.reports.report import Report

__all__ = ["Session"]

_IDLE_S = 300.0
_IDLE_UNNAMED_S = 10.0
_CLOSED = "this session is closed; pilot_kernel.session() begins a new one"


class Session(QuantumWork, Spmd, Mapping):
    """An agent with its pilots, and the tasks sent to it.

    Args:
        name: Under this name another process finds the session's agent again. A session with a
            name outlives its process; without a name it ends with the process.
        idle_timeout_s: Seconds that the agent stays without a client and without work; 300 with
            a name, 10 without.
        inside: The batch job that a new agent is to run in, "slurm://" with the keys that say
            more of it, or a description; a process of this machine by default. The job's first
            pilot, `local`, is what the job has.
        with_pilot: Whether it has a pilot, before it is asked for anything, even if no task needs
            one yet. One of a batch job does; otherwise the first task adds it, if there is none.
        **keys: Further keys of that job, as `PilotDescription` has them.

    Raises:
        DescriptionError: A key of the job, or a size, is wrong.
        AgentStartError: The batch system refused the job.
    """

    def __init__(
        self,
        name: str = "",
        *,
        idle_timeout_s: float | None = None,
        inside: PilotDescription | str | None = None,
        with_pilot: bool = False,
        **keys: Any,
    ) -> None:
        if idle_timeout_s is None:
            idle_timeout_s = _IDLE_S if name else _IDLE_UNNAMED_S
        if idle_timeout_s <= 0:
            raise PilotError(f"idle_timeout_s={idle_timeout_s}: more than zero seconds")
        self.name = name
        self.closed = False
        # A second task of the same key would be given the first one's result.
        self._stamp = secrets.token_hex(5)
        self._numbers = itertools.count()
        job = describe(inside, keys) if inside is not None or keys else None
        self._with_pilot = with_pilot or job is not None
        self._pilots = PilotBook(self._call, first_pilot(job))
        self._tasks = TaskBook(self._call, lambda: self._link.lost())
        self._link = Link(name, idle_timeout_s, AGENT_PLUGINS, self._opened, job)
        atexit.register(self._at_exit)

    def _call(self, handler: str, **arguments: Any) -> Any:
        if self.closed:
            raise AgentLostError(_CLOSED)
        return self._link.call(handler, **arguments)

    def _opened(self, link: Link) -> None:
        self._tasks.begin()
        link.client.subscribe_topic(TOPIC, self._tasks.hear)
        for topic in (WORKERS, MEMORY_SHARE):
            link.client.subscribe_topic(topic, lambda _: self._pilots.workers_changed())
        if link.found:
            self._tasks.take_up(link)
        if self._with_pilot:  # now, or whoever adds another would be before or after it by chance
            self._pilots.begin()

    # ---- pilots

    def add_pilot(self, description: PilotDescription | str | None = None, **keys: Any) -> Pilot:
        """Ask for workers. They come in the background; tasks can be submitted meanwhile.

        Args:
            description: A description, or the URL of a resource, such as "local://".
            **keys: Further keys of `PilotDescription`.

        Raises:
            DescriptionError: A key, the resource or a size is wrong.
        """
        described = PilotDescription.coerce(description, **keys)
        check_description(described)
        self._link.wait()  # here, where whoever waits is told for what
        return self._pilots.add(described)

    def job_script(self, description: PilotDescription | str | None = None, **keys: Any) -> str:
        """The batch script of the first job of a pilot, exactly as `add_pilot` would submit it.

        Nothing is submitted. If the description names an interface, the session listens there from
        now on. No secret is in a script.

        Args:
            description: A description, or the URL of a resource, such as "slurm://".
            **keys: Further keys of `PilotDescription`.

        Raises:
            DescriptionError: A key is wrong, or the pilot has no batch jobs.
        """
        described = PilotDescription.coerce(description, **keys)
        check_description(described)
        return self._pilots.script(described)

    @property
    def pilots(self) -> list[Pilot]:
        """The session's pilots."""
        return self._pilots.pilots()

    def pilot_statuses(self) -> list[PilotStatus]:
        """How every pilot stands now."""
        return self._pilots.statuses()

    def activity(self) -> Activity:
        """What the workers do now, what waits, and how busy they were in the last five minutes.

        Raises:
            AgentLostError: The session's agent is gone.
        """
        return Activity.read(self._call("pilot_activity"))

    def candidates(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task, a local one being added if there is none at all.

        Args:
            on: A kind of worker (`cpu`, `gpu`, `qpu`), a pilot's name, or None for `cpu`.

        Raises:
            PlacementError: There is none.
        """
        self._link.wait()
        return self._pilots.candidates(on)

    def pilots_for(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task, as they stand now; empty if there are none.

        Nothing is added, and the agent is only asked if workers have come or gone, or none is up.

        Args:
            on: As for `candidates`.

        Raises:
            AgentLostError: The session's agent is gone.
        """
        return self._pilots.usable_now(on)

    # ---- tasks

    def submit(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        on: str | None = None,
        name: str | None = None,
        retries: int | None = None,
        timeout_s: float | None = None,
        cores: int | None = None,
        memory_bytes: int | None = None,
        gpus: int | None = None,
        tags: Sequence[str] = (),
        priority: int = 0,
        workload: str | None = None,
        **kwargs: Any,
    ) -> Task:
        """Run `fn(*args, **kwargs)` on a worker, as soon as one that fits is idle.

        A task among the arguments stands for its result, which goes from worker to worker.

        Args:
            fn: What to call.
            *args: Its arguments.
            on: A kind of worker (`cpu`, `gpu`, `qpu`) or a pilot's name; any CPU by default.
            name: What to call the task; the function's name by default.
            retries: How many workers may die running it before it fails; 2 by default. One that
                crashes its own process is tried once more at most. An exception is never retried.
            timeout_s: Seconds that it may run; it is not begun on a worker whose job ends before.
            cores: Cores that it has at least. A worker runs one task at a time, which may use all
                that the worker has; what a worker has is up to its pilot. Where that is less, a
                task has the cores and the memory of several workers of a node, which do nothing
                meanwhile; `pilot.status.most_cores` says how many cores that can be.
            memory_bytes: Memory that its worker may use at least.
            gpus: 1 for a worker with a GPU.
            tags: Words that its worker's pilot was given, all of them.
            priority: The higher, the sooner it is begun; what runs is not interrupted.
            workload: A name for what it is a part of. Workloads share workers fairly: each has as
                much of their time as the others, whoever came first. By default all that this
                notebook or script submits is one workload.
            **kwargs: Its keyword arguments.

        Raises:
            PlacementError: `on` names nothing that exists, or no pilot has workers that large.
            ShipError: The function or an argument cannot be pickled.
            AgentLostError: The session's agent is gone.
        """
        needs = (cores, memory_bytes, gpus, tags)
        options = TaskOptions(on, name, retries, timeout_s, *needs, priority, workload)
        return self.submit_call(fn, args, kwargs, options)

    def submit_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions = DEFAULT_OPTIONS,
    ) -> Task:
        """What `submit` does, for callers with options of their own.

        Args:
            fn: What to call.
            args: Its arguments.
            kwargs: Its keyword arguments.
            options: Where and how it runs, and whether it is part of other work.
        """
        if self.closed:
            raise PilotError(_CLOSED)
        if not callable(fn):
            raise PilotError(f"submit takes a function, not {type(fn).__name__}: submit(fn, *args)")
        from pilot_kernel.task.worker.plugin import perform

        client = self._link.client
        self._pilots.candidates(options.on, options.needs)
        label = options.name or getattr(fn, "__name__", type(fn).__name__)
        key = f"{label}-{self._stamp}{next(self._numbers)}"
        with self._tasks.expecting(key):
            try:
                packed, notes = packed_call(key, fn, args, kwargs, options, self._stamp)
                future = client.post(key, perform, packed, notes)
                return self._tasks.follow(key, future, parts=options.parts, part=options.part)
            except ConnectionError:
                raise self._link.lost() from None

    def share(self, value: Any) -> Shared:
        """Send a value once that many tasks take: `submit(fn, shared, …)` instead of the value.

        It goes to the agent now, and from there to each worker that needs it, once. A task gets
        a copy of its own of the value as it is now.

        Args:
            value: Anything that can be pickled.

        Returns:
            What stands for it among the arguments of tasks, or in a list that is one. The value
            is kept until that and the tasks that take it are gone.

        Raises:
            ShipError: It cannot be pickled, or is larger than a session keeps on disk.
            AgentLostError: The session's agent is gone.
        """
        if self.closed:
            raise PilotError(_CLOSED)
        from pilot_kernel.sessions.sharing import share

        return share(self._link, value, f"{self._stamp}{next(self._numbers)}")

    @property
    def tasks(self) -> list[Task | BroadcastTask]:
        """The unfinished tasks and the latest finished ones, in order of submission."""
        if self._link.found and not self.waits_for:
            self._link.wait()  # the tasks that were taken up belong here too
        return self._tasks.listed()

    def history(self, keys: list[str] | None = None) -> list[TaskRecord]:
        """When and where tasks ran: the records of `keys`, or of the last 10,000 tasks."""
        return self._tasks.history(keys)

    # ---- what happened

    def report(self) -> "Report":
        """What pilots, workers and tasks did so far, and how well: a table and a picture.

        It is read from the session's event log, so it can be had when the agent is gone, too.
        """
        from pilot_kernel.sessions.reports.asking import report_of

        return report_of(self._link.entry, None if self.closed or self.lost else self._call)

    def logs(self, name: str | None = None) -> "Logs":
        """The log files of the agent and of all workers, also of those that are gone.

        Args:
            name: Only those of a pilot's workers, of a worker, or of the `agent`.

        Raises:
            PilotError: There are none of that name, or they went with the agent when it ended.
        """
        from pilot_kernel.sessions.reports.asking import logs_of

        return logs_of(self._link.entry, None if self.closed or self.lost else self._call, name)

    # ---- life

    @property
    def lost(self) -> bool:
        """Whether the agent is gone, or never came."""
        return self._link.broken

    @property
    def attached(self) -> bool:
        """Whether the agent was there already, rather than started for this session."""
        return self._link.found

    def opened(self, within_s: float) -> bool:
        """Wait some seconds until the agent has answered, or will not; whether it has come to that.

        Args:
            within_s: How long.
        """
        return self._link.settled(within_s)

    @property
    def place(self) -> str:
        """The batch job that the agent runs in, its node and its end; empty if it is in none."""
        job = self._link.job
        return "" if job is None or self.waits_for else job.place

    @property
    def waits_for(self) -> str:
        """What must happen before anything can run: the agent's batch job has to begin, say."""
        return self._link.note

    @property
    def shared(self) -> bool:
        """Whether other notebooks or scripts are attached to the same agent."""
        return len(self._call("people")) > 1

    @property
    def dashboard(self) -> str:
        """URL of Dask's dashboard, which the first call opens on this machine only."""
        return f"http://127.0.0.1:{self._call('dashboard')}/status"

    def close(self) -> None:
        """Cancel what is unfinished, stop all pilots, end the agent."""
        self._hang_up(leave=True)

    def detach(self) -> None:
        """Leave the agent to itself: its tasks go on, and `session(name=...)` finds it again."""
        self._hang_up(leave=False)

    def _hang_up(self, *, leave: bool) -> None:
        if self.closed:
            return
        self.closed = True
        atexit.unregister(self._at_exit)
        self._link.close(leave=leave)

    def _at_exit(self) -> None:
        self._hang_up(leave=not self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        named = f"Session {self.name}".strip()
        if self.closed or self.lost:
            return f"<{named} {'closed' if self.closed else 'lost'}>"
        place = self.waits_for or self.place
        where = f", {place}" if place else ""
        count = self._tasks.unfinished
        return f"<{named} {count} unfinished task{'' if count == 1 else 's'}{where}>"
