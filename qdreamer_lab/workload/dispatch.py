"""Getting chunks of work run: here, or as tasks of a session.

A chunk is one call of a function on a worker. Results are handed on as they arrive, so that they
can be folded and dropped, and only a few tasks per worker are under way at once. All that is asked
of a session is in `SessionLike`. This module must not know plans, observables or modes.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from qdreamer_lab.workload.pace import Pace

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

__all__ = ["Chunk", "Divisible", "FragmentRow", "Keep", "SessionLike", "run_chunks"]

_POLL_S = 0.1
"""How long a cancelled job may go unnoticed while waiting for tasks."""

_TASKS_PER_WORKER = 3
"""One runs and the others are ready when it ends; more would only wait in the agent's memory."""


class SessionLike(Protocol):
    """What this package needs of a pilot session."""

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, name: str, on: str | None = None
    ) -> Future[Any]:
        """Start `fn(*args)` somewhere. If the future has a `record`, it says where it ran."""

    def backend(self, on: str | None = None) -> Any:
        """The Qiskit backend of the QPU that `on` names; None where workers simulate."""

    def candidates(self, on: str | None = None) -> list[Any]:
        """The pilots that could run a task.

        Each says how many workers it wants (`wanted`), and what each of them may use
        (`memory_per_worker_bytes`).
        """


@dataclass(frozen=True, eq=False, slots=True)
class Chunk:
    """A task to be.

    Attributes:
        binding: which set of parameter values it belongs to.
        fragment: id in the plan.
        width: qubits.
        variants: state vectors or circuits in it.
        work: rough floating-point operations.
        function: what to call; its result has `seconds`, the wall time where it ran.
        args: its arguments.
        suffix: added to the name `fragment-{fragment}` to tell tasks apart.
        shots: shots that it takes.
    """

    binding: int
    fragment: int
    width: int
    variants: int
    work: float
    function: Callable[..., Any]
    args: tuple[Any, ...]
    suffix: str = ""
    shots: int = 0

    @property
    def name(self) -> str:
        """What its task is called."""
        return f"fragment-{self.fragment}{self.suffix}"


class Divisible(Protocol):
    """Work of which any number of variants can be taken at a time."""

    @property
    def remaining(self) -> int:
        """Variants not taken yet."""

    @property
    def work_per_variant(self) -> float:
        """Rough floating-point operations of one of them."""

    def take(self, number: int) -> Chunk:
        """The next chunk, of so many variants; 1 ≤ `number` ≤ `remaining`."""


@dataclass(frozen=True, slots=True)
class FragmentRow:
    """What became of one chunk.

    Attributes:
        binding: which set of parameter values it belongs to.
        fragment: id in the plan.
        width: qubits.
        variants: state vectors or circuits in it.
        seconds: wall time where it ran.
        worker: name of the worker, empty if it ran in this process.
        pilot: name of the pilot, empty if it ran in this process.
        shots: shots taken.
    """

    binding: int
    fragment: int
    width: int
    variants: int
    seconds: float
    worker: str
    pilot: str
    shots: int = 0


Keep = Callable[[Chunk, Any, FragmentRow], None]
"""Takes a chunk, its result, and the row about it."""


def run_chunks(
    chunks: Iterable[Chunk | Divisible],
    session: SessionLike | None,
    *,
    on: str | None = None,
    stop: threading.Event,
    keep: Keep,
    most_workers: int | None = None,
) -> None:
    """Run everything, heaviest first, and hand on every result as it arrives.

    Args:
        chunks: tasks, and work to be divided into tasks of about a third of a second.
        session: where to submit them; None runs them one by one in this process.
        on: a kind of worker or a pilot's name, as the session takes it.
        stop: set from elsewhere to give up; tasks already submitted are then cancelled.
        keep: called in this thread as `keep(chunk, result, row)`.
        most_workers: so many tasks are under way at once, and no others wait at the workers, which
            would take them up; None for all workers.

    Raises:
        CancelledError: if `stop` was set.
    """
    queue = _Queue(chunks)
    if session is None:
        _run_here(queue, stop, keep)
    else:
        _run_on(session, on, queue, stop, keep, most_workers)


class _Queue:
    """What has not been handed out yet."""

    def __init__(self, chunks: Iterable[Chunk | Divisible]) -> None:
        self._whole: list[Chunk] = []
        self._parts: list[Divisible] = []
        for item in chunks:
            if isinstance(item, Chunk):
                self._whole.append(item)
            elif item.remaining:
                self._parts.append(item)
        self._whole.sort(key=lambda chunk: -chunk.work)
        self._whole.reverse()  # the next one is last; equals keep their order
        self._pace = Pace()

    def __bool__(self) -> bool:
        return bool(self._whole or self._parts)

    def next(self, workers: int) -> Chunk:
        """The heaviest chunk, or the next one of the work of which most is left."""
        if not self._parts:
            return self._whole.pop()
        heaviest = max(self._parts, key=_left)
        if self._whole and self._whole[-1].work >= _left(heaviest):
            return self._whole.pop()
        rest = sum(map(_left, self._parts))
        each = heaviest.work_per_variant
        chunk = heaviest.take(self._pace.size(heaviest.remaining, each, rest, workers))
        if not heaviest.remaining:
            self._parts.remove(heaviest)
        return chunk

    def done(self, chunk: Chunk, result: Any) -> None:
        """Learn from a result what work costs."""
        self._pace.saw(chunk.work, result.seconds)


def _left(job: Divisible) -> float:
    return job.remaining * job.work_per_variant


def _run_here(queue: _Queue, stop: threading.Event, keep: Keep) -> None:
    """Run chunks one after another; `stop` is looked at between them."""
    while queue:
        if stop.is_set():
            raise CancelledError
        chunk = queue.next(1)
        result = chunk.function(*chunk.args)
        queue.done(chunk, result)
        keep(chunk, result, _row(chunk, result, None))


def _run_on(
    session: SessionLike,
    on: str | None,
    queue: _Queue,
    stop: threading.Event,
    keep: Keep,
    most_workers: int | None,
) -> None:
    """Submit chunks as tasks and take their results as they come; leave none behind on failure."""
    tasks: dict[Future[Any], Chunk] = {}
    try:
        while queue or tasks:
            workers = max(1, sum(pilot.wanted for pilot in session.candidates(on)))
            depth = _TASKS_PER_WORKER * workers
            if most_workers is not None and most_workers < workers:
                workers = depth = most_workers
            while queue and len(tasks) < depth:
                chunk = queue.next(workers)
                task = session.submit(chunk.function, *chunk.args, name=chunk.name, on=on)
                tasks[task] = chunk
            done, _ = wait(tasks, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            if stop.is_set():
                raise CancelledError
            for task in done:
                result, chunk = task.result(), tasks.pop(task)
                queue.done(chunk, result)
                keep(chunk, result, _row(chunk, result, getattr(task, "record", None)))
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


def _row(chunk: Chunk, result: Any, record: Any) -> FragmentRow:
    return FragmentRow(
        chunk.binding,
        chunk.fragment,
        chunk.width,
        chunk.variants,
        result.seconds,
        str(getattr(record, "worker", None) or ""),
        str(getattr(record, "pilot", None) or ""),
        chunk.shots,
    )
