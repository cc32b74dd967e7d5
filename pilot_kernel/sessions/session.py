"""What a notebook or a script holds: pilots are added to it, tasks are submitted to it.

This module imports nothing heavy: the engine is imported in the background, while the agent
starts.
"""

import atexit
import dataclasses
import itertools
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakValueDictionary

from pilot_kernel.errors import PilotError, PlacementError
from pilot_kernel.resource.activity import Activity
from pilot_kernel.resource.connection.link import Link
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind.by_scheme import check_description
from pilot_kernel.resource.pilot import Pilot, PilotStatus, read_status
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.inputs import Inputs
from pilot_kernel.task.notebook.placement import candidates, requirement
from pilot_kernel.task.wire.record import TOPIC, WORKERS, TaskRecord, TaskState

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from pilot_kernel.primitive.estimator import PilotEstimator
    from pilot_kernel.primitive.sampler import PilotSampler

__all__ = ["Session"]

_PLUGINS = ("pilot_kernel.task.ledger:Ledger", "pilot_kernel.task.worker.plugin:WorkerEdge")
_KEPT_DONE = 100
_IDLE_S = 300.0
_IDLE_UNNAMED_S = 10.0


class Session:
    """An agent with its pilots, and the tasks sent to it.

    Args:
        name: Under this name another process finds the session's agent again. A session with a
            name outlives its process; one without ends with it.
        idle_timeout_s: How long the agent stays without a client and without work; 5 minutes
            with a name, 10 seconds without.
    """

    def __init__(self, name: str = "", *, idle_timeout_s: float | None = None) -> None:
        if idle_timeout_s is None:
            idle_timeout_s = _IDLE_S if name else _IDLE_UNNAMED_S
        if idle_timeout_s <= 0:
            raise PilotError(f"idle_timeout_s={idle_timeout_s}: more than zero seconds")
        self.name = name
        self.closed = False
        self._tasks: WeakValueDictionary[str, Task] = WeakValueDictionary()
        self._early: dict[str, list[dict[str, Any]]] = {}
        self._telling = threading.RLock()  # telling a task may submit the next
        # A second task of the same key would be given the first one's result.
        self._stamp = secrets.token_hex(5)
        self._numbers = itertools.count()
        self._unfinished: dict[str, Task] = {}
        self._finished: deque[Task] = deque(maxlen=_KEPT_DONE)
        self._adding = threading.Lock()
        self._known: list[PilotStatus] = []
        self._outdated = threading.Event()  # workers came or went since `_known` was asked for
        self._link = Link(name, idle_timeout_s, _PLUGINS, self._opened)
        atexit.register(self._at_exit)

    def _opened(self, link: Link) -> None:
        client = link.client
        self._unfinished.clear()  # what an agent had that ended while it was attached to
        self._finished.clear()
        client.subscribe_topic(TOPIC, self._on_news)
        client.subscribe_topic(WORKERS, lambda _: self._outdated.set())
        if link.found:
            self._take_up_orphans(link)

    def _take_up_orphans(self, link: Link) -> None:
        from distributed import Future

        for key, pickled in link.call("task_results").items():
            self._follow(key, None).tell({"key": key, "result": pickled})
        keys = link.call("orphans")
        for key in keys:  # the futures first: the scheduler reports on them at once
            self._follow(key, Future(key, link.client))
        if keys:
            link.call("hand_over", keys=keys, client=link.client.id)
        for task in self._tasks.values():
            task.output.extend(link.call("task_output", key=task.key))

    def _on_news(self, event: tuple[float, dict[str, Any]]) -> None:
        news = event[1]
        with self._telling:
            task = self._tasks.get(news["key"])
            if task is not None:
                task.tell(news)
            elif news["key"] in self._early:
                self._early[news["key"]].append(news)

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
        with self._adding:
            return self._pilot(self._add(described))

    def _add(self, description: PilotDescription) -> str:
        keys = dataclasses.asdict(description)
        name: str = self._link.call("pilot_add", description=keys)
        self._known = self._ask_pilots()
        return name

    def _pilot(self, name: str) -> Pilot:
        return Pilot(name, self._link.call, self.pilot_statuses)

    @property
    def pilots(self) -> list[Pilot]:
        """The session's pilots."""
        return [self._pilot(status.name) for status in self.pilot_statuses()]

    def pilot_statuses(self) -> list[PilotStatus]:
        """How every pilot stands now."""
        self._outdated.clear()
        self._known = self._ask_pilots()
        return self._known

    def _ask_pilots(self) -> list[PilotStatus]:
        return [read_status(row) for row in self._link.call("pilot_list")]

    def activity(self) -> Activity:
        """What the workers do now, what waits, and how busy they were in the last five minutes.

        Raises:
            AgentLostError: The session's agent is gone.
        """
        return Activity.read(self._link.call("pilot_activity"))

    def candidates(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task, a local one being added if there is none at all.

        Args:
            on: A kind of worker (`cpu`, `gpu`, `qpu`), a pilot's name, or None for `cpu`.

        Raises:
            PlacementError: There is none.
        """
        if not self._known:
            with self._adding:
                if not self.pilot_statuses():
                    self._add(PilotDescription())
        try:
            return candidates(on, self._known)
        except PilotError:
            return candidates(on, self.pilot_statuses())  # another notebook may have added it

    def pilots_for(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task, as they stand now; empty if there are none.

        Nothing is added, and the agent is only asked if workers have come or gone, or none is up.

        Args:
            on: As for `candidates`.

        Raises:
            AgentLostError: The session's agent is gone.
        """
        found = self._usable(on)
        if self._outdated.is_set() or not any(pilot.workers for pilot in found):
            self.pilot_statuses()
            found = self._usable(on)
        return found

    def _usable(self, on: str | None) -> list[PilotStatus]:
        try:
            return candidates(on, self._known)
        except PlacementError:
            return []

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
            timeout_s: Seconds that it may run.
            **kwargs: Its keyword arguments.

        Raises:
            PlacementError: `on` names nothing that exists.
            ShipError: The function or an argument cannot be pickled.
            AgentLostError: The session's agent is gone.
        """
        return self.submit_call(
            fn, args, kwargs, on=on, name=name, retries=retries, timeout_s=timeout_s
        )

    def submit_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        on: str | None = None,
        name: str | None = None,
        retries: int | None = None,
        timeout_s: float | None = None,
        parts: tuple[Task, ...] = (),
        part: bool = False,
    ) -> Task:
        """What `submit` does, for callers with options of their own.

        Args:
            fn: What to call.
            args: Its arguments.
            kwargs: Its keyword arguments.
            on: As for `submit`.
            name: As for `submit`.
            retries: As for `submit`.
            timeout_s: As for `submit`.
            parts: The tasks whose results this one joins.
            part: It is one of those, and does not show among the session's tasks.
        """
        if self.closed:
            raise PilotError("this session is closed; pilot_kernel.session() begins a new one")
        if not callable(fn):
            raise PilotError(f"submit wants a function, not {type(fn).__name__}: submit(fn, *args)")
        if timeout_s is not None and timeout_s <= 0:
            raise PilotError(f"timeout_s={timeout_s}: more than zero seconds")
        if retries is not None and retries < 0:
            raise PilotError(f"retries={retries}: zero or more")
        from pilot_kernel.resource.agent.scheduler import DEATHS_ALLOWED
        from pilot_kernel.task.wire.packing import Call, pack_call
        from pilot_kernel.task.worker.plugin import perform

        client = self._link.client
        self.candidates(on)
        inputs = Inputs()
        packed = pack_call(
            fn,
            tuple(inputs.place(value) for value in args),
            {name: inputs.place(value) for name, value in kwargs.items()},
        )
        label = name or getattr(fn, "__name__", type(fn).__name__)
        key = f"{label}-{self._stamp}{next(self._numbers)}"
        self._early[key] = []  # a quick task may be over before `submit` returns
        crashes = 1 if retries is None else min(1, retries)
        notes: dict[str, Any] = {
            "resources": requirement(on),
            "priority": -time.time(),  # first come, first served, also across notebooks
        }
        if retries is not None:
            notes[DEATHS_ALLOWED] = retries
        call = Call(key, packed, timeout_s, crashes)
        try:
            future = client.post(key, perform, (call, *inputs.references()), notes)
            return self._follow(key, future, parts=parts, part=part)
        except ConnectionError:
            raise self._link.lost() from None
        finally:
            self._early.pop(key, None)

    def _follow(self, key: str, future: Any, **options: Any) -> Task:
        task = Task(key, future, records=self.history, lost=self._link.lost, **options)
        with self._telling:
            self._tasks[task.key] = task
            for news in self._early.pop(key, ()):
                task.tell(news)
        if options.get("part"):  # its whole holds on to it
            return task
        self._unfinished[task.key] = task
        task.add_done_callback(self._settle)
        return task

    def _settle(self, task: Any) -> None:
        """Keep only the latest finished tasks: their results fill the workers' memory."""
        if self._unfinished.pop(task.key, None) is not None:
            self._finished.append(task)

    @property
    def tasks(self) -> list[Task]:
        """The unfinished tasks and the latest finished ones, in order of submission."""
        if self._link.found:
            self._link.wait()  # the tasks that were taken up belong here too
        return [*self._finished, *self._unfinished.values()]

    def history(self, keys: list[str] | None = None) -> list[TaskRecord]:
        """When and where tasks ran: the records of `keys`, or of the last 10,000 tasks."""
        return [
            TaskRecord(**{**row, "state": TaskState(row["state"])})
            for row in self._link.call("task_records", keys=keys)
        ]

    # ---- quantum work

    def run(
        self,
        pubs: Any,
        *,
        shots: int | None = None,
        precision: float | None = None,
        on: str | None = None,
        **options: Any,
    ) -> Task:
        """Run PUBs on the pilot: with observables as an estimator does, else as a sampler does.

        Args:
            pubs: A circuit, a PUB or a list of them, all with observables or none.
            shots: Shots of a sampler PUB that names none; 1024 by default.
            precision: Precision of an estimator PUB that names none; exact by default, and 1/64
                on a QPU.
            on: A kind of worker or a pilot's name.
            **options: As `submit` takes them: name, retries, timeout_s; seed; and, for a QPU,
                optimization_level of the transpilation (0 to 3; 2 by default).

        Returns:
            A task whose result is a Qiskit `PrimitiveResult`.

        Raises:
            PubError: A PUB cannot run as it is.
            PlacementError: `on` names nothing that exists, or several QPUs.
        """
        from pilot_kernel.primitive.submit import run

        return run(self, pubs, shots=shots, precision=precision, on=on, **options)

    def backend(self, on: str | None = "qpu") -> "BackendV2 | None":
        """The Qiskit backend of a QPU, to transpile for it; None where workers simulate.

        Args:
            on: A kind of worker or a pilot's name.

        Raises:
            PlacementError: `on` names nothing that exists, or several QPUs.
        """
        from pilot_kernel.primitive.device.backend import backend_of

        return backend_of(self.candidates(on))

    def sampler(self, *, on: str | None = None, **options: Any) -> "PilotSampler":
        """A Qiskit sampler (`BaseSamplerV2`) that runs on the pilot; see `PilotSampler`."""
        from pilot_kernel.primitive.sampler import PilotSampler

        return PilotSampler(self, on=on, **options)

    def estimator(self, *, on: str | None = None, **options: Any) -> "PilotEstimator":
        """A Qiskit estimator (`BaseEstimatorV2`) that runs on the pilot; see `PilotEstimator`."""
        from pilot_kernel.primitive.estimator import PilotEstimator

        return PilotEstimator(self, on=on, **options)

    # ---- life

    @property
    def lost(self) -> bool:
        """Whether the agent is gone, or never came."""
        return self._link.broken

    @property
    def attached(self) -> bool:
        """Whether the agent was there already, rather than started for this session."""
        return self._link.found

    @property
    def shared(self) -> bool:
        """Whether other notebooks or scripts are attached to the same agent."""
        return len(self._link.call("people")) > 1

    @property
    def dashboard(self) -> str:
        """URL of Dask's dashboard, which the first call opens on this machine only."""
        return f"http://127.0.0.1:{self._link.call('dashboard')}/status"

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
        if self.closed or self.lost:
            return f"<Session {self.name} {'closed' if self.closed else 'lost'}>"
        return f"<Session {self.name} {len(self._unfinished)} unfinished tasks>"
