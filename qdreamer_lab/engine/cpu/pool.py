"""Threads of this process that share out the parts of one piece of work.

The threads are kept, since starting them takes longer than many a small state vector. The caller
works too, so nothing ever waits for a thread that is busy with something else.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["spread"]

T = TypeVar("T")

_MOST_THREADS = max(16, os.cpu_count() or 1)
"""Threads are started when they are wanted, so this is what all callers together may come to."""

_here = threading.local()
"""`busy` is set in a thread that works for `spread`."""


class _Pool:
    """The threads of this process, none before they are wanted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[[], None]) -> None:
        """Ask a thread to do this when it can.

        Raises:
            RuntimeError: The system lets no more threads start, or Python is about to end.
        """
        with self.lock:
            if self.threads is None:
                self.threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="engine")
            self.threads.submit(work)


_pool = _Pool()
# A process that was forked has the object but not its threads, and maybe a lock that nobody opens.
os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]


def spread(function: Callable[..., T], parts: Sequence[tuple[Any, ...]], cores: int) -> list[T]:
    """Call `function(*part)` for every part, on up to `cores` threads, this one among them.

    Inside a call of `spread` another one does its parts one after another.

    Args:
        function: Leaves the GIL while it works, or nothing is gained.
        parts: Arguments of the calls; they are begun in this order.
        cores: Threads at once, at least 1.

    Returns:
        What the calls returned, in the order of `parts`.

    Raises:
        BaseException: What the first failing part raised; parts not yet begun are left out, and
            those under way have ended by then.
    """
    several = min(cores, len(parts))
    if several < 2 or getattr(_here, "busy", False):
        return [function(*part) for part in parts]
    job = _Job(function, parts)
    helpers = [_Helper(job) for _ in range(several - 1)]
    try:
        with suppress(RuntimeError):  # where no thread can be had, this one does it all
            for helper in helpers:
                _pool.submit(helper)
        job.work()
    finally:
        job.stopped = True
        for helper in helpers:
            helper.end()
        # What was cancelled stays in the queue until a thread looks; it must not keep arrays alive.
        results, errors = job.results, job.errors
        job.forget()
    try:
        if errors:
            raise errors[min(errors)]
        return results
    finally:
        del errors  # an error's traceback refers to this frame


class _Job:
    """One call of `spread`: each thread takes the next part until there is none."""

    def __init__(self, function: Callable[..., Any], parts: Sequence[tuple[Any, ...]]) -> None:
        self.function, self.parts = function, parts
        self.results: list[Any] = [None] * len(parts)
        self.errors: dict[int, BaseException] = {}
        self.stopped = False
        self.next: Iterator[int] = count()  # one step of it is atomic

    def work(self) -> None:
        """Do parts until none is left or one has failed."""
        _here.busy = True
        try:
            while not self.stopped and (number := next(self.next)) < len(self.parts):
                try:
                    self.results[number] = self.function(*self.parts[number])
                except BaseException as error:  # noqa: BLE001 - raised again in the caller
                    self.errors[number] = error
                    self.stopped = True
        finally:
            _here.busy = False

    def forget(self) -> None:
        """Let go of everything."""
        self.function, self.parts, self.results, self.errors = _nothing, (), [], {}


class _Helper:
    """A job that is waiting for a thread.

    Futures would not do: where no thread can be started, work is queued and there is no future of
    it, so that nobody could call it off or wait for it.
    """

    def __init__(self, job: _Job) -> None:
        self._job = job
        self._begun = threading.Lock()
        self._over = threading.Event()

    def __call__(self) -> None:
        """Work, unless it was called off."""
        if self._begun.acquire(blocking=False):
            try:
                self._job.work()
            finally:
                self._over.set()

    def end(self) -> None:
        """Call it off, or wait until it is over if it has begun."""
        if not self._begun.acquire(blocking=False):
            self._over.wait()


def _nothing(*_: object) -> None:
    """Stands for the function of a job that is over."""
