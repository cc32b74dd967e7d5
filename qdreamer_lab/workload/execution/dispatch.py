"""Getting chunks of work run: here, or as tasks of a session.

A chunk is one call of a function on a worker. Results are handed on as they arrive, so that they
can be folded and dropped, and only a few tasks per worker are under way at once.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from typing import TYPE_CHECKING, Any

from qdreamer_lab.workload.execution.chunk import Chunk, FragmentRow
from qdreamer_lab.workload.execution.decisions import Backlog
from qdreamer_lab.workload.execution.first_runs import names_of, ran
from qdreamer_lab.workload.execution.pace import TASKS_PER_WORKER, Pace
from qdreamer_lab.workload.execution.watch import Watch
from qdreamer_lab.workload.execution.wide_tasks import cores_for, nodes_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable
    from concurrent.futures import Future

    from qdreamer_lab.workload.execution.chunk import Divisible, Keep
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["divided", "run_chunks"]

_POLL_S = 0.1
"""How long a cancelled job may go unnoticed while waiting for tasks."""


def run_chunks(
    chunks: Iterable[Chunk | Divisible],
    session: SessionLike | None,
    *,
    on: str | None = None,
    stop: threading.Event,
    keep: Keep,
    pace: Pace | None = None,
    watch: Watch | None = None,
    most_workers: int | None = None,
) -> None:
    """Run everything, heaviest first, and hand on every result as it arrives.

    Args:
        chunks: Tasks, and work to be divided into tasks of about a third of a second.
        session: Where to submit them; None runs them one by one in this process.
        on: A kind of worker or a pilot's name, as the session takes it.
        stop: Set from elsewhere to give up; tasks already submitted are then cancelled.
        keep: Called in this thread as `keep(chunk, result, row)`.
        pace: What is known from earlier work of the same kind, and learns more.
        watch: Follows the workers of the run that this is a part of.
        most_workers: So many tasks are under way at once, and no others wait at the workers, which
            would take them up; None for all workers.

    Raises:
        CancelledError: If `stop` was set.
        WorkersLostError: If no worker is left, and none comes.
        PlanDropped: If the adviser of `watch` gives up the plan.
    """
    queue = _Queue(chunks, Pace() if pace is None else pace)
    if session is None:
        _run_here(queue, stop, keep)
        ran(None, ())
    else:
        followed = Watch() if watch is None else watch
        _Tasks(session, on, queue, followed, most_workers).run(stop, keep)
        ran(session, names_of(session.pilots_for(on)))


def divided(chunks: Iterable[Chunk | Divisible], workers: int, pace: Pace) -> list[Chunk]:
    """The tasks that `run_chunks` makes for so many workers, if it learns nothing on the way."""
    queue, found = _Queue(chunks, pace), []
    while queue:
        found.append(queue.next(workers))
    return found


class _Queue:
    """What has not been handed out yet."""

    def __init__(self, chunks: Iterable[Chunk | Divisible], pace: Pace) -> None:
        self._whole: list[Chunk] = []
        self._parts: list[Divisible] = []
        for item in chunks:
            if isinstance(item, Chunk):
                self._whole.append(item)
            elif item.remaining:
                self._parts.append(item)
        self._whole.sort(key=lambda chunk: -chunk.work)
        self._whole.reverse()  # the next one is last; equals keep their order
        self._pace = pace

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

    def left(self) -> tuple[tuple[int, float], ...]:
        """Items that have not been handed out, and the work of each."""
        whole = tuple((1, chunk.work) for chunk in self._whole)
        return whole + tuple((part.remaining, part.work_per_variant) for part in self._parts)

    @property
    def seconds_per_work(self) -> float:
        """What a unit of work takes, as far as is known."""
        return self._pace.seconds_per_work

    def done(self, chunk: Chunk, seconds: float) -> None:
        """Learn from a result what work costs, in seconds of one worker."""
        self._pace.saw(chunk.work, seconds)


def _left(job: Divisible) -> float:
    return job.remaining * job.work_per_variant


def _run_here(queue: _Queue, stop: threading.Event, keep: Keep) -> None:
    """Run chunks one after another; `stop` is looked at between them."""
    while queue:
        if stop.is_set():
            raise CancelledError
        chunk = queue.next(1)
        result = chunk.function(*chunk.args)
        queue.done(chunk, result.seconds)
        keep(chunk, result, _row(chunk, result, None))


class _Tasks:
    """Chunks as tasks of a session: as many under way as suits the workers there are now."""

    def __init__(
        self,
        session: SessionLike,
        on: str | None,
        queue: _Queue,
        watch: Watch,
        most_workers: int | None,
    ) -> None:
        self._session = session
        self._on = on
        self._queue = queue
        self._watch = watch
        self._most = most_workers
        self._chunks: dict[Future[Any], Chunk] = {}
        self._began: dict[Future[Any], float] = {}
        self._wide: dict[Future[Any], tuple[int, int]] = {}  # cores and workers of some tasks

    def run(self, stop: threading.Event, keep: Keep) -> None:
        """Submit chunks, take their results as they come; leave none behind on failure."""
        try:
            while self._queue or self._chunks:
                self._hand_out()
                done = self._wait()
                if stop.is_set():
                    raise CancelledError
                for task in done:
                    result, chunk = task.result(), self._chunks.pop(task)
                    self._began.pop(task, None)
                    cores, span = self._wide.pop(task, (1, 1))
                    self._queue.done(chunk, span * result.seconds)
                    self._watch.saw(chunk, span * result.seconds)
                    keep(chunk, result, _row(chunk, result, getattr(task, "record", None), cores))
                    if (release := getattr(task, "release", None)) is not None:
                        release()  # else the session would hold it, and the worker too
        except BaseException:
            for task in self._chunks:
                task.cancel()
            raise

    def _hand_out(self) -> None:
        """Keep every worker that there is now supplied."""
        workers = self._watch.workers(self._session, self._on, self._backlog)
        depth = TASKS_PER_WORKER * workers
        if self._most is not None and self._most < workers:
            workers = depth = self._most
        if self._wide and workers:
            self._narrow_down(depth)
        while self._queue and len(self._chunks) < depth:
            self._submit(self._queue.next(workers), depth)

    def _submit(self, chunk: Chunk, depth: int) -> None:
        """Submit a task, which may have the cores of several workers if there are few of them."""
        cores = None
        if chunk.threads:
            tasks = 1 + sum(number for number, _ in self._queue.left()) + len(self._chunks)
            nodes = nodes_of(self._session.pilots_for(self._on))
            cores = cores_for(chunk, nodes, min(tasks, depth), self._queue.seconds_per_work)
        how: dict[str, Any] = {"name": chunk.name, "on": self._on}
        if cores is not None:  # not every session knows of cores
            how["cores"] = cores
        task = self._session.submit(chunk.function, *chunk.args, **how)
        self._chunks[task] = chunk
        if cores is not None:
            self._wide[task] = cores, math.ceil(cores / min(node.cores for node in nodes))

    def _narrow_down(self, depth: int) -> None:
        """Submit anew what waits for more cores than there are by now."""
        nodes = nodes_of(self._session.pilots_for(self._on))
        most = max((node.workers * node.cores for node in nodes), default=0)
        waiting = [task for task in self._wide if not (task.running() or task.done())]
        for task in [task for task in waiting if self._wide[task][0] > most > 0]:
            chunk = self._chunks.pop(task)
            del self._wide[task]
            task.cancel()
            self._submit(chunk, depth)

    def _wait(self) -> set[Future[Any]]:
        """Wait for a moment, or until a task is over."""
        if not self._chunks:  # there is no worker
            time.sleep(_POLL_S)
            return set()
        done, flying = wait(self._chunks, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        now = time.perf_counter()
        for task in flying:
            if not task.running():  # not yet, or not any more: its worker died
                self._began.pop(task, None)
            else:
                self._began.setdefault(task, now)
        return done

    def _backlog(self) -> Backlog:
        now = time.perf_counter()
        flying = (
            (chunk.work, now - self._began.get(task, now)) for task, chunk in self._chunks.items()
        )
        return Backlog(self._queue.left(), tuple(flying))


def _row(chunk: Chunk, result: Any, record: Any, cores: int = 1) -> FragmentRow:
    return FragmentRow(
        binding=chunk.binding,
        fragment=chunk.fragment,
        width=chunk.width,
        variants=chunk.variants,
        seconds=result.seconds,
        worker=str(getattr(record, "worker", None) or ""),
        pilot=str(getattr(record, "pilot", None) or ""),
        shots=chunk.shots,
        start=getattr(record, "started", None),
        cores=cores,
    )
