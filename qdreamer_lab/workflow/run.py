"""One run of a motif: its tasks are submitted and timed here, and so is what the notebook does."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.task.notebook.inputs import Inputs
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions
from pilot_kernel.task.wire.packing import Packed, pack_call
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.spent import Kind, Span, Spent, TaskTimes, time_spent
from qdreamer_lab.workflow.task_times import task_times
from qdreamer_lab.workflow.timed_call import Answer, Told, answer, answer_of_ranks
from qdreamer_lab.workflow.trace import Portion, Step, Trace, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pilot_kernel.resource.pilot import PilotStatus
    from pilot_kernel.sessions.session import Session
    from pilot_kernel.task.notebook.handle import Task
    from pilot_kernel.task.wire.record import TaskRecord

__all__ = ["Run", "Traffic", "Work"]

_LOOK_S = 0.02
_TOLD_S = 10.0
"""How long the agent may take to hear of the end of a task whose result is here."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went to and fro between the tasks of a run and its notebook.

    Attributes:
        tasks: How many tasks there were.
        messages: Calls sent, results fetched, results passed from task to task.
        sent_bytes: Size of the calls.
        received_bytes: Size of the results.
        passed_bytes: Size of what went from task to task.
        rank_messages: Messages between the MPI ranks of tasks.
        rank_bytes: Their size.
    """

    tasks: int = 0
    messages: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    passed_bytes: int = 0
    rank_messages: int = 0
    rank_bytes: int = 0


@dataclass(eq=False)
class Work:
    """A task of a run. As an argument of another it stands for its result.

    Attributes:
        task: The session's task, whose result is an `Answer`.
        number: By which its answer is known.
        sent_bytes: Size of the call.
        inputs: The numbers of the tasks whose results it takes.
        cores: Cores that it asked for.
        submitted: When, unix seconds of the notebook's machine.
    """

    task: Task
    number: int
    sent_bytes: int
    inputs: tuple[int, ...]
    cores: int
    submitted: float
    _run: Run
    _answer: Answer | None = None

    def done(self) -> bool:
        """Whether it is over, well or not."""
        return self.task.done()

    def result(self) -> Any:
        """Wait for its result.

        Raises:
            Exception: Whatever the function raised.
        """
        return self._run.open(self)

    def release(self) -> None:
        """Let go of the result, here and on its worker; what its time went to is still known."""
        if self._answer is not None:
            self._answer = replace(self._answer, packed=Packed(b""))
        self.task.release()


@dataclass(eq=False)
class Run:
    """What a motif's work is given.

    Attributes:
        session: The session.
        say: Takes a line on how far it is.
        stop: Set to give up; `check` raises then.
    """

    session: Session
    say: Callable[[str], None]
    stop: threading.Event | None = None
    _works: list[Work] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)
    _ranks: list[tuple[int, int]] = field(default_factory=list)
    _spans: list[Span] = field(default_factory=list)
    _log: list[Step] = field(default_factory=list)
    _portions: dict[int, Portion] = field(default_factory=dict)
    # Several threads may submit, and each task has a number of its own.
    _submitting: threading.Lock = field(default_factory=threading.Lock)

    # ---- tasks

    def submit(
        self,
        kind: Kind,
        fn: Callable[..., Any],
        /,
        *args: Any,
        options: dict[str, Any] | None = None,
        portion: Portion | None = None,
    ) -> Work:
        """Submit a call whose time counts as work of a kind.

        Args:
            kind: What the function does. It may return a `Split` if it does several things.
            fn: What to call.
            *args: Its arguments; a `Work` among them, or in a list that is one, stands for its
                result, which goes from worker to worker.
            options: Those of `Session.submit`, such as `on` and `name`.
            portion: What it is of work that would be divided among more workers.
        """
        named = TaskOptions(**(options or {})).named(getattr(fn, "__name__", "work"))
        work = self.submit_call(kind, fn, tuple(map(_tasks, args)), {}, named)
        if portion is not None:
            self._portions[work.number] = portion
        return work

    def submit_call(
        self,
        kind: Kind,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions,
    ) -> Work:
        """As `Session.submit_call`: what other tasks' results are among the arguments are `Task`s.

        Args:
            kind: What the function does.
            fn: What to call.
            args: Its arguments.
            kwargs: Its keyword arguments.
            options: Where and how it runs.
        """
        self.check()
        with self.doing("communication"):
            inputs = Inputs()
            placed = tuple(map(inputs.place, args))
            packed = pack_call(fn, placed, {k: inputs.place(v) for k, v in kwargs.items()})
        found = inputs.found()
        with self._submitting:
            number, now = len(self._works), time.time()
            task = self.session.submit_call(answer, (packed, kind, number, *found), {}, options)
            taken = tuple(self._numbers[id(each)] for each in found if id(each) in self._numbers)
            self._numbers[id(task)] = number  # works hold on to their tasks, so ids stay theirs
            made = Work(task, number, packed.size, taken, options.cores or 1, now, self)
            self._works.append(made)
            self._log.append(Step(threading.current_thread(), number, now, heard=False))
        return made

    def circuits(self, pubs: Any, **how: Any) -> Work:
        """Run PUBs as `Session.run` does, as quantum work; its result is a `PrimitiveResult`.

        Args:
            pubs: A circuit, a PUB, or a list of them.
            **how: As for `Session.run`: shots, precision, seed, on, name and so on.

        Raises:
            PubError: A PUB cannot run as it is.
        """
        from pilot_kernel.primitive.submit import run

        task = run(_Timed(self), pubs, **how)
        return next(work for work in reversed(self._works) if work.task is task)

    def submit_ranks(
        self,
        kind: Kind,
        fn: Callable[..., Any],
        /,
        *args: Any,
        ranks: int,
        options: dict[str, Any] | None = None,
    ) -> Work:
        """Submit a call `fn(comm, *args)` to MPI ranks; what rank 0 returns is its result.

        Args:
            kind: What the function does. It may return a `Split`, and so tell what its messages
                took.
            fn: What to call in each rank.
            *args: Its arguments.
            ranks: How many ranks.
            options: Those of `Session.submit_mpi`, such as `on` and `oversubscribe`.
        """
        self.check()
        with self.doing("communication"):
            packed = pack_call(fn, args, {})
        named = {"name": getattr(fn, "__name__", "ranks"), **(options or {})}
        cores = 1 if named.get("oversubscribe") else ranks
        with self._submitting:
            number, now = len(self._works), time.time()
            call = (answer_of_ranks, packed, kind, number)
            task = self.session.submit_mpi(*call, ranks=ranks, **named)
            self._numbers[id(task)] = number
            made = Work(task, number, packed.size, (), cores, now, self)
            self._works.append(made)
            self._log.append(Step(threading.current_thread(), number, now, heard=False))
        return made

    def results(self, works: Iterable[Work]) -> list[Any]:
        """The results of all, in their order."""
        return [work.result() for work in works]

    def as_completed(self, works: Iterable[Work]) -> Iterator[Work]:
        """Each as soon as it is over."""
        left = {work.task: work for work in works}
        while left:
            self._wait(list(left))
            for task in [task for task in left if task.done()]:
                yield left.pop(task)

    def answer(self, work: Work) -> Answer:
        """The result of a task as it travels."""
        while not work.task.done():
            self._wait([work.task])
        if work._answer is None:
            work._answer = work.task.result()
            step = Step(threading.current_thread(), work.number, time.time(), heard=True)
            self._log.append(step)
        return work._answer

    def open(self, work: Work) -> Any:
        """The result of a task; the time that unpacking takes is communication."""
        answer = self.answer(work)
        with self.doing("communication"):
            return answer.open()

    def _wait(self, tasks: Sequence[Task]) -> None:
        self.check()
        concurrent.futures.wait(
            tasks,
            timeout=None if self.stop is None else _LOOK_S,
            return_when=concurrent.futures.FIRST_COMPLETED,
        )

    def check(self) -> None:
        """Give up if that was asked for.

        Raises:
            CancelledError: If it was.
        """
        if self.stop is not None and self.stop.is_set():
            raise concurrent.futures.CancelledError

    def cancel(self) -> None:
        """Cancel what is unfinished."""
        for work in self._works:
            work.task.cancel()

    # ---- the rest

    @contextmanager
    def doing(self, kind: Kind) -> Iterator[None]:
        """Count what the notebook does inside as work of a kind."""
        begun = time.time()
        try:
            yield
        finally:
            self._spans.append(Span(kind, begun, time.time()))

    def did(self, kind: Kind, begun: float, ended: float) -> None:
        """Count a stretch of time, between two moments in unix seconds, as work of a kind."""
        self._spans.append(Span(kind, begun, ended))

    def between_ranks(self, messages: int, num_bytes: int) -> None:
        """Count what the MPI ranks of a task told each other."""
        self._ranks.append((messages, num_bytes))

    def times(self, ended: float, pilots: Sequence[PilotStatus]) -> dict[int, TaskTimes]:
        """When tasks waited and ran, by their numbers.

        Args:
            ended: When the last result was here, unix seconds.
            pilots: Those that the work could go to.
        """
        return task_times(self._works, self._records(), self._told(), pilots, ended)

    def spent(
        self,
        begun: float,
        ended: float,
        pilots: Sequence[PilotStatus],
        tasks: Mapping[int, TaskTimes],
    ) -> Spent:
        """What the time between two moments went to.

        Args:
            begun: The first moment, unix seconds.
            ended: The last.
            pilots: Those that the work could go to.
            tasks: Those of `times`.
        """
        workers = {pilot.name: pilot.workers for pilot in pilots if pilot.workers}
        for task in tasks.values():
            workers.setdefault(task.pilot, 1)
        if not workers:
            raise MotifError("no worker was up; see %pilot logs")
        return time_spent(begun, ended, workers, list(tasks.values()), self._spans)

    def trace(self, begun: float, ended: float, tasks: Mapping[int, TaskTimes]) -> Trace:
        """What had to wait for what between two moments; the arguments are those of `spent`."""
        inputs = {work.number: work.inputs for work in self._works}
        return traced(self._log, tasks, inputs, self._portions, begun, ended)

    def _records(self) -> dict[str, TaskRecord]:
        """The records of all tasks, once the agent has heard that they are over."""
        keys = [work.task.key for work in self._works]
        deadline = time.monotonic() + _TOLD_S
        while keys:
            found = {record.key: record for record in self.session.history(keys)}
            if all(r.state.final for r in found.values()) or time.monotonic() > deadline:
                return found
            time.sleep(_LOOK_S)
        return {}

    def traffic(self) -> Traffic:
        """What went to and fro."""
        told = self._told()
        opened = [work.number for work in self._works if work._answer is not None]
        passed = [number for work in self._works for number in work.inputs]
        return Traffic(
            tasks=len(self._works),
            messages=len(self._works) + len(opened) + len(passed),
            sent_bytes=sum(work.sent_bytes for work in self._works),
            received_bytes=sum(told[number].size for number in opened),
            passed_bytes=sum(told[number].size for number in passed if number in told),
            rank_messages=sum(messages for messages, _ in self._ranks),
            rank_bytes=sum(num_bytes for _, num_bytes in self._ranks),
        )

    def _told(self) -> dict[int, Told]:
        """What is known of calls, by their numbers: told by their answers, or by later ones."""
        answers = [work._answer for work in self._works if work._answer is not None]
        return {number: told for one in answers for number, told in one.told.items()}


class _Timed(SessionLike):
    """A session for primitives whose tasks are those of a run, and count as quantum work."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def submit_call(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: TaskOptions = DEFAULT_OPTIONS,
    ) -> Task:
        """Submit a timed call."""
        return self._run.submit_call("quantum", fn, args, kwargs, options).task

    def candidates(self, on: str | None = None) -> list[PilotStatus]:
        """The pilots that could run a task."""
        return self._run.session.candidates(on)


def _tasks(value: Any) -> Any:
    """`value` with tasks in place of works, if it is one or a list with some."""
    if isinstance(value, Work):
        return value.task
    if isinstance(value, list) and any(isinstance(each, Work) for each in value):
        return [_tasks(each) for each in value]
    return value
